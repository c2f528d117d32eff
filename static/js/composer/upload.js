// One file on its way to the server, with its progress, a way to cancel it and a way to try it again.
import { copyTemplate, find, textOf } from '../page/dom.js';
import { ownHeaders } from '../page/request.js';
import { uuid } from '../page/uuid.js';

/** After this long without progress the connection counts as lost. */
const SILENCE_MS = 30_000;
/** How long the server may take once it has the whole file. */
const STORED_WITHIN_MS = 120_000;
const TOO_LARGE = 413;
/** Status for a picture in a format that the server cannot read, and so cannot remove the location from. */
const UNKNOWN_PICTURE = 415;

/**
 * @typedef {object} Options
 * @property {string} name shown
 * @property {string} sign stands for the kind of the file
 * @property {string} address
 * @property {boolean} [isAlone] it is a message of its own, for which no other has to wait
 * @property {(html: string) => void} onArrive what it is, as the server draws it
 * @property {() => void} [onRemove]
 */

export class Upload {
  element = copyTemplate('uploading-file');
  isAlone;
  /** The network has cut it off: it goes on when that is back. */
  isLost = false;
  /** How often it was cut off since somebody last started it. */
  losses = 0;
  #file;
  #options;
  /** The same for each try: the server then keeps what the last one stores. */
  #query = new URLSearchParams({ upload: uuid() });
  #enqueue;
  /** @type {XMLHttpRequest | undefined} */
  #request;
  #retry = find(this.element, '[data-retry]');
  #state = find(this.element, '[data-state]');
  #progress = find(this.element, 'progress', HTMLProgressElement);

  /**
   * @param {File} file
   * @param {Options} options
   * @param {() => void} enqueue starts it when its turn comes
   */
  constructor(file, options, enqueue) {
    const { name, sign, isAlone = false } = options;
    this.#file = file;
    this.#options = options;
    this.#enqueue = enqueue;
    this.isAlone = isAlone;
    find(this.element, '[data-name]').textContent = name;
    find(this.element, '.file-ending').textContent = sign;
    this.#progress.setAttribute('aria-label', `Upload of ${name}`);
    find(this.element, '[data-remove-file]').setAttribute('aria-label', `Cancel ${name}`);
    this.element.classList.toggle('is-alone', isAlone);
    this.#retry.addEventListener('click', () => {
      this.losses = 0;
      enqueue();
    });
  }

  /** It is about to be tried, again. */
  reset() {
    this.isLost = false;
    this.element.classList.remove('is-failed');
    this.#retry.hidden = true;
    this.#state.textContent = '';
  }

  /**
   * @param {string} sentence
   * @param {{ mayRetry: boolean }} options
   */
  fail(sentence, { mayRetry }) {
    this.element.classList.add('is-failed');
    this.element.toggleAttribute('data-may-retry', mayRetry);
    this.#state.textContent = ` ${sentence}`;
    this.#retry.hidden = !mayRetry;
  }

  remove() {
    this.element.remove();
    this.#request?.abort();
    this.#options.onRemove?.();
  }

  /** Resolves when it has ended, one way or another. */
  async send() {
    const request = new XMLHttpRequest();
    this.#request = request;
    const lose = () => {
      if (!this.isLost) this.losses += 1;
      this.isLost = true;
      this.fail(this.isAlone ? 'Waits for the network.' : 'The connection was lost.', { mayRetry: true });
      request.abort();
    };
    let timer = setTimeout(lose, SILENCE_MS);
    addEventListener('offline', lose);
    request.upload.onprogress = ({ loaded, total }) => {
      clearTimeout(timer);
      timer = setTimeout(lose, loaded < total ? SILENCE_MS : STORED_WITHIN_MS);
      this.#showProgress(Math.round((loaded / total) * 100));
    };
    request.onload = () => this.#takeAnswer(request);
    request.onerror = lose;
    const ended = new Promise((resolve) => {
      request.onloadend = resolve;
    });
    const body = new FormData();
    body.append('files', this.#file);
    request.open('POST', `${this.#options.address}?${this.#query}`);
    for (const [name, value] of Object.entries(ownHeaders())) request.setRequestHeader(name, value);
    request.send(body);
    await ended;
    clearTimeout(timer);
    removeEventListener('offline', lose);
  }

  /** @param {number} percent */
  #showProgress(percent) {
    this.#progress.value = percent;
    this.#state.textContent = percent < 100 ? ` ${percent} %` : ' Being stored…';
  }

  /** @param {XMLHttpRequest} request */
  #takeAnswer({ status, responseText }) {
    if (status === 201) return this.#options.onArrive(responseText);
    const sentence = textOf(responseText) || 'That could not be stored. Try again in a moment.';
    this.fail(sentence, { mayRetry: status !== TOO_LARGE && status !== UNKNOWN_PICTURE });
    if (status === UNKNOWN_PICTURE) this.#offerAnyway();
  }

  /** The picture may contain where it was taken, so it is uploaded unchanged only if the user confirms. */
  #offerAnyway() {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'text-button';
    button.textContent = 'Send it anyway';
    button.addEventListener('click', () => {
      button.remove();
      this.#query.set('anyway', 'yes');
      this.#enqueue();
    });
    this.#retry.after(button);
  }
}
