import type { Group } from '../groups/group.ts';
import type { MessageOrderStore } from './order-store.ts';
import type { MessageStore } from './store.ts';

/**
 * Finds the first message written at or after a time. What was brought in from elsewhere is looked through; after that, a
 * group's messages are ordered by time, and it is found by bisection.
 * @returns its seq, or that of the newest message
 */
export async function seqAt(
  messages: Pick<MessageStore, 'bySeq'>,
  messageOrder: Pick<MessageOrderStore, 'importedUpTo' | 'firstSince'>,
  group: Pick<Group, 'id' | 'lastSeq' | 'purgedSeq'>,
  time: number,
): Promise<number> {
  const imported = await messageOrder.importedUpTo(group.id);
  const range = { after: group.purgedSeq, upTo: imported };
  const older = imported > group.purgedSeq ? await messageOrder.firstSince(group.id, range, time) : undefined;
  let [low, high] = [Math.max(group.purgedSeq, imported) + 1, group.lastSeq];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await messages.bySeq(group.id, middle);
    if (message && message.createdAt < time) low = middle + 1;
    else high = middle;
  }
  if (!older) return Math.min(low, Math.max(group.lastSeq, 1));
  const newer = await messages.bySeq(group.id, low);
  const isNewerFirst = newer !== undefined && newer.createdAt >= time && newer.createdAt < older.createdAt;
  return isNewerFirst ? low : older.seq;
}
