// What was said becomes text in the composer, or goes out as it is.
import { closest, find, findAll, findOptional } from '../page/dom.js';
import { listen } from '../page/events.js';
import { uuid } from '../page/uuid.js';
import { deleteRecording, inTurn, isKept, keepRecording, keptRecordings } from './kept-recordings.js';

const TRY_AGAIN_MS = 2_000;

/** What is said of a recording by what became of its text. @type {Record<string, string>} */
const LINES = {
  draft: 'Look it over, then send.',
  unsure: 'Not sure of these words. Look them over, then send.',
  silent: 'Nobody is heard speaking in it.',
  unrecognised: 'It seems to be in another language. It can be sent as it is.',
  failed: 'It could not be transcribed. It can be sent as it is.',
  none: 'No transcript. It can be sent as it is.',
};

/**
 * @typedef {import('./kept-recordings.js').KeptRecording} KeptRecording
 *
 * @typedef {object} Composer
 * @property {string} place the conversation or thread
 * @property {string} accountId
 * @property {import('../composer/attachments.js').Attachments} attachments
 * @property {(text: string) => boolean} insert says whether there was a place for the text
 * @property {(element: HTMLElement, message: { id: string, replyTo: number | undefined }) => void} send
 */

export class Dictation {
  #list;
  #composer;

  /**
   * @param {HTMLElement} list the recordings and files that wait for their message
   * @param {Composer} composer
   */
  constructor(list, composer) {
    this.#list = list;
    this.#composer = composer;
    listen('transcribed', ({ file, transcript, text }) => {
      const element = findOptional(list, `[data-file="${CSS.escape(file)}"]`);
      if (element) this.#takeTranscript(element, transcript, text);
    });
    list.addEventListener('change', ({ target }) => {
      const select = closest(target, '[data-spoken-language]', HTMLSelectElement);
      const element = select && closest(select, '[data-file]');
      if (element && select.value) this.#transcribeIn(element, select.value);
    });
    this.#fetchAll();
    listen('hello', () => this.#fetchAll());
    listen('put-back', () => this.#fetchAll());
    addEventListener('online', () => this.#fetchAll());
    keptRecordings(composer.accountId).then((kept) => {
      for (const recording of kept) if (recording.place === composer.place) this.#bringKept(recording);
    });
  }

  /**
   * @param {Blob} blob
   * @param {import('./recorder.js').Way} way
   * @param {number} [replyTo] the seq of the message that it answers
   */
  async take(blob, way, replyTo) {
    const { accountId, place } = this.#composer;
    const recording = { id: uuid(), accountId, place, blob, way, replyTo, at: Date.now() };
    await keepRecording(recording);
    inTurn(recording.id, () => this.#bring(recording));
  }

  /** Whatever was transcribed while nobody was connected. */
  #fetchAll() {
    for (const element of findAll(this.#list, '[data-transcript-state="waiting"]')) this.#fetch(element);
  }

  /** @param {HTMLElement} element */
  async #fetch(element) {
    const response = await fetch(`/media/${element.dataset.file}/transcript`).catch(() => undefined);
    if (!response?.ok) return;
    const { transcript, text } = await response.json();
    if (transcript !== 'waiting') this.#takeTranscript(element, transcript, text);
  }

  /**
   * @param {HTMLElement} element
   * @param {string} transcript what became of it
   * @param {string} text
   */
  #takeTranscript(element, transcript, text) {
    if (element.dataset.transcriptState !== 'waiting') return;
    const line = find(element, '[data-transcript-line]');
    const tick = find(element, '.with-recording input', HTMLInputElement);
    const hasText = transcript === 'draft' || transcript === 'unsure';
    if (hasText && !tick.checked && !this.#composer.insert(text)) {
      // The field is in use for something else.
      line.textContent = 'Transcribed. The text comes here when you have finished editing.';
      setTimeout(() => this.#fetch(element), TRY_AGAIN_MS);
      return;
    }
    element.dataset.transcriptState = transcript;
    line.textContent = hasText && tick.checked ? 'Transcribed.' : (LINES[transcript] ?? '');
    if (!hasText) tick.toggleAttribute('checked', true);
    this.#composer.attachments.remember();
  }

  /**
   * Transcribes a recording anew.
   * @param {HTMLElement} element
   * @param {string} language `none` is no text
   */
  async #transcribeIn(element, language) {
    const line = find(element, '[data-transcript-line]');
    const response = await fetch(`/media/${element.dataset.file}/transcribe`, {
      method: 'POST',
      headers: { 'HX-Request': 'true' },
      body: new URLSearchParams({ language }),
    }).catch(() => undefined);
    if (!response?.ok) {
      line.textContent = 'The language could not be set. Try again.';
      return;
    }
    element.dataset.transcriptState = 'waiting';
    line.textContent = 'Transcribing…';
    this.#fetch(element);
  }

  /**
   * Uploads a recording left by another tab or an earlier page load, unless another tab has done so meanwhile.
   * @param {KeptRecording} recording
   */
  #bringKept(recording) {
    inTurn(recording.id, async () => {
      if (await isKept(recording.id)) await this.#bring(recording);
    });
  }

  /**
   * Resolves once it has arrived, or was taken away.
   * @param {KeptRecording} recording
   * @returns {Promise<void>}
   */
  #bring({ id, blob, way, replyTo }) {
    const { attachments, send } = this.#composer;
    return new Promise((done) => {
      const forget = () => deleteRecording(id).then(done);
      attachments.addRecording(blob, {
        isAlone: way === 'message',
        onArrive: (element) => {
          if (way === 'message') send(element, { id, replyTo });
          // It may have been transcribed before this arrived.
          else this.#fetch(element);
          forget();
        },
        onRemove: forget,
      });
    });
  }
}
