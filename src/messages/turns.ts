/** Lets what concerns one key follow one another in the order in which it was begun, as texts take differently long. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Resolves to what `work` resolves to, which begins once all work of this key that began before has ended. */
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
