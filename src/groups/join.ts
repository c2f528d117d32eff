import type { Account } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { findGroup } from './access.ts';
import { memberJoined } from './events.ts';
import type { GroupStore } from './store.ts';

/** Makes the account a member; once more changes nothing. @throws ChatError 404 when there is no such group */
export async function joinGroup(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  account: Account,
  groupId: number,
  now = Date.now(),
): Promise<void> {
  const group = await findGroup(groups, groupId);
  if (await groups.join(account.id, group.id, now)) publish(memberJoined, { groupId, accountId: account.id });
}
