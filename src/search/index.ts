import { Piscina } from 'piscina';
import { unavailable } from '../errors.ts';
import type { Job, Settings } from './index-worker.ts';
import { MAX_READERS } from './postgres-queries.ts';
import type { Claim, Cursor, Hit } from './queries.ts';
import type { Document, Query } from './tokens.ts';

/** The search index, in a thread of its own that starts when it is first needed. */
export type SearchIndex = {
  /** Whether the index is in the database of the messages: restored with them, and written by one process of several. */
  readonly isWithMessages: boolean;
  /** Makes this process the one that writes the index, where there is no other: it has to be, to write. */
  claim(): Promise<Claim>;
  index(documents: readonly Document[], cursors: readonly Cursor[]): Promise<void>;
  find(query: Query): Promise<Hit[]>;
  /** Number of unverified hits, counted up to `limit`. */
  count(query: Query): Promise<number>;
  /** Runs one merge step of the index; resolves to whether there is more to do. @param isFirst starts a new merge */
  tidy(isFirst: boolean): Promise<boolean>;
  cursors(): Promise<Cursor[]>;
  /** Takes a group out of the index, or its messages up to one; where it is with the messages, only those that are gone. */
  forget(groupId: number, upTo?: number): Promise<void>;
  close(): Promise<void>;
};

/** @param report called with errors of the worker; its searches then fail, and the next one tries again */
export function createSearchIndex(settings: Settings, report: (error: unknown) => void): SearchIndex {
  let pool: Piscina | undefined;
  const run = <Result>(job: Job): Promise<Result> => {
    pool ??= start();
    return pool.run(job);
  };
  // Errors of a thread lose what they are: the log says why, and whoever searches that it does not work.
  const ask = <Result>(job: Job): Promise<Result> =>
    run<Result>(job).catch((error) => {
      report(error);
      throw unavailable('The search does not answer. Try again in a moment.');
    });

  function start(): Piscina {
    return new Piscina({
      filename: new URL('./index-worker.ts', import.meta.url).href,
      workerData: settings,
      minThreads: 1,
      maxThreads: 1,
      // Where it waits for PostgreSQL, a search does not wait for what is before it.
      ...(settings.url !== undefined && { concurrentTasksPerWorker: MAX_READERS + 1 }),
      // The worker waits in its event loop instead of in Atomics.wait, and answers half a millisecond sooner.
      atomics: 'disabled',
      // Without a listener, an `error` event would end the process.
    }).on('error', report);
  }

  return {
    isWithMessages: settings.url !== undefined,
    claim: () => run({ kind: 'claim' }),
    index: (documents, cursors) => run({ kind: 'index', documents, cursors }),
    find: (query) => ask({ kind: 'find', query }),
    count: (query) => ask({ kind: 'count', query }),
    tidy: (isFirst) => run({ kind: 'tidy', isFirst }),
    cursors: () => run({ kind: 'cursors' }),
    forget: (groupId, upTo) => run({ kind: 'forget', groupId, ...(upTo !== undefined && { upTo }) }),
    async close() {
      if (!pool) return;
      await run({ kind: 'close' });
      await pool.destroy();
    },
  };
}
