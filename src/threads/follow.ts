import type { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import { notFound } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { Message } from '../messages/message.ts';
import type { wanted } from '../messages/pin.ts';
import type { MessageStore } from '../messages/store.ts';
import { threadsChanged } from './events.ts';
import type { ThreadStore } from './store.ts';

type Dependencies = { messages: MessageStore; threads: ThreadStore; publish: Publish };

/** The first message of the thread that a message belongs to. @throws ChatError 404 */
export async function threadOf(messages: MessageStore, { group }: OpenGroup, seq: number): Promise<Message> {
  const asked = await messages.bySeq(group.id, seq);
  const first = asked?.thread == null ? asked : await messages.bySeq(group.id, asked.thread);
  if (!first) throw notFound('There is no such message.');
  return first;
}

/** Follows a thread, or leaves it alone: its replies are then no longer marked. @throws ChatError 404 */
export async function followThread(
  { messages, threads, publish }: Dependencies,
  open: OpenGroup,
  seq: number,
  { on }: z.infer<typeof wanted>,
): Promise<void> {
  const first = await threadOf(messages, open, seq);
  const { account, group } = open;
  await threads.follow(account.id, group.id, first.seq, on, group.lastSeq);
  publish(threadsChanged, { accountId: account.id });
}

/** Marks a thread as read up to a reply. @throws ChatError 404 where there is no such message */
export async function markThreadRead(
  { messages, threads, publish }: Dependencies,
  open: OpenGroup,
  seq: number,
  upTo: number,
): Promise<void> {
  const { account, group } = open;
  const first = await threadOf(messages, open, seq);
  if (await threads.markRead(account.id, group.id, first.seq, Math.min(upTo, group.lastSeq)))
    publish(threadsChanged, { accountId: account.id });
}
