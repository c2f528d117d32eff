import type { OpenGroup } from '../groups/access.ts';
import type { Message } from './message.ts';
import type { MessageStore } from './store.ts';

export const PAGE_MESSAGES = 50;

/** A page of a group's messages, in order. */
export type MessagePage = {
  /** A thread leaves out what stands between its messages. */
  kind: 'conversation' | 'thread';
  messages: readonly Message[];
  /** The one before the first, which says whether the first continues it. */
  previous: Message | undefined;
  hasOlder: boolean;
  hasNewer: boolean;
};

/** Above so many unread messages the newest page would not show the first of them. */
export const UNREAD_ON_NEWEST = 40;

/**
 * The first message that was written at a time or later, by bisection: messages of a group are in the order of time.
 * @returns its seq, or that of the newest message
 */
export async function seqAt(messages: MessageStore, { group }: OpenGroup, time: number): Promise<number> {
  let [low, high] = [1, group.lastSeq];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const message = await messages.bySeq(group.id, middle);
    if (message && message.createdAt < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The newest 50 messages, the 50 before a seq, or the 50 around one (keyset pagination on the primary key: every number has its message).
 */
export async function readHistory(
  messages: MessageStore,
  { group }: OpenGroup,
  { before, around }: { before?: number | undefined; around?: number | undefined } = {},
): Promise<MessagePage> {
  const newest = group.lastSeq;
  const end = Math.min(
    newest + 1,
    around === undefined ? (before ?? newest + 1) : around + PAGE_MESSAGES / 2 + 1,
  );
  // One more than is shown: whether the first continues it, and whether there is more.
  const fetched = await messages.between(group.id, Math.max(1, end - PAGE_MESSAGES - 1), end - 1);
  const hasOlder = fetched.length > PAGE_MESSAGES;
  return {
    kind: 'conversation',
    messages: hasOlder ? fetched.slice(1) : fetched,
    previous: hasOlder ? fetched[0] : undefined,
    hasOlder,
    hasNewer: end <= newest,
  };
}
