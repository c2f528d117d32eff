// The record button: a tap starts a recording that goes on; holding it records until release.
import { showSheet } from '../page/dialog.js';
import { find, findAll, findOptional } from '../page/dom.js';
import { announce } from '../page/events.js';
import { browserStorage } from '../page/storage.js';
import { clock } from './clock.js';
import { Hold } from './hold.js';
import { LevelMeter } from './level-meter.js';
import { Recording } from './recording.js';

const LONGEST_MS = 5 * 60_000;
/** The last seconds are counted down. */
const WARN_MS = 15_000;
/** A shorter recording is taken for an accidental press. */
const SHORTEST_MS = 500;
const TICK_MS = 100;
const WAY_KEY = 'voice-way';

/** @type {Record<string, string>} */
const SHEETS = {
  insecure: 'sheet-insecure',
  NotAllowedError: 'sheet-denied',
  NotFoundError: 'sheet-no-microphone',
  NotReadableError: 'sheet-busy',
};

/**
 * @typedef {'message' | 'text'} Way what becomes of a recording: it is sent as it is, or transcribed into the composer
 */

export class Recorder {
  #form;
  #composer;
  #button;
  #bar;
  #time;
  #state;
  #pause;
  #level;
  #hold;
  #canBeText;
  /** @type {Recording | undefined} */
  #recording;
  #isStarting = false;
  #isBeingKept = false;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {HTMLFormElement} form
   * @param {object} composer
   * @param {(blob: Blob, way: Way) => Promise<void>} composer.take what becomes of a recording; resolves once it is safe
   * @param {(sentence: string) => void} composer.say shows a sentence
   */
  constructor(form, composer) {
    this.#form = form;
    this.#composer = composer;
    this.#button = find(form, '[data-record]', HTMLAnchorElement);
    this.#bar = find(form, '[data-recorder]');
    this.#time = find(this.#bar, '[data-recording-time]');
    this.#state = find(this.#bar, '[data-recording-state]');
    this.#pause = find(this.#bar, '[data-pause-recording]', HTMLButtonElement);
    this.#level = new LevelMeter(find(this.#bar, '[data-level]', HTMLCanvasElement));
    this.#canBeText = form.dataset.speech === 'on';
    this.#startButton();
    this.#startBar();
    this.#hold = new Hold(this.#button, {
      onPress: () => this.#begin(),
      onMove: () => this.#show(),
      onRelease: (end) => this.#endHold(end),
    });
    addEventListener('beforeunload', (event) => {
      if (this.#recording || this.#isBeingKept) event.preventDefault();
    });
  }

  #startButton() {
    this.#button.setAttribute('role', 'button');
    this.#button.draggable = false;
    this.#button.addEventListener('click', (event) => {
      event.preventDefault();
      // With a pointer it has begun already.
      if (event.detail === 0 && !this.#recording) this.#begin();
    });
    this.#button.addEventListener('keydown', (event) => {
      if (event.key !== ' ') return;
      event.preventDefault();
      this.#begin();
    });
  }

  #startBar() {
    find(this.#bar, '[data-finish="text"]').hidden = !this.#canBeText;
    find(this.#bar, '[data-discard-recording]').addEventListener('click', () => this.#finish());
    for (const button of findAll(this.#bar, '[data-finish]'))
      button.addEventListener('click', () => {
        const way = button.dataset.finish === 'text' ? 'text' : 'message';
        browserStorage.set(WAY_KEY, way);
        this.#finish(way);
      });
    this.#pause.addEventListener('click', () => this.#togglePause());
    this.#form.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && this.#recording?.isRunning) this.#togglePause();
    });
  }

  /** @param {import('./hold.js').End} end */
  #endHold(end) {
    // The browser may still be asking for the microphone.
    if (end === 'tap' || end === 'cancelled' || !this.#recording) this.#show();
    else if (end === 'away') this.#finish();
    else this.#finish(this.#heldWay());
  }

  /**
   * A held recording is sent or transcribed as the last recording was.
   * @returns {Way}
   */
  #heldWay() {
    return this.#canBeText && browserStorage.get(WAY_KEY) === 'text' ? 'text' : 'message';
  }

  async #begin() {
    if (this.#recording || this.#isStarting) return;
    if (!window.isSecureContext) return this.#explain('insecure');
    if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return this.#explain('unsupported');
    this.#isStarting = true;
    // What sounds now would be recorded.
    announce('recording', undefined);
    try {
      this.#recording = await Recording.start(() => this.#lose());
      this.#level.start(this.#recording.stream);
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
      this.#form.classList.add('is-recording');
      this.#bar.hidden = false;
      this.#show();
      if (!this.#hold.isHeld) this.#focusSend();
    } catch (error) {
      this.#recording?.stop();
      this.#recording = undefined;
      this.#level.stop();
      const { name, message } = error instanceof Error ? error : { name: 'unsupported', message: '' };
      this.#explain(name, message);
    } finally {
      this.#isStarting = false;
    }
  }

  /** The microphone was unplugged or taken by a phone call. The recording so far is still there. */
  #lose() {
    if (!this.#recording) return;
    this.#pause.disabled = true;
    this.#show();
    this.#state.textContent = 'The microphone is gone. Send what there is, or discard it.';
  }

  #tick() {
    if (!this.#recording) return;
    const ms = this.#recording.elapsedMs;
    this.#time.textContent = clock(Math.floor(ms / 1_000));
    const left = LONGEST_MS - ms;
    if (left <= 0 && this.#recording.isRunning) {
      this.#togglePause();
      this.#state.textContent = 'Five minutes are the most. Send it, or discard it.';
      this.#pause.disabled = true;
    } else if (left < WARN_MS && left > 0) this.#state.textContent = `${Math.ceil(left / 1_000)} s left`;
  }

  #show() {
    const isPaused = this.#recording !== undefined && !this.#recording.isRunning;
    const { isHeld, isAway } = this.#hold;
    this.#bar.classList.toggle('is-paused', isPaused);
    this.#bar.classList.toggle('is-held', isHeld);
    this.#bar.classList.toggle('is-away', isAway);
    this.#pause.setAttribute('aria-label', isPaused ? 'Go on' : 'Pause');
    const end = this.#heldWay() === 'text' ? 'Let go for text' : 'Let go to send';
    if (isPaused) this.#state.textContent = 'Paused';
    else if (isAway) this.#state.textContent = 'Let go to discard';
    else this.#state.textContent = isHeld ? `${end}, slide away to discard` : '';
    if (this.#recording && !isHeld && document.activeElement === document.body) this.#focusSend();
  }

  #focusSend() {
    find(this.#bar, '[data-finish="message"]').focus();
  }

  #togglePause() {
    this.#recording?.togglePause();
    this.#show();
  }

  /**
   * Ends the recording.
   * @param {Way} [way] without one the recording is discarded
   */
  async #finish(way) {
    const recording = this.#recording;
    if (!recording) return;
    const isLongEnough = recording.elapsedMs >= SHORTEST_MS;
    this.#recording = undefined;
    this.#isBeingKept = way !== undefined && isLongEnough;
    clearInterval(this.#timer);
    this.#level.stop();
    this.#bar.hidden = true;
    this.#pause.disabled = false;
    this.#form.classList.remove('is-recording');
    this.#time.textContent = clock(0);
    find(this.#form, 'textarea').focus();
    const blob = await recording.stop();
    if (way && isLongEnough)
      await this.#composer.take(blob, way).finally(() => {
        this.#isBeingKept = false;
      });
    else if (way) this.#composer.say('That was too short. Press once and speak, or hold while you do.');
  }

  /**
   * @param {string} cause why it does not record
   * @param {string} [detail]
   */
  #explain(cause, detail = '') {
    // A sheet that opens under the finger would take the click that ends the press.
    this.#hold.afterPress(() => {
      const id = SHEETS[cause] ?? 'sheet-unsupported';
      const dialog = showSheet(find(document, `#${id}`, HTMLTemplateElement).innerHTML);
      findOptional(dialog, '[data-detail]')?.append(detail);
      find(dialog, '[data-form-instead]', HTMLAnchorElement).href = this.#button.href;
    });
  }
}
