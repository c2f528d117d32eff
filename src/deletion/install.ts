import type { SignInLinkStore } from '../accounts/link-store.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { ExportStore } from '../exports/store.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { FileStore } from '../files/store.ts';
import type { GroupStore } from '../groups/store.ts';
import type { InboxStore } from '../inbox/store.ts';
import type { InvitationStore } from '../invitations/store.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import type { AccountDeletionStore, MessagesChoice } from './account-store.ts';
import type { ChatDeletionStore } from './chat-store.ts';
import { deleteAccount } from './delete-account.ts';
import { deletionRoutes } from './routes.ts';
import { DeletionWork } from './work.ts';

/** Deletes accounts and groups with what they take along. */
export function installDeletion(
  context: Context & {
    accounts: AccountStore;
    peopleStore: PeopleStore;
    accountDeletions: AccountDeletionStore;
    chatDeletions: ChatDeletionStore;
    invitations: InvitationStore;
    inbox: InboxStore;
    exports: ExportStore;
    audit: AuditStore;
    signInLinks: SignInLinkStore;
    groups: GroupStore;
    everyGroup: GroupStore;
    messages: MessageStore;
    files: FileStore;
    blobs: BlobStore;
    writer: MessageWriter;
    passwords: Passwords;
  },
) {
  const work = new DeletionWork({ ...context, groups: context.everyGroup });
  context.atStop(() => work.stop());
  const dependencies = { ...context, begin: () => work.begin() };
  // What the process before this one did not finish.
  work.begin();
  return {
    deletionRoutes: deletionRoutes(dependencies),
    deleteAccount: (account: Account, messages: MessagesChoice) =>
      deleteAccount(dependencies, account, { messages }),
  };
}
