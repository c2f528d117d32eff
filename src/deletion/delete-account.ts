import { z } from 'zod';
import { accountChanged, sessionsEnded } from '../accounts/events.ts';
import type { SignInLinkStore } from '../accounts/link-store.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError } from '../errors.ts';
import type { InvitationStore } from '../invitations/store.ts';
import type { AccountDeletionStore } from './account-store.ts';

export const accountDeletionForm = z.object({
  messages: z.enum(['keep', 'remove'], 'Choose what becomes of the messages.'),
});

export type DeleteAccountDependencies = {
  peopleStore: PeopleStore;
  accountDeletions: AccountDeletionStore;
  invitations: InvitationStore;
  signInLinks: SignInLinkStore;
  audit: AuditStore;
  publish: Publish;
  /** Begins the work in the background. */
  begin(): void;
};

/**
 * Begins to delete an account. It is signed out everywhere and cannot sign in when this resolves; what it has is
 * removed in the background.
 * @returns the token of the page that shows how far it is
 * @throws ChatError 409 for the last administrator, and for an account that is being deleted
 */
export async function deleteAccount(
  {
    peopleStore,
    accountDeletions,
    invitations,
    signInLinks,
    audit,
    publish,
    begin,
  }: DeleteAccountDependencies,
  account: Account,
  { messages }: z.infer<typeof accountDeletionForm>,
  now = Date.now(),
): Promise<string> {
  if (account.isAdmin && !(await peopleStore.removeAdmin(account.id)))
    throw new ChatError(
      'last_admin',
      409,
      'This is the last administrator. Make somebody else one before you delete the account.',
    );
  const isSuspended = account.suspendedAt !== null || (await peopleStore.suspend(account.id, now));
  const token = isSuspended ? await accountDeletions.add(account.id, messages, now) : undefined;
  if (!token)
    throw new ChatError('conflict', 409, 'This account is being deleted already, or has changed. Try again.');
  if (account.isAdmin) {
    const details = { person: account.username, personId: String(account.id) };
    await audit.add({ at: now, actorId: account.id, action: 'delete-own-account', details });
  }
  publish(sessionsEnded, { accountId: account.id });
  publish(accountChanged, { accountId: account.id });
  await signInLinks.removeAllOf(account.id);
  await invitations.revokeAllOf(account.id, now);
  begin();
  return token;
}
