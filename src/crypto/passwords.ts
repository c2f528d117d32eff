import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { PasswordJob } from './password-worker.ts';

/** Hashes passwords in worker threads: bcrypt of their SHA-256, so that every character of a long password counts. */
export type Passwords = {
  hash(password: string): Promise<string>;
  /** @param hash undefined where there is no such account: takes as long as a wrong password, and is false */
  matches(password: string, hash: string | undefined): Promise<boolean>;
  /** Whether a hash has another work factor than new ones. */
  isOutdated(hash: string): boolean;
  /** Whether it is among the 49,000 most common ones (the list of zxcvbn-ts), without regard to case. */
  isCommon(password: string): Promise<boolean>;
  close(): Promise<void>;
};

/**
 * Uses one worker fewer than there are processors (at least 1, at most 4), so that many sign-ins at once leave a
 * processor to the event loop.
 * @param cost bcrypt's work factor for new hashes, 4 to 31; each step doubles the time
 * @param report called with errors of workers that do not start
 */
export function createPasswords(cost: number, report: (error: unknown) => void = console.error): Passwords {
  /** Compared when the name is unknown, so that both answers take the same time: a hash of no password. */
  const unknownAccountHash = `$2b$${String(cost).padStart(2, '0')}$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`;
  const pool = new Piscina({
    filename: new URL('./password-worker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: Math.max(1, Math.min(4, availableParallelism() - 1)),
    idleTimeout: 60_000,
    maxQueue: 1_000,
    // Without a listener, an `error` event would end the process.
  }).on('error', report);
  const run = <Result>(job: PasswordJob): Promise<Result> => pool.run(job);

  return {
    hash: (password) => run<string>({ kind: 'hash', password, cost }),
    async matches(password, hash) {
      const same = await run<boolean>({ kind: 'compare', password, hash: hash || unknownAccountHash });
      // Bots and people of imports have no password: an empty one.
      return same && Boolean(hash);
    },
    // $2b$12$…: loading bcryptjs in this thread for its getRounds would delay each start.
    isOutdated: (hash) => Number(hash.split('$')[2]) !== cost,
    isCommon: (password) => run<boolean>({ kind: 'common', password }),
    close: () => pool.destroy(),
  };
}
