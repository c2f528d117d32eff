import { ignoreHeldOrMissing, type RemoveDependencies, removeWithoutMembership } from '../messages/remove.ts';
import type { Removed } from './purge.ts';
import type { RetentionStore } from './store.ts';

const FILES_AT_ONCE = 50;
/** Nobody has this account: what Hearth removes, nobody removed. */
const NOBODY = 0;

/**
 * Removes the messages with files that were sent first, until so many bytes are free.
 * @param groupId undefined is all groups that are not on hold
 */
export async function removeOldest(
  dependencies: Pick<RemoveDependencies, 'writer' | 'blobs'> & { retention: RetentionStore },
  bytes: number,
  groupId: number | undefined,
  isStopped: () => boolean,
): Promise<Removed> {
  const removed = { messages: 0, files: 0 };
  let left = bytes;
  while (left > 0 && !isStopped()) {
    const before = removed.messages;
    const oldest = await dependencies.retention.oldestWithFiles(groupId, FILES_AT_ONCE);
    for (const message of oldest) {
      if (left <= 0 || isStopped()) break;
      const isGone = await removeWithoutMembership(dependencies, message, {
        ...{ by: { id: NOBODY }, reason: 'Removed to free space', now: Date.now() },
        refuse: () => undefined,
      }).catch(ignoreHeldOrMissing);
      if (!isGone) continue;
      left -= message.bytes;
      removed.messages += 1;
      removed.files += message.files;
    }
    if (oldest.length < FILES_AT_ONCE || removed.messages === before) break;
  }
  return removed;
}
