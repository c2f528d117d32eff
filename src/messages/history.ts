import type { OpenGroup } from '../groups/access.ts';
import type { Message } from './message.ts';
import type { MessageStore } from './store.ts';

export const PAGE = 50;

/** A stretch of a group's messages, in order. */
export type Stretch = {
  /** A thread leaves out what stands between its messages. */
  kind: 'conversation' | 'thread';
  messages: readonly Message[];
  /** The one before the first, which says whether the first continues it. */
  previous: Message | undefined;
  hasOlder: boolean;
  hasNewer: boolean;
};

/**
 * The newest 50 messages, the 50 before a seq, or the 50 around one (keyset pagination on the primary key).
 */
export async function readHistory(
  messages: MessageStore,
  { group }: OpenGroup,
  { before, around }: { before?: number | undefined; around?: number | undefined } = {},
): Promise<Stretch> {
  const newest = group.lastSeq;
  const end = around === undefined ? (before ?? newest + 1) : Math.min(newest + 1, around + PAGE / 2 + 1);
  const found =
    end > newest ? await messages.newest(group, PAGE + 1) : await messages.before(group.id, end, PAGE + 1);
  const hasOlder = found.length > PAGE;
  return {
    kind: 'conversation',
    messages: hasOlder ? found.slice(1) : found,
    previous: hasOlder ? found[0] : undefined,
    hasOlder,
    hasNewer: end <= newest,
  };
}
