// How loud it is: the last seconds as bars, the newest at the end.

/** So many bars, a new one this often. */
const BARS = 53;
const BAR_EVERY_MS = 90;

/** Draws it into a canvas, in the colour of its text. */
export function startLevel(canvas) {
  const context = canvas.getContext('2d');
  let bars = [];
  let audio;
  let timer;

  function draw() {
    const { width, height } = canvas;
    context.clearRect(0, 0, width, height);
    context.fillStyle = getComputedStyle(canvas).color;
    const step = width / BARS;
    bars.forEach((loudness, index) => {
      const bar = Math.max(step / 2, loudness * height);
      const x = width - (bars.length - index) * step;
      context.beginPath();
      context.roundRect(x, (height - bar) / 2, step / 2, bar, step / 4);
      context.fill();
    });
  }

  return {
    start(stream) {
      bars = [];
      audio = new AudioContext();
      // After the question for the microphone some browsers want to be asked.
      audio.resume().catch(() => {});
      const analyser = audio.createAnalyser();
      analyser.fftSize = 2_048;
      audio.createMediaStreamSource(stream).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
        bars = [...bars, Math.min(1, Math.sqrt(loudest))].slice(-BARS);
        draw();
      }, BAR_EVERY_MS);
    },
    stop() {
      clearInterval(timer);
      audio?.close();
      audio = undefined;
    },
  };
}
