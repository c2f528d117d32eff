/** Maximum number of event-loop turns that one batch gathers, so that a steady stream is committed, too. */
const MAX_GATHERING_TURNS = 8;

/**
 * Gathers what arrives within a turn of the event loop, and the turns right after it, and writes it together, one batch after another:
 * under load the batches grow by themselves, and one job alone waits for nobody.
 * (Group commit: DeWitt et al., "Implementation techniques for main memory database systems", SIGMOD 1984.)
 *
 * @param write commits jobs in one transaction and resolves to a result for each, in order; a result that is an Error
 *   refuses its own job only
 * @param split cuts a batch into what is written together; what is committed stays so when a later part fails
 */
export function createGroupCommit<Job, Result>(
  write: (jobs: readonly Job[]) => Promise<ReadonlyArray<Result | Error>>,
  split: (jobs: readonly Job[]) => ReadonlyArray<readonly Job[]> = (jobs) => [jobs],
): { commit(job: Job): Promise<Result>; flush(): Promise<void> } {
  type Waiting = { job: Job; resolve(result: Result): void; reject(error: unknown): void };
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    do {
      await gathered();
      const batch = waiting;
      waiting = [];
      let at = 0;
      for (const part of split(batch.map((waiting) => waiting.job))) {
        await writeBatch(batch.slice(at, at + part.length));
        at += part.length;
      }
    } while (waiting.length > 0);
    running = undefined;
  }

  /** The end of a turn that brought nothing more: one job alone goes at once, a burst goes together. */
  async function gathered(): Promise<void> {
    for (let turn = 0; turn < MAX_GATHERING_TURNS; turn++) {
      const before = waiting.length;
      await new Promise(setImmediate);
      if (waiting.length === before) return;
    }
  }

  async function writeBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await write(batch.map((waiting) => waiting.job));
      batch.forEach((waiting, index) => {
        const result = results[index];
        if (result instanceof Error) waiting.reject(result);
        else waiting.resolve(result as Result);
      });
    } catch (error) {
      // Nothing of this transaction was kept. Alone, each job fails or succeeds for itself.
      const [first, ...rest] = batch;
      if (first && rest.length === 0) first.reject(error);
      else for (const waiting of batch) await writeBatch([waiting]);
    }
  }

  return {
    commit(job) {
      return new Promise((resolve, reject) => {
        waiting.push({ job, resolve, reject });
        running ??= drain();
      });
    },
    flush: async () => running,
  };
}
