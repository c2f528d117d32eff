import { setTimeout as pause } from 'node:timers/promises';
import type { AccountStore } from '../accounts/store.ts';
import { deterministicUuid } from '../crypto/deterministic-uuid.ts';
import { ChatError } from '../errors.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Message } from '../messages/message.ts';
import { MAX_CHARACTERS } from '../messages/send.ts';
import type { BoundOperation } from '../operations/define.ts';
import { readReply } from './payload.ts';
import type { Webhook } from './webhook.ts';

const TRIES = 3;

type Dependencies = {
  accounts: AccountStore;
  groups: GroupStore;
  /** The operation `send`. */
  send: BoundOperation<OpenGroup>;
};

/** Writes what a program answered to a message, once, however often it was asked. An answer without words is none. */
export async function writeReply(
  { accounts, groups, send }: Dependencies,
  webhook: Webhook,
  { id, seq }: Pick<Message, 'id' | 'seq'>,
  answer: Buffer,
): Promise<void> {
  const text = readReply(answer);
  const bot = await accounts.byId(webhook.accountId);
  if (text === undefined || !bot) return;
  const content = [...text].slice(0, MAX_CHARACTERS).join('');
  const message = { id: replyId(webhook, id), content, replyTo: seq, confirmed: true };
  for (let tries = 1; ; tries++)
    try {
      await send.run(await openGroup(groups, bot, webhook.groupId), message);
      return;
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      // Others cannot be helped, such as a group that was archived meanwhile.
      if (error.retryAfter === undefined || tries === TRIES) return;
      await pause(error.retryAfter * 1_000, undefined, { ref: false });
    }
}

/** Of the answer to a message, so that a second one is the same message. */
function replyId({ id, createdAt }: Webhook, messageId: string): string {
  return deterministicUuid(`webhook ${id} ${createdAt} ${messageId}`);
}
