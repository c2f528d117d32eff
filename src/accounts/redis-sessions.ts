import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { type Cached, type Caches, on, type RecentValues } from '../cache/caches.ts';
import { unavailable } from '../errors.ts';
import type { Redis } from '../redis.ts';
import { sessionEnded } from './events.ts';

/** How many sessions this process could bring back to a Redis that lost them. */
const MAX_KNOWN = 20_000;
/** How long Redis remembers that a session ended: longer than any session lasts without use. */
const ENDED_FOR_SECONDS = 100 * 86_400;
const DAY_SECONDS = 86_400;

type Callback = (error?: unknown) => void;
/** Whether a session is in the list of those of its account. */
type IsListed = (id: string) => Promise<boolean>;

/**
 * Sessions in Redis, which all processes share. While Redis is away, sessions begin and end in this process, and Redis is
 * told once it answers; one that this process has not seen cannot be read. What a Redis that was emptied has lost is
 * brought back at once by the processes that have seen it. That a session ended is kept under a name of its own, which nothing
 * writes over: neither a request that began before it nor a process that was cut off brings it back. A process that ended
 * before it could tell Redis leaves a session that is in no list of its account: what this process has not read since it
 * began, or since Redis was away, is looked for there.
 */
export class RedisSessions extends session.Store {
  readonly #client: Redis['client'];
  readonly #prefix: string;
  readonly #store: RedisStore;
  /** Those that were in the list when they were read first; asked again after events were missed. */
  readonly #listed: Cached<string, boolean>;
  /** What this process has seen of a session, as JSON; `ended` for one that ended here. */
  readonly #known: RecentValues<string, string>;
  /** The ids of those that Redis has to be told of. */
  readonly #waiting = new Set<string>();

  constructor({ client, prefix, whenBack }: Redis, caches: Caches, isListed: IsListed) {
    super();
    this.#listed = caches.cached<string, boolean>({
      name: 'listed sessions',
      key: (id) => id,
      max: MAX_KNOWN,
      load: isListed,
      isKept: (isThere) => isThere,
      dropOn: [on(sessionEnded, ({ sessionId }, cache) => cache.drop(sessionId))],
    });
    this.#client = client;
    this.#prefix = `${prefix}:session:`;
    this.#known = caches.recent<string, string>('sessions for Redis', MAX_KNOWN);
    this.#store = new RedisStore({ client, prefix: this.#prefix, disableTouch: true, ttl: secondsLeft });
    whenBack(() => {
      for (const id of this.#waiting) this.#tell(id);
      void this.#bringBack();
    });
  }

  /** A session ended elsewhere: this process does not bring it back. */
  markEnded(id: string): void {
    this.#known.set(id, ENDED);
  }

  /** Reads all that this process has seen, which brings back what a Redis that was emptied has lost. */
  async #bringBack(): Promise<void> {
    for (const id of this.#known.keys())
      if (this.#knownOf(id) && !this.#waiting.has(id))
        // Where Redis is away again, the next time.
        await this.#read(id).catch(() => {});
  }

  override get(id: string, done: (error: unknown, found?: session.SessionData | null) => void): void {
    if (this.#waiting.has(id)) return done(null, this.#knownOf(id));
    this.#read(id)
      .catch((error) => this.#withoutRedis(id, error))
      .then(
        (found) => process.nextTick(done, null, found),
        (error) => process.nextTick(done, error),
      );
  }

  /** While Redis is away, what this process has seen of a session counts, as long as its account lists it. */
  async #withoutRedis(id: string, error: unknown): Promise<session.SessionData | null> {
    const known = this.#knownOf(id);
    if (!known && this.#known.get(id) !== ENDED) throw away(error);
    return known && (await this.#isInForce(id, known)) ? known : null;
  }

  override set(id: string, value: session.SessionData, done: Callback = () => {}): void {
    if (this.#known.get(id) === ENDED) return done();
    this.#known.set(id, JSON.stringify(value));
    this.#tell(id, done);
  }

  override destroy(id: string, done: Callback = () => {}): void {
    this.#known.set(id, ENDED);
    this.#tell(id, done);
  }

  async #read(id: string): Promise<session.SessionData | null> {
    const [stored, ended] = await this.#client.mGet([this.#prefix + id, this.#endOf(id)]);
    if (ended !== null) {
      this.#known.set(id, ENDED);
      return null;
    }
    const found = stored ? (JSON.parse(stored) as session.SessionData) : this.#knownOf(id);
    if (found && !(await this.#isInForce(id, found))) {
      this.#known.set(id, ENDED);
      this.#tell(id);
      return null;
    }
    // It ended or changed here since Redis was asked.
    if (this.#waiting.has(id) || this.#known.get(id) === ENDED) return this.#knownOf(id);
    if (stored) this.#known.set(id, stored);
    else if (found)
      await this.#client.set(this.#prefix + id, JSON.stringify(found), {
        condition: 'NX',
        expiration: { type: 'EX', value: secondsLeft(found) },
      });
    return found;
  }

  async #isInForce(id: string, { accountId }: session.SessionData): Promise<boolean> {
    // A sign-in that is not done yet is in no list.
    return accountId === undefined || (await this.#listed.get(id));
  }

  /** Tells Redis of a session as this process knows it; where that fails, once Redis is back. */
  #tell(id: string, done: Callback = () => {}): void {
    this.#waiting.add(id);
    this.#write(id).then(
      () => {
        this.#waiting.delete(id);
        done();
      },
      () => done(),
    );
  }

  async #write(id: string): Promise<void> {
    if (this.#known.get(id) === ENDED) {
      await this.#client.set(this.#endOf(id), '1', { expiration: { type: 'EX', value: ENDED_FOR_SECONDS } });
      await this.#client.del(this.#prefix + id);
      return;
    }
    const known = this.#knownOf(id);
    if (!known) return;
    await new Promise<void>((resolve, reject) => {
      this.#store.set(id, known, (error?: unknown) => (error ? reject(error) : resolve()));
    });
  }

  #endOf(id: string): string {
    return `${this.#prefix}ended:${id}`;
  }

  /** Null for one that ended or ran out, or that this process has not seen. */
  #knownOf(id: string): session.SessionData | null {
    const text = this.#known.get(id);
    if (text === undefined || text === ENDED) return null;
    const known: session.SessionData = JSON.parse(text);
    return secondsLeft(known) > 0 ? known : null;
  }
}

const ENDED = 'ended';

function secondsLeft({ cookie }: session.SessionData): number {
  if (!cookie.expires) return DAY_SECONDS;
  return Math.ceil((new Date(cookie.expires).getTime() - Date.now()) / 1_000);
}

const away = (cause: unknown) =>
  unavailable('It cannot be seen right now who is signed in. Try again in a moment.', cause);
