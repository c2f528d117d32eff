import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Lowers the priority of this process. On Linux it is set per thread: set it for every existing thread; threads that
 * these start inherit it.
 * @param priority from 1 to 19, the lowest
 */
export function lowerPriority(priority: number): void {
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [0];
  for (const thread of threads) setPriority(thread, priority);
}
