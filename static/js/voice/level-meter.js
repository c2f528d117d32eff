/** So many bars, a new one this often. */
const BARS = 53;
const BAR_EVERY_MS = 90;
const SAMPLES = 2_048;

/** How loud it is: the last seconds as bars, the newest at the end, in the colour of the canvas's text. */
export class LevelMeter {
  #canvas;
  /** From 0 to 1. @type {number[]} */
  #bars = [];
  /** @type {AudioContext | undefined} */
  #audio;
  /** @type {number | undefined} */
  #timer;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /** @param {MediaStream} stream */
  start(stream) {
    this.#bars = [];
    const audio = new AudioContext();
    this.#audio = audio;
    // Some browsers need an explicit resume after the permission prompt.
    audio.resume().catch(() => {});
    const analyser = audio.createAnalyser();
    analyser.fftSize = SAMPLES;
    audio.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(SAMPLES);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      this.#bars = [...this.#bars, Math.min(1, Math.sqrt(loudest))].slice(-BARS);
      this.#draw();
    }, BAR_EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#audio?.close();
    this.#audio = undefined;
  }

  #draw() {
    const context = this.#canvas.getContext('2d');
    if (!context) return;
    const { width, height } = this.#canvas;
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(this.#canvas).color;
    const step = width / BARS;
    this.#bars.forEach((loudness, index) => {
      const bar = Math.max(step / 2, loudness * height);
      const x = width - (this.#bars.length - index) * step;
      context.beginPath();
      context.roundRect(x, (height - bar) / 2, step / 2, bar, step / 4);
      context.fill();
    });
  }
}
