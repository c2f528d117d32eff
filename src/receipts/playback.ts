import type { Account, AccountStore } from '../accounts/store.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { messageOf } from '../messages/access.ts';
import type { MessageStore } from '../messages/store.ts';
import { spokenIn } from '../recordings/recording.ts';
import { MAX_SEEN_MEMBERS } from './readers.ts';
import type { PlaybackReceiptStore } from './store.ts';

/**
 * Records that an account played a voice message. Nothing is recorded for its author, nor for accounts that hide their
 * receipts.
 * @throws ChatError 404 when the message is not there (any more)
 */
export async function recordPlayback(
  { messages, playbackReceipts }: { messages: MessageStore; playbackReceipts: PlaybackReceiptStore },
  open: OpenGroup,
  seq: number,
  now = Date.now(),
): Promise<void> {
  const { account, group } = open;
  const message = await messageOf(messages, open, seq);
  if (!spokenIn(message.files) || message.authorId === account.id || !account.showsReceipts) return;
  await playbackReceipts.add(group.id, seq, account.id, now);
}

/** Who has played a voice message and lets others know; undefined in groups of more than 50 members. */
export async function listenersOf(
  {
    groups,
    accounts,
    playbackReceipts,
  }: { groups: GroupStore; accounts: AccountStore; playbackReceipts: PlaybackReceiptStore },
  { group }: OpenGroup,
  seq: number,
): Promise<Account[] | undefined> {
  if ((await groups.countMembers(group.id)) > MAX_SEEN_MEMBERS) return undefined;
  const ids = await playbackReceipts.of(group.id, seq, MAX_SEEN_MEMBERS);
  const listeners = await Promise.all(ids.map((id) => accounts.byId(id)));
  return listeners.filter((account): account is Account => account?.showsReceipts === true);
}
