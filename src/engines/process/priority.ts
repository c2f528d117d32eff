import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Lowers the priority of this process. On Linux it is set per thread: set it for every existing thread; threads that
 * these start inherit it. Where that is not allowed, the priority stays.
 * @param priority from 1 to 19, the lowest
 */
export function lowerPriority(priority: number): void {
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [0];
  try {
    for (const thread of threads) setPriority(thread, priority);
  } catch {
    // It may be forbidden, as by a filter of system calls. The work gets done all the same.
  }
}
