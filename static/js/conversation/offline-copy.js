/** A copy is made this long after a change, and no sooner than the second one after the last copy. */
const KEEP_AFTER_MS = 2_000;
const KEEP_EVERY_MS = 15_000;

/** Updates the cached page of a changed conversation soon after a change, and when the page is hidden. */
export class OfflineCopy {
  #path;
  #isNewest = true;
  #keptAt = -KEEP_EVERY_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} path of the page */
  constructor(path) {
    this.#path = path;
    for (const name of ['visibilitychange', 'pagehide'])
      addEventListener(name, () => document.visibilityState === 'hidden' && this.#keep(), true);
  }

  /** The page has changed. */
  renew() {
    this.#isNewest = false;
    const rest = this.#keptAt + KEEP_EVERY_MS - performance.now();
    this.#timer ??= setTimeout(() => this.#keep(), Math.max(KEEP_AFTER_MS, rest));
  }

  #keep() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const worker = navigator.serviceWorker?.controller;
    if (this.#isNewest || !worker) return;
    this.#isNewest = true;
    this.#keptAt = performance.now();
    worker.postMessage({ type: 'keep', url: location.origin + this.#path });
  }
}
