import type { Group } from '../groups/group.ts';
import type { MessageStore } from './store.ts';

/**
 * Finds the first message written at or after a time, by bisection: a group's messages are ordered by time.
 * @returns its seq, or that of the newest message
 */
export async function seqAt(
  messages: Pick<MessageStore, 'bySeq'>,
  group: Pick<Group, 'id' | 'lastSeq' | 'purgedSeq'>,
  time: number,
): Promise<number> {
  let [low, high] = [group.purgedSeq + 1, group.lastSeq];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await messages.bySeq(group.id, middle);
    if (message && message.createdAt < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
