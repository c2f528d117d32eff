import { browserStorage } from '../page/storage.js';

const SPEEDS = [1, 1.25, 1.5, 1.75, 2];
const SPEED_KEY = 'voice-speed';
/** Some browsers are this far off after setting currentTime. */
const TOLERANCE_SECONDS = 0.3;
/** Seeking stops this long before the end: at the end itself playback would restart. */
const END_SECONDS = 0.05;

/** The one sound of a page, and where each file stands. */
export class Playback {
  speed = Number(browserStorage.get(SPEED_KEY)) || 1;
  /** The file that sounds, or stands still in the middle. @type {string | undefined} */
  current;
  #audio = new Audio();
  #secondsOf;
  #frame = 0;
  /** Last positions of files, in seconds, used when they are loaded. @type {Map<string, number>} */
  #positions = new Map();
  /** @type {((file: string) => void)[]} */
  #playListeners = [];
  /** @type {(file: string) => void} */
  #onChange = () => {};
  /** @type {() => void} */
  #onSpeed = () => {};
  /** @type {(file: string, sentence: string) => void} */
  #onNote = () => {};

  /** @param {(file: string) => number} secondsOf how long a file is; 0 where that is unknown */
  constructor(secondsOf) {
    this.#secondsOf = secondsOf;
    const audio = this.#audio;
    audio.preload = 'none';
    const changed = () => this.current && this.#onChange(this.current);
    for (const name of ['play', 'pause', 'seeked']) audio.addEventListener(name, changed);
    audio.addEventListener('play', () => this.#followFrames());
    audio.addEventListener('ended', () => {
      audio.currentTime = 0;
      changed();
    });
    audio.addEventListener('error', () => {
      if (this.current) this.#onNote(this.current, 'It cannot be played here.');
    });
  }

  /**
   * What draws it.
   * @param {{ onChange(file: string): void, onSpeed(): void, onNote(file: string, sentence: string): void }} view
   */
  show({ onChange, onSpeed, onNote }) {
    this.#onChange = onChange;
    this.#onSpeed = onSpeed;
    this.#onNote = onNote;
  }

  /** @param {(file: string) => void} listener */
  onPlay(listener) {
    this.#playListeners.push(listener);
  }

  /** @param {string} file */
  isPlaying(file) {
    return file === this.current && !this.#audio.paused;
  }

  /**
   * In seconds.
   * @param {string} file
   */
  positionOf(file) {
    return file === this.current ? this.#audio.currentTime : (this.#positions.get(file) ?? 0);
  }

  /** @param {string} file */
  toggle(file) {
    if (this.isPlaying(file)) this.#audio.pause();
    else this.play(file);
  }

  pause() {
    this.#audio.pause();
  }

  /** @param {string} file */
  play(file) {
    this.#load(file);
    this.#audio.playbackRate = this.speed;
    this.#onNote(file, '');
    this.#audio.play().catch((error) => {
      // AbortError: paused, or another file started, before playback began.
      if (error.name !== 'AbortError')
        this.#onNote(file, 'It cannot be played now. Try again when the connection is back.');
    });
    for (const listener of this.#playListeners) listener(file);
  }

  /**
   * @param {string} file
   * @param {number} seconds from its beginning
   */
  seek(file, seconds) {
    const length = this.#secondsOf(file);
    const to = Math.max(0, length > 0 ? Math.min(seconds, length - END_SECONDS) : seconds);
    this.#positions.set(file, to);
    if (file === this.current) this.#audio.currentTime = to;
    this.#onChange(file);
  }

  goFaster() {
    this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length] ?? 1;
    browserStorage.set(SPEED_KEY, String(this.speed));
    this.#audio.playbackRate = this.speed;
    this.#onSpeed();
  }

  /**
   * Loads a file into the player at its last position.
   * @param {string} file
   */
  #load(file) {
    const before = this.current;
    if (file === before) return;
    const audio = this.#audio;
    if (before) this.#positions.set(before, audio.currentTime);
    this.current = file;
    audio.src = `/media/${file}`;
    audio.currentTime = this.#positions.get(file) ?? 0;
    // Some browsers know no place before they know the length.
    audio.onloadedmetadata = () => {
      const wanted = this.#positions.get(file) ?? 0;
      if (Math.abs(audio.currentTime - wanted) > TOLERANCE_SECONDS) audio.currentTime = wanted;
      audio.onloadedmetadata = null;
    };
    if (before) this.#onChange(before);
  }

  #followFrames() {
    cancelAnimationFrame(this.#frame);
    if (this.#audio.paused || !this.current) return;
    this.#onChange(this.current);
    this.#frame = requestAnimationFrame(() => this.#followFrames());
  }
}
