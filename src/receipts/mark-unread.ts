import type { Publish } from '../bus/bus.ts';
import type { OpenGroup } from '../groups/access.ts';
import { readMoved, unreadChanged } from '../groups/events.ts';
import type { GroupStore } from '../groups/store.ts';
import { messageOf } from '../messages/access.ts';
import type { MessageStore } from '../messages/store.ts';

/** Moves one's mark back to before a message: it and all after it are unread again, in every tab. @throws ChatError 404 */
export async function markUnread(
  { groups, messages, publish }: { groups: GroupStore; messages: MessageStore; publish: Publish },
  open: OpenGroup,
  seq: number,
  now = Date.now(),
): Promise<void> {
  const { account, group } = open;
  await messageOf(messages, open, seq);
  // Of what is no longer kept, nothing is unread.
  const mark = Math.max(seq - 1, group.purgedSeq);
  await groups.moveMark({ accountId: account.id, groupId: group.id, seq: mark, now });
  publish(unreadChanged, { accountId: account.id, groupId: group.id });
  publish(readMoved, { accountId: account.id, groupId: group.id, seq: mark, readAt: now });
}
