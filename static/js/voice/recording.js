const BITRATE = 48_000;
/** Data is collected in pieces of this length, so that a crash of the encoder loses only the last one. */
const PIECE_MS = 1_000;

/** One recording from the microphone. */
export class Recording {
  stream;
  isRunning = true;
  #media;
  /** @type {Blob[]} */
  #pieces = [];
  /** When it began, or went on. */
  #since = Date.now();
  #msBefore = 0;

  /**
   * Asks for the microphone.
   * @param {() => void} onLose the microphone is gone; the recording so far is still there
   * @returns {Promise<Recording>}
   * @throws {DOMException} with the reason of the browser in its name
   */
  static async start(onLose) {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    try {
      return new Recording(stream, onLose);
    } catch (error) {
      release(stream);
      throw error;
    }
  }

  /**
   * @param {MediaStream} stream
   * @param {() => void} onLose
   */
  constructor(stream, onLose) {
    this.stream = stream;
    this.#media = new MediaRecorder(stream, { audioBitsPerSecond: BITRATE });
    this.#media.ondataavailable = ({ data }) => {
      if (data.size > 0) this.#pieces.push(data);
    };
    for (const track of stream.getAudioTracks())
      track.onended = () => {
        this.#pauseClock();
        onLose();
      };
    this.#media.start(PIECE_MS);
  }

  get elapsedMs() {
    return this.#msBefore + (this.isRunning ? Date.now() - this.#since : 0);
  }

  togglePause() {
    if (this.isRunning) {
      this.#pauseClock();
      this.#media.pause();
    } else {
      this.#since = Date.now();
      this.isRunning = true;
      this.#media.resume();
    }
  }

  /**
   * Ends it, and lets the microphone go.
   * @returns {Promise<Blob>}
   */
  async stop() {
    // It stops by itself when its microphone goes away.
    if (this.#media.state !== 'inactive')
      await new Promise((resolve) => {
        this.#media.onstop = resolve;
        this.#media.stop();
      });
    release(this.stream);
    return new Blob(this.#pieces, { type: this.#media.mimeType });
  }

  #pauseClock() {
    this.#msBefore = this.elapsedMs;
    this.isRunning = false;
  }
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}
