const KEEP_EVERY_MS = 15_000;

/** Updates the cached page of a changed conversation when the page is hidden, and at intervals. */
export class OfflineCopy {
  #path;
  #isNewest = true;

  /** @param {string} path of the page */
  constructor(path) {
    this.#path = path;
    setInterval(() => this.#keep(), KEEP_EVERY_MS);
    for (const name of ['visibilitychange', 'pagehide'])
      addEventListener(name, () => document.visibilityState === 'hidden' && this.#keep(), true);
  }

  /** The page has changed. */
  renew() {
    this.#isNewest = false;
  }

  #keep() {
    const worker = navigator.serviceWorker?.controller;
    if (this.#isNewest || !worker) return;
    this.#isNewest = true;
    worker.postMessage({ type: 'keep', url: location.origin + this.#path });
  }
}
