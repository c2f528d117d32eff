import type { Publish } from '../bus/bus.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { membershipsChanged, messagesPurged, unreadChanged } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { reportsChanged } from '../messages/events.ts';
import { seqAt } from '../messages/seq-at.ts';
import type { MessageStore } from '../messages/store.ts';
import type { RetentionStore } from './store.ts';

/** Messages of one transaction: others wait for it. */
const MESSAGES_AT_ONCE = 1_000;

export type PurgeDependencies = {
  retention: RetentionStore;
  messages: MessageStore;
  blobs: BlobStore;
  publish: Publish;
};

/** What was removed so far. */
export type Removed = { messages: number; files: number };

/** Removes the messages of a group from before a time. @param isStopped is asked between two transactions */
export async function purgeGroup(
  { retention, messages, blobs, publish }: PurgeDependencies,
  group: Group,
  before: number,
  isStopped: () => boolean,
): Promise<Removed> {
  const removed = { messages: 0, files: 0 };
  const upTo = await lastBefore(messages, group, before);
  for (let first = group.purgedSeq + 1; first <= upTo && !isStopped(); first += MESSAGES_AT_ONCE) {
    const last = Math.min(upTo, first + MESSAGES_AT_ONCE - 1);
    const purged = await retention.purge(group.id, last);
    if (!purged) break;
    publish(messagesPurged, { groupId: group.id, first, last });
    publish(membershipsChanged, { groupId: group.id, accountIds: purged.unreadOf });
    for (const accountId of purged.unreadOf) publish(unreadChanged, { groupId: group.id, accountId });
    for (const id of purged.fileIds) await blobs.remove(id);
    removed.messages += purged.messages;
    removed.files += purged.fileIds.length;
    await new Promise(setImmediate);
  }
  if (removed.messages > 0) publish(reportsChanged, {});
  return removed;
}

/** The newest message from before a time; messages are in order of time. */
async function lastBefore(messages: MessageStore, group: Group, time: number): Promise<number> {
  if (group.lastSeq <= group.purgedSeq) return group.purgedSeq;
  const seq = await seqAt(messages, group, time);
  const message = await messages.bySeq(group.id, seq);
  return message && message.createdAt < time ? seq : seq - 1;
}
