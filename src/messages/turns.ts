/**
 * Runs work of one key in the order in which it was requested: looking up mentions takes longer for long texts, and must
 * not reorder messages.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Resolves to the result of `work`, which starts when all earlier work of this key has ended. */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key);
    const running = before ? before.then(work, work) : work();
    this.#last.set(key, running);
    try {
      return await running;
    } finally {
      if (this.#last.get(key) === running) this.#last.delete(key);
    }
  }
}
