import { cacheAccounts } from './accounts/cached.ts';
import { createAccountStore } from './accounts/store.ts';
import { createSavedStore } from './bookmarks/store.ts';
import type { Caches } from './cache/caches.ts';
import { createBlindIndex } from './crypto/blind-index.ts';
import type { Keyring } from './crypto/keys.ts';
import type { Databases } from './database/open.ts';
import { createSealer } from './database/sealed-columns.ts';
import { secretOf } from './database/sealing.ts';
import { cacheDrafts } from './drafts/cached.ts';
import { createDraftStore } from './drafts/store.ts';
import { createFileStore } from './files/store.ts';
import { cacheGroups } from './groups/cached.ts';
import { createGroupStore } from './groups/store.ts';
import { cacheMessages } from './messages/cached.ts';
import { createMessageStore } from './messages/store.ts';
import { createDeviceStore } from './notifications/store.ts';
import { createPlaybackReceiptStore } from './receipts/store.ts';
import { createThreadStore } from './threads/store.ts';
import { createTranscriptionStore } from './voice/store.ts';

/** What is stored, opened with the keys that fit it. Nothing here keeps anything in memory. */
export async function openStores({ users, chat }: Pick<Databases, 'users' | 'chat'>, keyring: Keyring) {
  const sealer = createSealer(keyring);
  const indexOfUsers = createBlindIndex(await secretOf(users, keyring, 'name-index'));
  const indexOfChat = createBlindIndex(await secretOf(chat, keyring, 'name-index'));
  return {
    accounts: createAccountStore(users, sealer, indexOfUsers),
    groups: createGroupStore(chat, sealer, indexOfChat),
    files: createFileStore(chat, sealer),
    messages: createMessageStore(chat, sealer),
    threads: createThreadStore(chat),
    drafts: createDraftStore(chat, sealer),
    saved: createSavedStore(chat),
    playbackReceipts: createPlaybackReceiptStore(chat),
    transcriptions: createTranscriptionStore(chat),
    devices: createDeviceStore(users, sealer, indexOfUsers),
  };
}

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** The same stores, with what is read often kept in memory until an event says that it has changed. */
export function cacheStores(stores: Stores, caches: Caches): Stores {
  return {
    ...stores,
    accounts: cacheAccounts(stores.accounts, caches),
    groups: cacheGroups(stores.groups, caches),
    messages: cacheMessages(stores.messages, caches),
    drafts: cacheDrafts(stores.drafts, caches),
  };
}
