import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import connectSqlite3 from 'connect-sqlite3';
import session from 'express-session';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import sqlite3 from 'sqlite3';

const CACHED_SESSIONS = 20_000;

export type SessionStore = {
  /** A store for one session middleware: express-session leaves its own cookie's settings on the store that it gets. */
  open(): session.Store;
  close(): Promise<void>;
};

/** As text: express-session changes the object that it is given. `expires` is in milliseconds, UTC. */
type Kept = { text: string; expires: number };

type Callback = (error?: unknown) => void;

/** Sessions in `<data>/sessions.sqlite3`, by connect-sqlite3; expired ones are swept at start and every day. */
export async function openSessionStore(dataDir: string, log: Logger): Promise<SessionStore> {
  const file = join(dataDir, 'sessions.sqlite3');
  const database = await openSound(file).catch((error: Error) => {
    const aside = `${file}.damaged-${Date.now()}`;
    log.warn(
      { reason: error.message, aside },
      'the sessions were damaged: they are set aside, and everybody signs in again',
    );
    if (existsSync(file)) renameSync(file, aside);
    for (const ending of ['-wal', '-shm']) rmSync(file + ending, { force: true });
    return openSound(file);
  });
  const Store = connectSqlite3(session);
  // Its types know only of a file name, and of connect's sessions; it takes an open database, which we can close,
  // and is a store of express-session's, which passes itself in.
  const durable = new Store({ db: database as unknown as string }) as unknown as session.Store;
  const close = promisify<void>(database.close.bind(database));
  const cached = new LRUCache<string, Kept>({ max: CACHED_SESSIONS });
  const ended = new LRUCache<string, true>({ max: CACHED_SESSIONS });
  return { open: () => new CachedSessionStore(durable, cached, ended), close };
}

/** @throws Error where the file is damaged or no database */
async function openSound(file: string): Promise<sqlite3.Database> {
  const database = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new sqlite3.Database(file, (error) => (error ? reject(error) : resolve(opened)));
  });
  try {
    const exec = promisify<string, void>(database.exec.bind(database));
    await exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
    const get = promisify<string, Record<string, string>>(database.get.bind(database));
    const [result] = Object.values(await get('PRAGMA quick_check(1)'));
    if (result !== 'ok') throw new Error(result);
    return database;
  } catch (error) {
    await promisify<void>(database.close.bind(database))();
    throw error;
  }
}

/**
 * Stands in front of the durable store: reads come from memory, writes go through, and a sign-out is forgotten at
 * once. It has no `touch`: the mere use of a session is written once a day, when `sessions.ts` renews it. (With one,
 * express-session also sends the last byte of every page by itself.)
 */
class CachedSessionStore extends session.Store {
  readonly #durable: session.Store;
  readonly #cache: LRUCache<string, Kept>;
  // A request that began before a sign-out may end after it: what has ended is neither read nor written again.
  readonly #ended: LRUCache<string, true>;

  constructor(durable: session.Store, cache: LRUCache<string, Kept>, ended: LRUCache<string, true>) {
    super();
    this.#durable = durable;
    this.#cache = cache;
    this.#ended = ended;
  }

  override get(id: string, done: (error: unknown, found?: session.SessionData | null) => void): void {
    const cached = this.#cache.get(id);
    if (cached !== undefined) {
      if (cached.expires > Date.now()) return done(null, JSON.parse(cached.text));
      this.#forget(id);
      return done(null, null);
    }
    let isAnswered = false;
    this.#durable.get(id, (error, found) => {
      // After an error, connect-sqlite3 calls back a second time.
      if (isAnswered) return;
      isAnswered = true;
      if (!found || this.#ended.has(id)) return done(error, null);
      this.#cache.set(id, keep(found));
      done(null, found);
    });
  }

  override set(id: string, value: session.SessionData, done?: Callback): void {
    if (this.#ended.has(id)) return done?.();
    this.#cache.set(id, keep(value));
    this.#durable.set(id, value, done);
  }

  override destroy(id: string, done?: Callback): void {
    this.#forget(id);
    this.#ended.set(id, true);
    this.#durable.destroy(id, done);
  }

  #forget(id: string): void {
    this.#cache.delete(id);
  }
}

function keep(found: session.SessionData): Kept {
  const { expires } = found.cookie;
  return {
    text: JSON.stringify(found),
    expires: expires == null ? Number.POSITIVE_INFINITY : new Date(expires).getTime(),
  };
}
