import { RedisStore } from 'connect-redis';
import session from 'express-session';
import type { Caches, RecentValues } from '../cache/caches.ts';
import { ChatError } from '../errors.ts';
import type { Redis } from '../redis.ts';

/** How many sessions this process could bring back to a Redis that lost them. */
const MAX_KNOWN = 20_000;
/** How long Redis remembers that a session ended: longer than a process could be without it and still have the session. */
const ENDED_FOR_SECONDS = 86_400;

type Callback = (error?: unknown) => void;
type Stored = session.SessionData & { isEnded?: true };

const ENDED = { cookie: {}, isEnded: true } as Stored;

/**
 * Sessions in Redis, which all processes share. While Redis is away, sessions begin and end in this process, and Redis is
 * told once it answers; one that this process has not seen cannot be read. What a Redis that was emptied has lost is
 * brought back by the processes that have seen it. A session that ended is replaced by a note that it did, so that none
 * is brought back.
 */
export class RedisSessions extends session.Store {
  readonly #store: RedisStore;
  /** As JSON. */
  readonly #known: RecentValues<string, string>;
  /** The ids of those that Redis has to be told of. */
  readonly #waiting = new Set<string>();

  constructor({ client, prefix, whenBack }: Redis, caches: Caches) {
    super();
    this.#known = caches.recent<string, string>('sessions for Redis', MAX_KNOWN);
    this.#store = new RedisStore({
      client,
      prefix: `${prefix}:session:`,
      disableTouch: true,
      ttl: (stored: Stored) => secondsLeft(stored),
    });
    whenBack(() => {
      for (const id of this.#waiting) this.#bring(id);
    });
  }

  override get(id: string, done: (error: unknown, found?: session.SessionData | null) => void): void {
    if (this.#waiting.has(id)) return done(null, shown(this.#knownOf(id)));
    this.#store.get(id, (error: unknown, found?: Stored | null) => {
      if (error) return done(away(error));
      if (found) this.#known.set(id, JSON.stringify(found));
      else if (this.#knownOf(id)) this.#bring(id);
      done(null, shown(found ?? this.#knownOf(id)));
    });
  }

  override set(id: string, value: session.SessionData, done: Callback = () => {}): void {
    this.#known.set(id, JSON.stringify(value));
    this.#bring(id, done);
  }

  override destroy(id: string, done: Callback = () => {}): void {
    this.#known.set(id, JSON.stringify(ENDED));
    this.#bring(id, done);
  }

  /** Tells Redis of a session as this process knows it; where that fails, once Redis is back. */
  #bring(id: string, done: Callback = () => {}): void {
    const stored = this.#knownOf(id);
    this.#waiting.add(id);
    if (!stored) return done();
    this.#store.set(id, stored, (error?: unknown) => {
      if (!error) this.#waiting.delete(id);
      done();
    });
  }

  #knownOf(id: string): Stored | undefined {
    const text = this.#known.get(id);
    return text === undefined ? undefined : JSON.parse(text);
  }
}

function secondsLeft({ isEnded, cookie }: Stored): number {
  if (isEnded || !cookie.expires) return ENDED_FOR_SECONDS;
  return Math.ceil((new Date(cookie.expires).getTime() - Date.now()) / 1_000);
}

function shown(stored: Stored | null | undefined): session.SessionData | null {
  return stored && !stored.isEnded && secondsLeft(stored) > 0 ? stored : null;
}

function away(cause: unknown): ChatError {
  const sentence = 'It cannot be seen right now who is signed in. Try again in a moment.';
  const error = new ChatError('unavailable', 503, sentence, undefined, 2);
  error.cause = cause;
  return error;
}
