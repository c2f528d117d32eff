import type { Publish } from '../bus/bus.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { membershipsChanged, messagesPurged, unreadChanged } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { reportsChanged } from '../messages/events.ts';
import type { SiteSettings } from '../site-settings/store.ts';
import { threadsChanged } from '../threads/events.ts';
import type { Purged, RetentionStore } from './store.ts';

const DAY_MS = 86_400_000;
/** Messages of one transaction: others wait for it. */
const MESSAGES_AT_ONCE = 1_000;

export type PurgeDependencies = {
  retention: RetentionStore;
  blobs: BlobStore;
  publish: Publish;
};

/** What was removed so far. */
export type Removed = { messages: number; files: number };

/** How many messages are older than they are kept, in how many groups. */
export async function countOlder(
  retention: RetentionStore,
  groups: readonly Group[],
  settings: SiteSettings,
  now = Date.now(),
): Promise<{ messages: number; groups: number }> {
  const older = { messages: 0, groups: 0 };
  for (const group of groups) {
    const before = oldestKept(group, settings, now);
    if (before === undefined) continue;
    const messages = (await retention.lastBefore(group, before)) - group.purgedSeq;
    if (messages <= 0) continue;
    older.messages += messages;
    older.groups += 1;
  }
  return older;
}

/** The time before which messages of a group are not kept; undefined where all are. */
export function oldestKept(group: Group, settings: SiteSettings, now: number): number | undefined {
  const days = group.keepDays ?? Number(settings.keepDays ?? 0);
  return group.heldAt === null && days > 0 ? now - days * DAY_MS : undefined;
}

/** Removes the messages of a group from before a time. @param isStopped is asked between two transactions */
export async function purgeGroup(
  { retention, blobs, publish }: PurgeDependencies,
  group: Group,
  before: number,
  isStopped: () => boolean,
): Promise<Removed> {
  const removed = { messages: 0, files: 0 };
  const upTo = await retention.lastBefore(group, before);
  // What stayed before because of an answer or a report may go by now.
  const isLeft = upTo <= group.purgedSeq && (await retention.hasLeft(group));
  let first = isLeft ? group.purgedSeq : group.purgedSeq + 1;
  for (; first <= Math.max(upTo, isLeft ? group.purgedSeq : 0) && !isStopped(); first += MESSAGES_AT_ONCE) {
    const last = Math.max(group.purgedSeq, Math.min(upTo, first + MESSAGES_AT_ONCE - 1));
    const purged = await retention.purge(group.id, last);
    if (!purged) break;
    // Also where only first messages of threads are concerned: they stay, but not in the conversation.
    if (purged.messages > 0 || last > group.purgedSeq)
      tell(publish, { groupId: group.id, first: purged.firstSeq, last }, purged);
    for (const id of purged.fileIds) await blobs.remove(id);
    removed.messages += purged.messages;
    removed.files += purged.fileIds.length;
    await new Promise(setImmediate);
  }
  if (removed.messages > 0) publish(reportsChanged, {});
  return removed;
}

function tell(
  publish: Publish,
  which: { groupId: number; first: number; last: number },
  { unreadOf, followers }: Purged,
): void {
  const { groupId } = which;
  publish(messagesPurged, which);
  publish(membershipsChanged, { groupId, accountIds: unreadOf });
  for (const accountId of unreadOf) publish(unreadChanged, { groupId, accountId });
  // Unread replies were among what is gone, too.
  for (const accountId of new Set([...followers, ...unreadOf])) publish(threadsChanged, { accountId });
}
