import { notFound } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { Message } from './message.ts';
import type { MessageStore } from './store.ts';

/** The message with this number in a group that is open. @throws ChatError 404 where there is none, or it was removed */
export async function messageOf(messages: MessageStore, { group }: OpenGroup, seq: number): Promise<Message> {
  const message = await messages.bySeq(group.id, seq);
  if (!message) throw notFound('There is no such message.');
  if (message.removedAt !== null) throw notFound('This message was removed.');
  return message;
}

/** The same for one that is answered: the first message of a thread is also where it was removed and has answers. */
export async function answeredMessage(
  messages: MessageStore,
  open: OpenGroup,
  seq: number,
): Promise<Message> {
  const message = await messages.bySeq(open.group.id, seq);
  return message && message.replyCount > 0 ? message : messageOf(messages, open, seq);
}
