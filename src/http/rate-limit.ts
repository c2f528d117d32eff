import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { tooMany } from '../errors.ts';

export type RateLimit = {
  /** Takes one point. @throws ChatError 429 that says when to try again */
  take(key: string): Promise<void>;
  /** Returns a point, for limits that only failures count against. */
  giveBack(key: string): Promise<void>;
  /** How many points of a key are taken. */
  taken(key: string): Promise<number>;
  /** Forgets what was counted for a key. */
  forget(key: string): Promise<void>;
};

/**
 * @param points how many in `seconds`
 * @param sentence what is said before "Try again in …"
 */
export type Rate = { points: number; seconds: number; sentence: string };

/** @param enabled false counts nothing, for benchmarks on loopback */
export function createRateLimit({ points, seconds, sentence }: Rate, enabled: boolean): RateLimit {
  if (!enabled) return { async take() {}, async giveBack() {}, async forget() {}, taken: async () => 0 };
  const limiter = new RateLimiterMemory({ points, duration: seconds });

  return {
    async take(key) {
      try {
        await limiter.consume(key);
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) throw tooMany(sentence, refusal.msBeforeNext / 1000);
        throw refusal;
      }
    },
    async giveBack(key) {
      await limiter.reward(key);
    },
    async taken(key) {
      return (await limiter.get(key))?.consumedPoints ?? 0;
    },
    async forget(key) {
      await limiter.delete(key);
    },
  };
}
