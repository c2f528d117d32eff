import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { forbidden } from '../errors.ts';
import { findGroup } from './access.ts';
import { memberLeft } from './events.ts';
import { lastOwner, refuseWithoutOwner } from './rules.ts';
import type { GroupStore } from './store.ts';

/** Ends a membership and, at once, its sockets. @throws ChatError 403 for a direct conversation, 404 when there is no such group, 409 for the last owner */
export async function leaveGroup(
  dependencies: { groups: GroupStore; accounts: AccountStore; publish: Publish },
  account: Account,
  groupId: number,
): Promise<void> {
  const { groups, publish } = dependencies;
  const found = await groups.byId(groupId);
  if (found?.kind === 'direct' && (await groups.membershipsOf(account.id)).has(groupId))
    throw forbidden('A direct conversation cannot be left. Hide it in its settings instead.');
  const group = await findGroup(groups, groupId);
  await refuseWithoutOwner(dependencies, group.id, account.id);
  if (await groups.leaveUnlessLastOwner(account.id, group.id))
    publish(memberLeft, { groupId, accountId: account.id });
  else if (await groups.membership(account.id, group.id)) throw lastOwner();
}
