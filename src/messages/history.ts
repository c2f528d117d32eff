import type { OpenGroup } from '../groups/access.ts';
import type { Message } from './message.ts';
import type { MessageStore } from './store.ts';

export const PAGE_MESSAGES = 50;

/** A page of a group's messages, in order. */
export type MessagePage = {
  /** The messages of a `thread` page are not consecutive in the group. */
  kind: 'conversation' | 'thread';
  messages: readonly Message[];
  /** The message before the first one; decides whether the first is rendered as its continuation. */
  previous: Message | undefined;
  hasOlder: boolean;
  hasNewer: boolean;
};

/** With more unread messages than this, the newest page might not contain the first unread one. */
export const UNREAD_ON_NEWEST = 40;

/**
 * Reads the newest 50 messages, the 50 before a seq, or the 50 around one. Keyset pagination on the primary key; seqs
 * have no gaps after `purgedSeq`, and before it nothing is looked for.
 */
export async function readHistory(
  messages: MessageStore,
  { group }: OpenGroup,
  { before, around }: { before?: number | undefined; around?: number | undefined } = {},
): Promise<MessagePage> {
  const newest = group.lastSeq;
  const end = Math.min(
    newest + 1,
    around === undefined
      ? (before ?? newest + 1)
      : Math.max(around, group.purgedSeq + 1) + PAGE_MESSAGES / 2 + 1,
  );
  // Fetch one more than is shown: it becomes `previous`, and tells whether there are older messages.
  const fetched = await messages.between(
    group.id,
    Math.max(group.purgedSeq + 1, end - PAGE_MESSAGES - 1),
    end - 1,
  );
  const hasOlder = fetched.length > PAGE_MESSAGES;
  return {
    kind: 'conversation',
    messages: hasOlder ? fetched.slice(1) : fetched,
    previous: hasOlder ? fetched[0] : undefined,
    hasOlder,
    hasNewer: end <= newest,
  };
}
