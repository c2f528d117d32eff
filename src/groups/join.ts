import type { Account } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError, notFound } from '../errors.ts';
import { findGroup } from './access.ts';
import { joinRequestsChanged, memberJoined } from './events.ts';
import type { Group } from './group.ts';
import { refuseJoining } from './policies.ts';
import type { JoinRequestStore } from './request-store.ts';
import type { GroupStore } from './store.ts';

type Dependencies = { groups: GroupStore; publish: Publish };

/**
 * Makes the account a member of an open group; once more changes nothing.
 * @throws ChatError 404 when there is no such group, 403 for a closed or archived one
 */
export async function joinGroup(
  { groups, publish }: Dependencies,
  account: Account,
  groupId: number,
): Promise<void> {
  const group = await findGroup(groups, groupId);
  if (await groups.membership(account.id, groupId)) return;
  const refusal = refuseJoining(group);
  if (refusal) throw refusal;
  await addMember({ groups, publish }, account, group);
}

/** Makes a member of somebody who was let in: by an invitation, or by an owner. */
export async function addMember(
  { groups, publish }: Dependencies,
  account: Account,
  { id: groupId }: Pick<Group, 'id'>,
  now = Date.now(),
): Promise<void> {
  if (await groups.join(account.id, groupId, now)) publish(memberJoined, { groupId, accountId: account.id });
}

/**
 * Asks the owners of a closed group to let one in; once more changes nothing.
 * @throws ChatError 404 when there is no such group, 409 where nobody need ask
 */
export async function askToJoin(
  { groups, joinRequests, publish }: Dependencies & { joinRequests: JoinRequestStore },
  account: Account,
  groupId: number,
  now = Date.now(),
): Promise<void> {
  const group = await findGroup(groups, groupId);
  if (group.archivedAt !== null) throw notFound('There is no such group.');
  if (group.access === 'open' || (await groups.membership(account.id, groupId)))
    throw new ChatError('no_need', 409, 'You need not ask to join this group.');
  if (await joinRequests.add(groupId, account.id, now)) publish(joinRequestsChanged, { groupId });
}
