import type { Account } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError, notFound } from '../errors.ts';
import { findGroup } from './access.ts';
import { joinRequestsChanged, memberJoined } from './events.ts';
import type { Group } from './group.ts';
import type { JoinRequestStore } from './join-request-store.ts';
import { refuseJoining } from './policies.ts';
import type { GroupStore } from './store.ts';

export type JoinDependencies = { groups: GroupStore; joinRequests: JoinRequestStore; publish: Publish };

/**
 * Makes the account a member of an open group; once more changes nothing.
 * @throws ChatError 404 when there is no such group, 403 for a closed or archived one
 */
export async function joinGroup(
  { groups, joinRequests, publish }: JoinDependencies,
  account: Account,
  groupId: number,
): Promise<void> {
  const group = await findGroup(groups, groupId);
  if (await groups.membership(account.id, groupId)) return;
  const refusal = refuseJoining(group, await joinRequests.wasRemoved(groupId, account.id));
  if (refusal) throw refusal;
  await addMember({ groups, joinRequests, publish }, account, group);
}

/** Makes a member of somebody who was invited, unless an owner removed them before. */
export async function joinInvitedGroup(
  { groups, joinRequests, publish }: JoinDependencies,
  account: Account,
  group: Pick<Group, 'id'>,
  now?: number,
): Promise<void> {
  if (await joinRequests.wasRemoved(group.id, account.id)) return;
  await addMember({ groups, joinRequests, publish }, account, group, now);
}

/** Makes a member of somebody who was let in; whether they asked to be is settled by that. */
export async function addMember(
  { groups, joinRequests, publish }: JoinDependencies,
  account: Account,
  { id: groupId }: Pick<Group, 'id'>,
  now = Date.now(),
): Promise<void> {
  if (await groups.join(account.id, groupId, now)) publish(memberJoined, { groupId, accountId: account.id });
  if (await joinRequests.remove(groupId, account.id)) publish(joinRequestsChanged, { groupId });
}

/**
 * Asks the owners to let one in, to a closed group or after they removed one; once more changes nothing.
 * @throws ChatError 404 when there is no such group, 409 where nobody need ask
 */
export async function askToJoin(
  { groups, joinRequests, publish }: JoinDependencies,
  account: Account,
  groupId: number,
  now = Date.now(),
): Promise<void> {
  const group = await findGroup(groups, groupId);
  if (group.archivedAt !== null) throw notFound('There is no such group.');
  const mayJoin = group.access === 'open' && !(await joinRequests.wasRemoved(groupId, account.id));
  if (mayJoin || (await groups.membership(account.id, groupId)))
    throw new ChatError('no_need', 409, 'You need not ask to join this group.');
  if (await joinRequests.add(groupId, account.id, now)) publish(joinRequestsChanged, { groupId });
}
