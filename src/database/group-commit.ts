import { ChatError } from '../errors.ts';
import { currentRequestId, withRequestId } from '../request-id.ts';

/** Maximum number of event-loop turns that one batch gathers, so that a steady stream is committed, too. */
const MAX_GATHERING_TURNS = 8;

/**
 * Commits jobs in batches, one batch after another. A batch gathers jobs until a turn of the event loop brings no new
 * one, so batches grow under load, and a single job is written after one turn. (Group commit: DeWitt et al.,
 * "Implementation techniques for main memory database systems", SIGMOD 1984.)
 *
 * @param write commits jobs in one transaction and resolves to a result for each, in order; a result that is an Error
 *   rejects only its own job
 * @param split divides a batch into parts that are committed separately; a failing part does not undo earlier ones
 */
export function createGroupCommit<Job, Result>(
  write: (jobs: readonly Job[]) => Promise<ReadonlyArray<Result | Error>>,
  split: (jobs: readonly Job[]) => ReadonlyArray<readonly Job[]> = (jobs) => [jobs],
): { commit(job: Job): Promise<Result>; flush(): Promise<void> } {
  type Waiting = {
    job: Job;
    requestId: string | undefined;
    resolve(result: Result): void;
    reject(error: unknown): void;
  };
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    do {
      await gathered();
      const batch = waiting;
      waiting = [];
      let at = 0;
      for (const part of split(batch.map((waiting) => waiting.job))) {
        const jobs = batch.slice(at, at + part.length);
        await withRequestId(commonId(jobs), () => writeBatch(jobs));
        at += part.length;
      }
    } while (waiting.length > 0);
    running = undefined;
  }

  /**
   * Resolves after the first turn that brings no new job: a single job is not delayed, a burst is written together.
   */
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
      // None of the jobs is at fault where the database is away.
      if (error instanceof ChatError && error.status === 503) {
        for (const waiting of batch) waiting.reject(error);
        return;
      }
      // The whole transaction was rolled back. Retry each job alone, so that only the faulty ones fail.
      const [first, ...rest] = batch;
      if (first && rest.length === 0) first.reject(error);
      else for (const waiting of batch) await writeBatch([waiting]);
    }
  }

  return {
    commit(job) {
      return new Promise((resolve, reject) => {
        waiting.push({ job, requestId: currentRequestId(), resolve, reject });
        running ??= drain();
      });
    },
    flush: async () => running,
  };
}

/** What one request has caused; nobody's where there are several. */
function commonId(jobs: readonly { requestId: string | undefined }[]): string | undefined {
  const [first] = jobs;
  return jobs.every(({ requestId }) => requestId === first?.requestId) ? first?.requestId : undefined;
}
