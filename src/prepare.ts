import { accountChanged } from './accounts/events.ts';
import type { Publish } from './bus/bus.ts';
import type { Config } from './config.ts';
import { seedGroups } from './groups/create.ts';
import type { Stores } from './stores.ts';

/** Creates the initial groups, fills in what rows of older versions lack, and makes the administrator of the settings one. */
export async function prepare(
  { accounts, groups }: Pick<Stores, 'accounts' | 'groups'>,
  { adminUsername }: Pick<Config, 'adminUsername'>,
  publish: Publish,
): Promise<void> {
  await accounts.fillSkeletons();
  const accountId =
    adminUsername === undefined ? undefined : await accounts.makeAdminByUsername(adminUsername);
  // Other processes know them as a member.
  if (accountId !== undefined) publish(accountChanged, { accountId });
  await seedGroups(groups);
}
