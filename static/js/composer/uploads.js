// The files that are on their way: a few at a time, the others in turn.
import { listen } from '../page/events.js';
import { Upload } from './upload.js';

const CONCURRENT_UPLOADS = 2;

export class Uploads {
  /** @type {Set<Upload>} */
  #all = new Set();
  /** @type {Upload[]} */
  #queue = [];
  /** @type {Set<Upload>} */
  #underWay = new Set();
  /** Those who wait until nothing is under way. @type {(() => void)[]} */
  #waiting = [];

  constructor() {
    // What the network has cut off goes on by itself when it is back.
    addEventListener('online', () => this.#retryLost());
    listen('hello', () => this.#retryLost());
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
        this.#startNext();
      });
    }
    this.#tellWaiting();
  }

  #tellWaiting() {
    if (this.isAwaited()) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #retryLost() {
    for (const upload of this.#all) if (upload.isLost) this.enqueue(upload);
  }
}
