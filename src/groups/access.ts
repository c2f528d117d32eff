import type { Account } from '../accounts/store.ts';
import { forbidden, notFound } from '../errors.ts';
import type { Group, Membership } from './group.ts';
import { closedGroup, isLineOfOther, isListed } from './policies.ts';
import type { GroupStore } from './store.ts';

const opened = Symbol('opened by openGroup');

/** A group that this account is a member of. Only `openGroup` makes one, so that no verb can skip the check. */
export type OpenGroup = Readonly<{ [opened]: true; group: Group; account: Account; membership: Membership }>;

/**
 * Checks membership. Every access to the content of a group goes through this function.
 * @throws ChatError 404 when there is no such group or it is a direct conversation of others, 403 for somebody who is
 *   not a member
 */
export async function openGroup(groups: GroupStore, account: Account, groupId: number): Promise<OpenGroup> {
  const membership = await groups.membership(account.id, groupId);
  const group = membership ? await groups.byId(groupId) : await findGroup(groups, groupId);
  if (!group) throw notFound('There is no such group.');
  if (!membership)
    throw isListed(group, membership, account)
      ? forbidden(`Join ${group.name} to read and write in it.`)
      : closedGroup();
  if (isLineOfOther(group, account)) throw closedGroup();
  return { [opened]: true, group, account, membership };
}

/**
 * The memberships of an account, by group, without those of groups that `openGroup` refuses it: with a token that does
 * not administrate, an administrator reads no private lines of others.
 */
export async function openMemberships(
  groups: GroupStore,
  account: Account,
): Promise<ReadonlyMap<number, Membership>> {
  const memberships = await groups.membershipsOf(account.id);
  if (account.isAdmin) return memberships;
  const joined = await groups.byIds([...memberships.keys()]);
  return new Map(
    [...memberships].filter(([id]) => {
      const group = joined.get(id);
      return group !== undefined && !isLineOfOther(group, account);
    }),
  );
}

/**
 * Returns a group without a check of membership. Any account may know that it exists, and the name of one that
 * `isListed` for it.
 * @throws ChatError 404 if there is no such group, or it is a direct conversation
 */
export async function findGroup(groups: GroupStore, groupId: number): Promise<Group> {
  const group = await groups.byId(groupId);
  if (group?.kind !== 'group') throw notFound('There is no such group.');
  return group;
}
