import { join } from 'node:path';
import { promisify } from 'node:util';
import connectSqlite3 from 'connect-sqlite3';
import session from 'express-session';
import { LRUCache } from 'lru-cache';
import sqlite3 from 'sqlite3';

const CACHED_SESSIONS = 20_000;
const TOUCH_EVERY_MS = 5 * 60_000;

export type SessionStore = {
  /** A store for one session middleware: express-session leaves its own cookie's settings on the store that it gets. */
  open(): session.Store;
  close(): Promise<void>;
};

type Callback = (error?: unknown) => void;

/** Sessions in `<data>/sessions.sqlite3`, by connect-sqlite3; expired ones are swept at start and every day. */
export async function openSessionStore(dataDir: string): Promise<SessionStore> {
  const database = new sqlite3.Database(join(dataDir, 'sessions.sqlite3'));
  const exec = promisify<string, void>(database.exec.bind(database));
  await exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000;');
  const Store = connectSqlite3(session);
  // Its types know only of a file name, and of connect's sessions; it takes an open database, which we can close,
  // and is a store of express-session's, which passes itself in.
  const durable = new Store({ db: database as unknown as string }) as unknown as session.Store;
  const close = promisify<void>(database.close.bind(database));
  const cached = new LRUCache<string, string>({ max: CACHED_SESSIONS });
  const touched = new LRUCache<string, number>({ max: CACHED_SESSIONS });
  return { open: () => new CachedSessionStore(durable, cached, touched), close };
}

/**
 * Stands in front of the durable store: reads come from memory, writes go through, a sign-out is forgotten at
 * once, and the mere use of a session is written every few minutes only.
 */
class CachedSessionStore extends session.Store {
  readonly #durable: session.Store;
  // As text: express-session changes the object that it is given.
  readonly #cache: LRUCache<string, string>;
  readonly #touched: LRUCache<string, number>;

  constructor(durable: session.Store, cache: LRUCache<string, string>, touched: LRUCache<string, number>) {
    super();
    this.#durable = durable;
    this.#cache = cache;
    this.#touched = touched;
  }

  override get(id: string, done: (error: unknown, found?: session.SessionData | null) => void): void {
    const cached = this.#cache.get(id);
    if (cached !== undefined) {
      const found: session.SessionData = JSON.parse(cached);
      if (isOver(found)) this.#forget(id);
      return done(null, isOver(found) ? null : found);
    }
    this.#durable.get(id, (error, found) => {
      if (found) this.#cache.set(id, JSON.stringify(found));
      done(error, found ?? null);
    });
  }

  override set(id: string, value: session.SessionData, done?: Callback): void {
    this.#cache.set(id, JSON.stringify(value));
    this.#touched.set(id, Date.now());
    this.#durable.set(id, value, done);
  }

  override destroy(id: string, done?: Callback): void {
    this.#forget(id);
    this.#durable.destroy(id, done);
  }

  override touch(id: string, value: session.SessionData, done?: () => void): void {
    const now = Date.now();
    if (now - (this.#touched.get(id) ?? 0) < TOUCH_EVERY_MS) return done?.();
    this.#touched.set(id, now);
    this.#durable.touch?.(id, value, done);
  }

  #forget(id: string): void {
    this.#cache.delete(id);
    this.#touched.delete(id);
  }
}

function isOver(found: session.SessionData): boolean {
  const { expires } = found.cookie;
  return expires != null && new Date(expires).getTime() <= Date.now();
}
