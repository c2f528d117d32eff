import { type Cached, type Caches, on } from '../cache/caches.ts';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import type { Sealer } from '../database/sealed-columns.ts';
import { accountChanged, accountSettingsChanged, sessionsEnded } from './events.ts';
import { type Account, AccountStore } from './store.ts';

const MAX_ACCOUNTS = 50_000;

/** The store, with accounts kept in memory: every page and every message names its authors. */
export class CachedAccountStore extends AccountStore {
  readonly #accounts: Cached<number, Account | undefined>;

  constructor(
    db: Database,
    sealer: Sealer,
    nameIndex: BlindIndex,
    { cached }: Caches,
    onlyAdminsSee: boolean,
  ) {
    super(db, sealer, nameIndex, onlyAdminsSee);
    this.#accounts = cached({
      name: 'accounts',
      key: (id) => id,
      max: MAX_ACCOUNTS,
      load: (id) => super.byId(id),
      dropOn: [accountChanged, accountSettingsChanged, sessionsEnded].map((event) =>
        on(event, ({ accountId }, cache) => cache.drop(accountId)),
      ),
    });
  }

  override byId(id: number): Promise<Account | undefined> {
    return this.#accounts.get(id);
  }
}
