import type { Account, AccountStore } from '../accounts/store.ts';
import type { Group } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Message } from '../messages/message.ts';

/** Receipts are shown in groups of at most this many members. */
export const MAX_SEEN_MEMBERS = 50;

/**
 * The members who have read a message, without its author, without members who hide their receipts, and without bots.
 * @returns undefined in groups of more than 50 members
 */
export async function readersOf(
  { groups, accounts }: { groups: GroupStore; accounts: AccountStore },
  group: Pick<Group, 'id'>,
  { seq, authorId }: Pick<Message, 'seq' | 'authorId'>,
): Promise<Account[] | undefined> {
  if ((await groups.countMembers(group.id)) > MAX_SEEN_MEMBERS) return undefined;
  const marks = await groups.marksOf(group.id, MAX_SEEN_MEMBERS);
  const readers = marks.filter((mark) => mark.readSeq >= seq && mark.accountId !== authorId);
  const accountsOrNone = await Promise.all(readers.map((mark) => accounts.byId(mark.accountId)));
  return accountsOrNone.filter(
    (account): account is Account => account?.showsReceipts === true && !account.isBot,
  );
}
