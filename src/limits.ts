import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { tooMany } from './errors.ts';
import type { Redis } from './redis.ts';

/**
 * @param name says what is counted; rates of one name share their counters
 * @param points how many in `seconds`
 * @param sentence what is said before "Try again in …"
 */
export type Rate = Readonly<{ name: string; points: number; seconds: number; sentence: string }>;

export type RateLimit = {
  /** Consumes one point. @throws ChatError 429 that says when to try again */
  consume(key: string): Promise<void>;
  /** The same; false where `consume` would throw. */
  tryConsume(key: string): Promise<boolean>;
  /** Returns a point, for limits that only failures count against. */
  refund(key: string): Promise<void>;
  /** How many points of a key are consumed. */
  consumedPoints(key: string): Promise<number>;
  /** Deletes what was counted for a key. */
  reset(key: string): Promise<void>;
};

/** Every counter of rates: of all processes together where there is Redis, else of this one. */
export type Limits = {
  of(rate: Rate): RateLimit;
};

/**
 * @param enabled false counts nothing, for benchmarks on loopback
 * @param redis where all processes count together; while it is away, each counts for itself
 */
export function createLimits(enabled: boolean, redis?: Redis): Limits {
  const limitsByName = new Map<string, { rate: Rate; limit: RateLimit }>();
  return {
    of(rate) {
      const existing = limitsByName.get(rate.name);
      if (existing && existing.rate !== rate) throw new Error(`Two rates have the name ${rate.name}.`);
      if (existing) return existing.limit;
      const limit = enabled ? createRateLimit(rate, redis) : UNLIMITED;
      limitsByName.set(rate.name, { rate, limit });
      return limit;
    },
  };
}

const UNLIMITED: RateLimit = {
  async consume() {},
  tryConsume: async () => true,
  async refund() {},
  consumedPoints: async () => 0,
  async reset() {},
};

function createRateLimit({ name, points, seconds, sentence }: Rate, redis: Redis | undefined): RateLimit {
  const counted = { points, duration: seconds };
  const ofProcess = new RateLimiterMemory({ ...counted, keyPrefix: name });
  const limiter = redis
    ? new RateLimiterRedis({
        ...counted,
        keyPrefix: `${redis.prefix}:rate:${name}`,
        storeClient: redis.client,
        useRedisPackage: true,
        insuranceLimiter: ofProcess,
      })
    : ofProcess;

  /** Consumes a point. Resolves to undefined, or to the milliseconds until one is free if none is left. */
  async function refusedFor(key: string): Promise<number | undefined> {
    try {
      await limiter.consume(counterOf(key));
      return undefined;
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return refusal.msBeforeNext;
      throw refusal;
    }
  }

  return {
    async consume(key) {
      const waitMs = await refusedFor(key);
      if (waitMs !== undefined) throw tooMany(sentence, waitMs / 1000);
    },
    tryConsume: async (key) => (await refusedFor(key)) === undefined,
    async refund(key) {
      await limiter.reward(counterOf(key));
    },
    async consumedPoints(key) {
      return (await limiter.get(counterOf(key)))?.consumedPoints ?? 0;
    },
    async reset(key) {
      await limiter.delete(counterOf(key));
    },
  };
}

/** Whoever has an IPv6 address usually has all of its /64 (RFC 6177): these count together. Other keys stay as they are. */
export function counterOf(key: string): string {
  // What stands for an IPv4 address is one machine.
  if (!isIPv6(key) || /^::ffff:/i.test(key)) return key;
  const [head = '', tail = ''] = new URL(`http://[${key.split('%')[0]}]`).hostname.slice(1, -1).split('::');
  const partsOf = (text: string) => text.split(':').filter(Boolean);
  const [front, back] = [partsOf(head), partsOf(tail)];
  const all = [...front, ...Array(8 - front.length - back.length).fill('0'), ...back];
  return `${all.slice(0, 4).join(':')}::/64`;
}
