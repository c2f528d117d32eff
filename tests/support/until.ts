import { setTimeout as sleep } from 'node:timers/promises';

/** How long a test waits for what is bound to happen: speech has the lowest priority, and the machine may be busy. */
export const PATIENCE_MS = 100_000;
const INTERVAL_MS = 30;

type Truthy<Value> = Exclude<Value, false | 0 | '' | null | undefined>;

/**
 * Asks again and again.
 * @param what is expected, for the error
 * @returns the first answer that is true
 * @throws Error where none is, in `withinMs`
 */
export async function until<Value>(
  ask: () => Value | Promise<Value>,
  what: string | (() => string) = 'It does not become true.',
  withinMs = PATIENCE_MS,
): Promise<Truthy<Value>> {
  // Not `Date`, which a test may have put forward.
  for (const deadline = performance.now() + withinMs; ; await sleep(INTERVAL_MS)) {
    const answer = await ask();
    // Safe cast: the condition is what the type says.
    if (answer) return answer as Truthy<Value>;
    if (performance.now() > deadline) throw new Error(typeof what === 'string' ? what : what());
  }
}
