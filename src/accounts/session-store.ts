import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import connectSqlite3 from 'connect-sqlite3';
import session from 'express-session';
import type { Logger } from 'pino';
import sqlite3 from 'sqlite3';
import { type Cached, type Caches, on, type RecentValues } from '../cache/caches.ts';
import { isDamage } from '../database/integrity.ts';
import type { Redis } from '../redis.ts';
import { sessionEnded } from './events.ts';
import { RedisSessions } from './redis-sessions.ts';

const CACHED_SESSIONS = 20_000;
const DAY_MS = 86_400_000;

export type SessionStore = {
  /** @param isListed whether a session is in the list of those of its account */
  open(caches: Caches, isListed: (id: string) => Promise<boolean>): OpenSessionStore;
  close(): Promise<void>;
};

export type OpenSessionStore = {
  /**
   * Creates a store. Each session middleware needs its own, because express-session saves its cookie settings on it.
   */
  openStore(): session.Store;
  /** Ends a session: whatever is under way with it neither reads it nor writes it back. */
  end(id: string): Promise<void>;
  /** A session that is in memory and has not ended. */
  peek(id: string): Identity | undefined;
};

type Identity = Pick<session.SessionData, 'accountId' | 'epoch' | 'renewedOn' | 'startedAt'>;

/** Serialised, because express-session mutates the object that it is given. `expires` is in milliseconds, UTC. */
type Kept = { text: string; expires: number; identity: Identity };

type Callback = (error?: unknown) => void;

/**
 * Sessions in Redis where there is one, else in `<data>/sessions.sqlite3`, by connect-sqlite3; expired ones are swept at
 * start and every day.
 */
export async function openSessionStore(dataDir: string, log: Logger, redis?: Redis): Promise<SessionStore> {
  if (redis)
    return cachedSessions(
      (caches, isListed) => new RedisSessions(redis, caches, isListed),
      async () => {},
      true,
    );
  const file = join(dataDir, 'sessions.sqlite3');
  const database = await openChecked(file).catch((error: Error) => {
    // A full disk, or a file of another user: nothing is wrong with the sessions.
    if ('code' in error && !isDamage(error)) throw Object.assign(error, { path: file });
    const aside = `${file}.damaged-${Date.now()}`;
    log.warn(
      { reason: error.message, aside },
      'the sessions were damaged: they are set aside, and everybody signs in again',
    );
    if (existsSync(file)) renameSync(file, aside);
    for (const ending of ['-wal', '-shm']) rmSync(file + ending, { force: true });
    return openChecked(file);
  });
  reportErrors(database, (err) => log.warn({ err }, 'the sessions could not be swept'));
  const Store = connectSqlite3(session);
  // The types of connect-sqlite3 allow only a file name, and declare a store of connect. In fact it accepts an open
  // database, which we can close, and extends the `Store` of express-session, which we pass in.
  const durable = new Store({ db: database as unknown as string }) as unknown as session.Store;
  return cachedSessions(() => durable, promisify<void>(database.close.bind(database)), false);
}

/**
 * @param open opens the store where they are kept; what of it is read often is kept in memory, too
 * @param isShared whether other processes write to it
 */
function cachedSessions(
  open: (...given: Parameters<SessionStore['open']>) => session.Store,
  close: () => Promise<void>,
  isShared: boolean,
): SessionStore {
  return {
    open(caches, isListed) {
      const durable = open(caches, isListed);
      const ended = caches.recent<string, true>('ended sessions', CACHED_SESSIONS);
      const cached = caches.cached<string, Kept | undefined>({
        name: 'sessions',
        key: (id) => id,
        max: CACHED_SESSIONS,
        load: (id) => load(durable, id),
        isKept: (kept) => kept !== undefined && kept.expires > Date.now(),
        dropOn: [
          on(sessionEnded, ({ sessionId }, cache) => {
            ended.set(sessionId, true);
            cache.drop(sessionId);
            if (durable instanceof RedisSessions) durable.markEnded(sessionId);
          }),
        ],
      });
      const openStore = () => new CachedSessionStore(durable, cached, ended, isShared);
      const ending = openStore();
      return {
        openStore,
        end: promisify(ending.destroy.bind(ending)) as (id: string) => Promise<void>,
        peek(id) {
          const kept = cached.peek(id);
          return kept && kept.expires > Date.now() && !ended.get(id) ? kept.identity : undefined;
        },
      };
    },
    close,
  };
}

function load(durable: session.Store, id: string): Promise<Kept | undefined> {
  return new Promise((resolve, reject) => {
    // After an error, connect-sqlite3 calls back a second time, which changes nothing here.
    durable.get(id, (error, found) => (error ? reject(error) : resolve(found ? keep(found) : undefined)));
  });
}

/** The daily sweep of connect-sqlite3 has no callback: its error, such as that of a full disk, would end the process. */
function reportErrors(database: sqlite3.Database, report: (error: Error) => void): void {
  const run = database.run.bind(database) as (...given: unknown[]) => sqlite3.Database;
  const heard = (error: Error | null) => void (error && report(error));
  database.run = (...given: unknown[]) =>
    typeof given.at(-1) === 'function' ? run(...given) : run(...given, heard);
}

/** @throws Error where the file is damaged or no database */
async function openChecked(file: string): Promise<sqlite3.Database> {
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
 * Caches the durable store: reads come from memory, writes go through, and an ended session is dropped at once. It
 * has no `touch`: use of a session is saved only once a day, when `sessions.ts` renews it. (With `touch`,
 * express-session also sends the last byte of every page separately.)
 */
class CachedSessionStore extends session.Store {
  readonly #durable: session.Store;
  readonly #cache: Cached<string, Kept | undefined>;
  // Ids of ended sessions: a request that began before a sign-out may finish after it, and must neither read the
  // session nor write it back.
  readonly #ended: RecentValues<string, true>;
  readonly #isShared: boolean;

  constructor(
    durable: session.Store,
    cache: Cached<string, Kept | undefined>,
    ended: RecentValues<string, true>,
    isShared: boolean,
  ) {
    super();
    this.#durable = durable;
    this.#cache = cache;
    this.#ended = ended;
    this.#isShared = isShared;
  }

  override get(id: string, done: (error: unknown, found?: session.SessionData | null) => void): void {
    // Another process may have written to the session since: what express-session works on is read anew.
    if (this.#isShared) this.#cache.drop(id);
    const answer = (kept: Kept | undefined) => {
      const isOpen = kept !== undefined && kept.expires > Date.now() && !this.#ended.get(id);
      done(null, isOpen ? JSON.parse(kept.text) : null);
    };
    const kept = this.#cache.peek(id);
    // Answer a cached session synchronously, to save a turn of the event loop.
    if (kept) answer(kept);
    else this.#cache.get(id).then((loaded) => process.nextTick(answer, loaded), done);
  }

  override set(id: string, value: session.SessionData, done?: Callback): void {
    if (this.#ended.get(id)) return done?.();
    this.#cache.put(id, keep(value));
    this.#durable.set(id, value, done);
  }

  override destroy(id: string, done?: Callback): void {
    this.#cache.drop(id);
    this.#ended.set(id, true);
    this.#durable.destroy(id, done);
  }
}

function keep(found: session.SessionData): Kept {
  const { accountId, epoch, renewedOn, startedAt } = found;
  const { expires } = found.cookie;
  return {
    text: JSON.stringify(found),
    identity: { accountId, epoch, renewedOn, startedAt },
    // connect-sqlite3 keeps one that ends with the browser for a day.
    expires: expires == null ? Date.now() + DAY_MS : new Date(expires).getTime(),
  };
}
