import { type Caches, on } from '../cache/caches.ts';
import { accountChanged, accountSettingsChanged, sessionsEnded } from './events.ts';
import type { Account, AccountStore } from './store.ts';

const MAX_ACCOUNTS = 50_000;

/** The store, with accounts kept in memory: every page and every message names its authors. */
export function cacheAccounts(store: AccountStore, { cached }: Caches): AccountStore {
  const accounts = cached<number, Account | undefined>({
    name: 'accounts',
    key: (id) => id,
    max: MAX_ACCOUNTS,
    load: store.byId,
    dropOn: [
      on(accountChanged, ({ accountId }, cache) => cache.drop(accountId)),
      on(accountSettingsChanged, ({ accountId }, cache) => cache.drop(accountId)),
      on(sessionsEnded, ({ accountId }, cache) => cache.drop(accountId)),
    ],
  });
  return { ...store, byId: accounts.get };
}
