import type { Publish } from '../bus/bus.ts';
import { membershipsChanged, unreadChanged } from '../groups/events.ts';
import type { GroupStore } from '../groups/store.ts';
import { mentionsAdded, messageRemoved } from './events.ts';
import type { Message } from './message.ts';
import type { MessageStore } from './store.ts';

/** Maximum number of members to whom a changed count is pushed; others see it on their next page. */
const MAX_NOTIFIED = 5_000;
/** How many messages back an earlier mention is searched for. */
const LOOKED_BACK = 200;

/** Corrects mentions and publishes unread counts after a message was removed or its mentions changed. */
export async function recount(
  { groups, messages, publish }: { groups: GroupStore; messages: MessageStore; publish: Publish },
  before: Message,
  after: Message,
): Promise<void> {
  const { groupId, seq } = after;
  const isRemoved = before.removedAt === null && after.removedAt !== null;
  const added = after.mentions.filter((id) => !before.mentions.includes(id) && id !== after.authorId);
  const callsFewer =
    (before.mentionsAll && !after.mentionsAll) || before.mentions.some((id) => !after.mentions.includes(id));
  if (!isRemoved && !callsFewer && added.length === 0) return;

  if (callsFewer)
    for (const { accountId, readSeq } of await groups.lastMentionedAt(groupId, seq))
      if (!calls(after, accountId))
        await groups.setMention(accountId, groupId, await earlierMention(accountId, readSeq));
  for (const accountId of added) await groups.setMention(accountId, groupId, seq, true);
  publish(membershipsChanged, { groupId });

  for (const accountId of await groups.membersBefore(groupId, seq, MAX_NOTIFIED))
    publish(unreadChanged, { groupId, accountId });
  if (isRemoved) publish(messageRemoved, { groupId, seq, thread: before.thread });
  if (added.length > 0 && !before.mentionsAll) publish(mentionsAdded, { groupId, seq, accountIds: added });

  async function earlierMention(accountId: number, readSeq: number): Promise<number> {
    const earlier = await messages.between(groupId, Math.max(readSeq + 1, seq - LOOKED_BACK), seq - 1);
    return (
      earlier.findLast((message) => message.authorId !== accountId && calls(message, accountId))?.seq ?? 0
    );
  }
}

function calls({ mentions, mentionsAll, removedAt }: Message, accountId: number): boolean {
  return removedAt === null && (mentionsAll || mentions.includes(accountId));
}
