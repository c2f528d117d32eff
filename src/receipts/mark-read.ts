import type { Publish } from '../bus/bus.ts';
import { createGroupCommit } from '../database/group-commit.ts';
import type { OpenGroup } from '../groups/access.ts';
import { readMoved, unreadChanged } from '../groups/events.ts';
import type { ReadMark } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';

export type ReadMarks = { commit(mark: ReadMark): Promise<boolean>; flush(): Promise<void> };

/** Writes read marks in batches (group commit), and publishes events for each one that moved. */
export function createReadMarks({ groups, publish }: { groups: GroupStore; publish: Publish }): ReadMarks {
  return createGroupCommit<ReadMark, boolean>(async (marks) => {
    const moved = await groups.markRead(marks);
    marks.forEach(({ accountId, groupId, seq, now }, index) => {
      if (!moved[index]) return;
      publish(unreadChanged, { accountId, groupId });
      publish(readMoved, { accountId, groupId, seq, readAt: now });
    });
    return moved;
  });
}

/** Marks everything up to a seq as read; marks never move back, nor beyond the newest message. */
export async function markRead(
  { marks, groups }: { marks: ReadMarks; groups: GroupStore },
  { group, account, membership }: OpenGroup,
  seq: number,
  now = Date.now(),
): Promise<void> {
  const upTo = Math.min(seq, (await groups.byId(group.id))?.lastSeq ?? group.lastSeq);
  if (upTo > membership.readSeq)
    await marks.commit({ accountId: account.id, groupId: group.id, seq: upTo, now });
}
