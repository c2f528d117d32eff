import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { WebhookStore } from './webhook-store.ts';

const LISTED = 500;

/** The bots with a token of their own, which are not those of webhooks. */
export async function apiBots({
  accounts,
  peopleStore,
  webhooks,
}: {
  accounts: AccountStore;
  peopleStore: PeopleStore;
  webhooks: WebhookStore;
}): Promise<Account[]> {
  const ofWebhooks = await webhooks.botIds();
  const ids = (await peopleStore.botIds(LISTED)).filter((id) => !ofWebhooks.has(id));
  const bots = await Promise.all(ids.map((id) => accounts.byId(id)));
  return bots.filter((bot) => bot !== undefined);
}
