import { CachedAccountStore } from './accounts/cached.ts';
import { EmailStore } from './accounts/email-store.ts';
import { SignInLinkStore } from './accounts/link-store.ts';
import { PeopleStore } from './accounts/people-store.ts';
import { SessionListStore } from './accounts/session-list-store.ts';
import { AccountStore } from './accounts/store.ts';
import { AuditStore } from './audit/store.ts';
import { SavedStore } from './bookmarks/store.ts';
import { DeliveryStore } from './bots/delivery-store.ts';
import { WebhookStore } from './bots/webhook-store.ts';
import type { Caches } from './cache/caches.ts';
import { createBlindIndex } from './crypto/blind-index.ts';
import type { Keyring } from './crypto/keys.ts';
import type { Databases } from './database/open.ts';
import { createSealer } from './database/sealed-columns.ts';
import { secretOf } from './database/sealing.ts';
import { AccountDeletionStore } from './deletion/account-store.ts';
import { ChatDeletionStore } from './deletion/chat-store.ts';
import { CachedDraftStore } from './drafts/cached.ts';
import { DraftStore } from './drafts/store.ts';
import { ExportStore } from './exports/store.ts';
import { FileStore } from './files/store.ts';
import { CachedGroupStore } from './groups/cached.ts';
import { JoinRequestStore } from './groups/join-request-store.ts';
import { GroupStore } from './groups/store.ts';
import { ImportStore } from './imports/store.ts';
import { InboxStore } from './inbox/store.ts';
import { InvitationStore } from './invitations/store.ts';
import { CachedMessageStore } from './messages/cached.ts';
import { MessageOrderStore } from './messages/order-store.ts';
import { MessageStore } from './messages/store.ts';
import { NotificationClaimStore } from './notifications/claim-store.ts';
import { DeviceStore } from './notifications/store.ts';
import { LinkImageStore } from './previews/store.ts';
import { PlaybackReceiptStore } from './receipts/store.ts';
import { ReportStore } from './reports/store.ts';
import { RetentionStore } from './retention/store.ts';
import { PasskeyStore } from './second-factors/passkey-store.ts';
import { SecondFactorStore } from './second-factors/store.ts';
import { CachedSiteSettingsStore } from './site-settings/cached.ts';
import { SiteSettingsStore } from './site-settings/store.ts';
import { ThreadStore } from './threads/store.ts';
import { TokenStore } from './tokens/store.ts';
import { TranscriptionStore } from './voice/store.ts';

type StoredDatabases = Pick<Databases, 'users' | 'chat'>;

/** What is stored, opened with the keys that fit it. Nothing here keeps anything in memory. */
export async function openStores(databases: StoredDatabases, keyring: Keyring) {
  const opened = await open(databases, keyring);
  const { users, chat, sealer, usersIndex, chatIndex } = opened;
  return {
    ...uncached(opened),
    accounts: new AccountStore(users, sealer, usersIndex),
    groups: new GroupStore(chat, sealer, chatIndex),
    messages: new MessageStore(chat, sealer),
    drafts: new DraftStore(chat, sealer),
    siteSettings: new SiteSettingsStore(users),
  };
}

export type Stores = Awaited<ReturnType<typeof openStores>>;

/**
 * The same stores, with caches of what is read often; events invalidate the entries.
 * @param inboxOnly whether there is nothing but private lines to the administrators
 */
export async function openCachedStores(
  databases: StoredDatabases,
  keyring: Keyring,
  caches: Caches,
  inboxOnly: boolean,
): Promise<Stores> {
  const opened = await open(databases, keyring);
  const { users, chat, sealer, usersIndex, chatIndex } = opened;
  return {
    ...uncached(opened),
    accounts: new CachedAccountStore(users, sealer, usersIndex, caches, inboxOnly),
    groups: new CachedGroupStore(chat, sealer, chatIndex, caches, inboxOnly),
    messages: new CachedMessageStore(chat, sealer, caches),
    drafts: new CachedDraftStore(chat, sealer, caches),
    siteSettings: new CachedSiteSettingsStore(users, caches),
    reports: new ReportStore(chat, sealer, inboxOnly),
  };
}

/** The stores that have no cached form. */
function uncached({
  users,
  chat,
  sealer,
  usersIndex,
  chatIndex,
  auditKey,
}: Awaited<ReturnType<typeof open>>) {
  return {
    messageOrder: new MessageOrderStore(chat),
    /** Also those that INBOX_ONLY hides: what is kept, exported and deleted does not depend on it. */
    everyGroup: new GroupStore(chat, sealer, chatIndex),
    files: new FileStore(chat, sealer),
    webhooks: new WebhookStore(chat, sealer, chatIndex),
    deliveries: new DeliveryStore(chat),
    linkImages: new LinkImageStore(chat, sealer),
    imports: new ImportStore(chat, sealer),
    threads: new ThreadStore(chat),
    saved: new SavedStore(chat),
    reports: new ReportStore(chat, sealer),
    joinRequests: new JoinRequestStore(chat),
    playbackReceipts: new PlaybackReceiptStore(chat),
    transcriptions: new TranscriptionStore(chat),
    devices: new DeviceStore(users, sealer, usersIndex),
    passkeys: new PasskeyStore(users, sealer, usersIndex),
    secondFactors: new SecondFactorStore(users, sealer, usersIndex),
    sessionList: new SessionListStore(users, sealer, usersIndex),
    tokenStore: new TokenStore(users, sealer, usersIndex),
    emails: new EmailStore(users, sealer, usersIndex),
    signInLinks: new SignInLinkStore(users, usersIndex),
    invitations: new InvitationStore(users, sealer, usersIndex),
    peopleStore: new PeopleStore(users),
    exports: new ExportStore(users, sealer),
    accountDeletions: new AccountDeletionStore(users, usersIndex),
    chatDeletions: new ChatDeletionStore(chat),
    inbox: new InboxStore(chat, sealer),
    audit: new AuditStore(users, sealer, auditKey),
    retention: new RetentionStore(chat),
    notificationClaims: new NotificationClaimStore(chat),
  };
}

async function open({ users, chat }: StoredDatabases, keyring: Keyring) {
  return {
    users,
    chat,
    sealer: createSealer(keyring),
    usersIndex: createBlindIndex(await secretOf(users, keyring, 'name-index')),
    auditKey: await secretOf(users, keyring, 'audit'),
    chatIndex: createBlindIndex(await secretOf(chat, keyring, 'name-index')),
  };
}
