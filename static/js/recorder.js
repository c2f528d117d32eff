// The microphone: a press begins and stays, holding it goes on until it is let go.
import { showSheet } from './dialog.js';
import { startLevel } from './level.js';
import { clock } from './player.js';
import { browserStorage } from './storage.js';

const LONGEST_MS = 5 * 60_000;
/** The last seconds are counted down. */
const WARN_MS = 15_000;
/** A press that is shorter than this is one that stays. */
const TAP_MS = 500;
/** What is shorter holds no word: a slip of the finger. */
const SHORTEST_MS = 500;
/** Whoever slides so far away from the button while holding it wants to have said nothing, in pixels. */
const AWAY = 90;
const BITRATE = 48_000;
const WAY_KEY = 'voice-way';

const CAUSES = {
  insecure: 'sheet-insecure',
  NotAllowedError: 'sheet-denied',
  NotFoundError: 'sheet-no-microphone',
  NotReadableError: 'sheet-busy',
};

/**
 * @param {(blob: Blob, way: 'message' | 'text') => Promise<void>} take what becomes of a recording; resolves once it is safe
 * @param {(sentence: string) => void} say shows a sentence at the composer
 */
export function startRecorder(form, take, say) {
  const button = form.querySelector('[data-record]');
  const bar = form.querySelector('[data-recorder]');
  const time = bar.querySelector('[data-recording-time]');
  const state = bar.querySelector('[data-recording-state]');
  const pause = bar.querySelector('[data-pause-recording]');
  const level = startLevel(bar.querySelector('[data-level]'));
  const canBeText = form.dataset.speech === 'on';
  /**
   * @type {undefined | { media: MediaRecorder, stream: MediaStream, chunks: Blob[], since: number, before: number,
   *   isRunning: boolean }}
   */
  let recording;
  /** Set while the button is held: where the press began. */
  let held;
  let isStarting = false;
  let isBeingKept = false;
  let timer;

  bar.querySelector('[data-finish="text"]').hidden = !canBeText;
  button.setAttribute('role', 'button');
  button.draggable = false;
  button.addEventListener('click', (event) => {
    event.preventDefault();
    // With a pointer it has begun already.
    if (event.detail === 0 && !recording) begin();
  });
  button.addEventListener('keydown', (event) => {
    if (event.key !== ' ') return;
    event.preventDefault();
    begin();
  });
  button.addEventListener('contextmenu', (event) => event.preventDefault());
  button.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    held = { x: event.clientX, y: event.clientY, at: Date.now(), id: event.pointerId };
    begin();
  });
  const isAway = (event) => Math.hypot(event.clientX - held.x, event.clientY - held.y) > AWAY;
  const heldWay = () => (canBeText ? (browserStorage.get(WAY_KEY) ?? 'message') : 'message');
  addEventListener('pointermove', (event) => {
    if (event.pointerId !== held?.id || held.isAway === isAway(event)) return;
    held.isAway = isAway(event);
    show();
  });
  addEventListener('pointerup', (event) => {
    if (event.pointerId !== held?.id) return;
    const { at } = held;
    const isDiscarded = isAway(event);
    held = undefined;
    if (Date.now() - at < TAP_MS) return show();
    // The browser may still be asking for the microphone.
    if (!recording) return;
    if (isDiscarded) finish();
    else finish(heldWay());
  });
  addEventListener('pointercancel', () => {
    held = undefined;
    if (recording) show();
  });

  bar.querySelector('[data-discard-recording]').addEventListener('click', () => finish());
  for (const end of bar.querySelectorAll('[data-finish]'))
    end.addEventListener('click', () => {
      browserStorage.set(WAY_KEY, end.dataset.finish);
      finish(end.dataset.finish);
    });
  pause.addEventListener('click', togglePause);
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && recording?.isRunning) togglePause();
  });
  addEventListener('beforeunload', (event) => (recording || isBeingKept) && event.preventDefault());

  async function begin() {
    if (recording || isStarting) return;
    if (!window.isSecureContext) return explain('insecure');
    if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return explain('unsupported');
    isStarting = true;
    // What sounds now would be recorded.
    dispatchEvent(new Event('hearth:recording'));
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      const media = new MediaRecorder(stream, { audioBitsPerSecond: BITRATE });
      const chunks = [];
      media.ondataavailable = ({ data }) => data.size > 0 && chunks.push(data);
      stream.getTracks()[0].onended = lose;
      // In pieces, so that memory is all that a crash of the encoder could take.
      media.start(1_000);
      level.start(stream);
      recording = { media, stream, chunks, since: Date.now(), before: 0, isRunning: true };
      timer = setInterval(tick, 100);
      form.classList.add('is-recording');
      bar.hidden = false;
      show();
      if (!held) bar.querySelector('[data-finish="message"]').focus();
    } catch (error) {
      for (const track of stream?.getTracks() ?? []) track.stop();
      level.stop();
      explain(error.name, error.message);
    } finally {
      isStarting = false;
    }
  }

  const elapsed = () => recording.before + (recording.isRunning ? Date.now() - recording.since : 0);

  /** The microphone was pulled out, or the telephone rang: what was said is still there. */
  function lose() {
    if (!recording) return;
    recording.before = elapsed();
    recording.isRunning = false;
    pause.disabled = true;
    show();
    state.textContent = 'The microphone is gone. Send what there is, or discard it.';
  }

  function tick() {
    const ms = elapsed();
    time.textContent = clock(Math.floor(ms / 1_000));
    const left = LONGEST_MS - ms;
    if (left <= 0 && recording.isRunning) {
      togglePause();
      state.textContent = 'Five minutes are the most. Send it, or discard it.';
      pause.disabled = true;
    } else if (left < WARN_MS && left > 0) state.textContent = `${Math.ceil(left / 1_000)} s left`;
  }

  function show() {
    const isPaused = recording !== undefined && !recording.isRunning;
    bar.classList.toggle('is-paused', isPaused);
    pause.setAttribute('aria-label', isPaused ? 'Go on' : 'Pause');
    bar.classList.toggle('is-held', held !== undefined);
    bar.classList.toggle('is-away', held?.isAway === true);
    const end = heldWay() === 'text' ? 'Let go for text' : 'Let go to send';
    if (isPaused) state.textContent = 'Paused';
    else if (held?.isAway) state.textContent = 'Let go to discard';
    else state.textContent = held ? `${end}, slide away to discard` : '';
    if (!recording) return;
    if (!held && document.activeElement === document.body)
      bar.querySelector('[data-finish="message"]').focus();
  }

  function togglePause() {
    if (recording.isRunning) {
      recording.before = elapsed();
      recording.media.pause();
    } else {
      recording.since = Date.now();
      recording.media.resume();
    }
    recording.isRunning = !recording.isRunning;
    show();
  }

  /** Ends the recording. Without a way it is as if nobody had spoken. */
  function finish(way) {
    if (!recording) return;
    const { media, stream, chunks } = recording;
    const ms = elapsed();
    const stopped = () => {
      for (const track of stream.getTracks()) track.stop();
      if (!way) return;
      if (ms < SHORTEST_MS) say('That was too short. Press once and speak, or hold while you do.');
      else take(new Blob(chunks, { type: media.mimeType }), way).finally(kept);
    };
    const kept = () => {
      isBeingKept = false;
    };
    isBeingKept = way !== undefined && ms >= SHORTEST_MS;
    media.onstop = stopped;
    recording = undefined;
    clearInterval(timer);
    level.stop();
    // It stops by itself when its microphone goes away.
    if (media.state === 'inactive') stopped();
    else media.stop();
    bar.hidden = true;
    pause.disabled = false;
    form.classList.remove('is-recording');
    time.textContent = '0:00';
    form.querySelector('textarea').focus();
  }

  function explain(cause, detail = '') {
    held = undefined;
    const template = document.getElementById(CAUSES[cause] ?? 'sheet-unsupported');
    const dialog = showSheet(template.innerHTML);
    dialog.querySelector('[data-detail]')?.append(detail);
    dialog.querySelector('[data-form-instead]').href = button.href;
  }
}
