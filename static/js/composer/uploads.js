// The files that are on their way: a few at a time, the others in turn.
import { listen } from '../page/events.js';
import { Upload } from './upload.js';

const CONCURRENT_UPLOADS = 2;
/** How long a lost upload waits for its next try, when nothing says that the network is back; doubled each time. */
const FIRST_WAIT_MS = 4_000;
const LONGEST_WAIT_MS = 60_000;
/** After so many losses it is not the network: something on the way does not let it through. */
const MAX_LOSSES = 6;

export class Uploads {
  /** @type {Set<Upload>} */
  #all = new Set();
  /** @type {Upload[]} */
  #queue = [];
  /** @type {Set<Upload>} */
  #underWay = new Set();
  /** Those who wait until nothing is under way. @type {(() => void)[]} */
  #waiting = [];
  #waitMs = FIRST_WAIT_MS;
  /** @type {number | undefined} */
  #timer;

  constructor() {
    // What the network has cut off goes on by itself when it is back.
    const isBack = () => {
      for (const upload of this.#all) if (upload.isLost) upload.losses = 0;
      this.#retryLost();
    };
    addEventListener('online', isBack);
    listen('hello', isBack);
  }

  /**
   * @param {File} file
   * @param {import('./upload.js').Options} options
   */
  create(file, options) {
    const upload = new Upload(file, options, () => this.enqueue(upload));
    this.#all.add(upload);
    return upload;
  }

  /** @param {Upload} upload */
  enqueue(upload) {
    upload.reset();
    this.#queue.push(upload);
    this.#startNext();
  }

  /** @param {HTMLElement} element that stands for one */
  remove(element) {
    const upload = [...this.#all].find((candidate) => candidate.element === element);
    if (!upload) return;
    this.#all.delete(upload);
    this.#queue = this.#queue.filter((queued) => queued !== upload);
    upload.remove();
    this.#startNext();
  }

  /** Whether a message has to wait for what is still coming in. */
  isAwaited() {
    return [...this.#underWay, ...this.#queue].some((upload) => !upload.isAlone);
  }

  /** Whether one would be lost with the page: it is on its way, or will be tried again. */
  hasUnsent() {
    return this.isAwaited() || [...this.#all].some((upload) => upload.isLost && !upload.isAlone);
  }

  /**
   * Resolves once nothing is under way that a message has to wait for.
   * @returns {Promise<void>}
   */
  settled() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#tellWaiting();
    });
  }

  #startNext() {
    while (this.#underWay.size < CONCURRENT_UPLOADS) {
      const upload = this.#queue.shift();
      if (!upload) break;
      this.#underWay.add(upload);
      upload.send().finally(() => {
        this.#underWay.delete(upload);
        // A successful upload has been replaced in the list by the uploaded file.
        if (!upload.element.isConnected) this.#all.delete(upload);
        if (upload.isLost) this.#retryLater();
        else this.#waitMs = FIRST_WAIT_MS;
        this.#startNext();
      });
    }
    this.#tellWaiting();
  }

  #tellWaiting() {
    if (this.isAwaited()) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Only its own connection may have broken, or the network was back before it was noticed: nothing else tells. */
  #retryLater() {
    if (this.#timer !== undefined || !navigator.onLine) return;
    this.#timer = setTimeout(() => this.#retryLost(), this.#waitMs);
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
  }

  #retryLost() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const upload of this.#all) if (upload.isLost && upload.losses < MAX_LOSSES) this.enqueue(upload);
  }
}
