import type { Account, AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { PeopleInGroups } from '../groups/pages.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Hub } from '../live/hub.ts';
import { LivePresence } from './live.ts';

/** Who is here, and who may see from where. */
export function installPresence(
  context: Context & {
    hub: Hub;
    accounts: AccountStore;
    groups: GroupStore;
    groupPresenter: GroupPresenter;
    aboveList(account: Account): Promise<string>;
  },
) {
  const { showAddresses } = context.config;
  const seesAddresses = (account: Account) =>
    (showAddresses === 'everyone' && !account.isGuest) || (showAddresses !== 'nobody' && account.isAdmin);
  const livePresence = new LivePresence(context);
  const { presenter } = livePresence;
  const people: PeopleInGroups = {
    here: (group, account) => presenter.here(group, seesAddresses(account)),
    overall: (account) => (account.isGuest ? '' : presenter.overall(seesAddresses(account))),
  };
  return { livePresence, people, seesAddresses };
}
