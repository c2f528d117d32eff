import { Piscina } from 'piscina';
import type { Job, Settings } from './index-worker.ts';
import type { Cursor, Hit } from './queries.ts';
import type { Document, Query } from './store.ts';

/** The search index, in a thread of its own that starts when it is first needed. */
export type SearchIndex = {
  index(documents: readonly Document[], cursors: readonly Cursor[]): Promise<void>;
  find(query: Query): Promise<Hit[]>;
  /** How many messages may fit, counted up to `limit`. */
  count(query: Query): Promise<number>;
  /** One step of tidying; resolves to whether there is more to do. @param isFirst begins anew */
  tidy(isFirst: boolean): Promise<boolean>;
  cursors(): Promise<Cursor[]>;
  forget(groupId: number): Promise<void>;
  close(): Promise<void>;
};

/** @param report hears of a thread that failed; searches then fail, and the next one tries again */
export function createSearchIndex(settings: Settings, report: (error: unknown) => void): SearchIndex {
  let pool: Piscina | undefined;
  const run = <Result>(job: Job): Promise<Result> => {
    pool ??= start();
    return pool.run(job);
  };

  function start(): Piscina {
    const started = new Piscina({
      filename: new URL('./index-worker.ts', import.meta.url).href,
      workerData: settings,
      minThreads: 1,
      maxThreads: 1,
      // A thread that waits in its event loop, not in a lock, answers half a millisecond sooner here.
      atomics: 'disabled',
    });
    // An error that nobody hears would end the process.
    started.on('error', report);
    return started;
  }

  return {
    index: (documents, cursors) => run({ kind: 'index', documents, cursors }),
    find: (query) => run({ kind: 'find', query }),
    count: (query) => run({ kind: 'count', query }),
    tidy: (isFirst) => run({ kind: 'tidy', isFirst }),
    cursors: () => run({ kind: 'cursors' }),
    forget: (groupId) => run({ kind: 'forget', groupId }),
    async close() {
      if (!pool) return;
      await run({ kind: 'close' });
      await pool.destroy();
    },
  };
}
