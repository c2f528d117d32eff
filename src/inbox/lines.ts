import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Publish } from '../bus/bus.ts';
import { memberJoined, memberLeft } from '../groups/events.ts';
import type { GroupStore } from '../groups/store.ts';
import { inboxChanged } from '../messages/events.ts';
import type { InboxStore } from './store.ts';

/** Members of one line that a start looks at; who is beyond them is put right when their role changes. */
const MAX_MEMBERS = 1_000;

export type LineDependencies = {
  accounts: AccountStore;
  peopleStore: PeopleStore;
  groups: GroupStore;
  inbox: InboxStore;
  audit: AuditStore;
  publish: Publish;
};

/** The private line of a member to the administrators, made where there is none yet. @returns its group */
export async function openLine(
  { peopleStore, groups, inbox, publish }: LineDependencies,
  account: Pick<Account, 'id'>,
  now = Date.now(),
): Promise<number> {
  const adminIds = await peopleStore.adminIds();
  const { group, isNew } = await groups.line(account.id, adminIds, now);
  await inbox.add(group.id);
  if (isNew)
    for (const accountId of new Set([account.id, ...adminIds]))
      publish(memberJoined, { groupId: group.id, accountId });
  // Whoever became one while it was made has looked for lines already.
  for (const accountId of isNew ? await peopleStore.adminIds() : [])
    if (!adminIds.includes(accountId) && (await groups.join(accountId, group.id, now)))
      publish(memberJoined, { groupId: group.id, accountId });
  return group.id;
}

/**
 * Makes an account a member of every private line, or of none but its own: administrators are in all of them, nobody
 * else is. A former administrator is out of them at once, with every open page.
 */
export async function followRole(
  { accounts, groups, publish }: LineDependencies,
  accountId: number,
  now = Date.now(),
): Promise<void> {
  const account = await accounts.byId(accountId);
  const isAdmin = account?.isAdmin === true && account.suspendedAt === null;
  const memberships = await groups.membershipsOf(accountId);
  for (const [groupId, group] of await groups.byIds(await groups.lines())) {
    if (group.lineOf === accountId || memberships.has(groupId) === isAdmin) continue;
    if (isAdmin && (await groups.join(accountId, groupId, now)))
      publish(memberJoined, { groupId, accountId });
    else if (!isAdmin && (await groups.leave(accountId, groupId)))
      publish(memberLeft, { groupId, accountId });
  }
}

/** Puts right what a crash left between a change of roles and `followRole`. */
export async function followRoles(dependencies: LineDependencies): Promise<void> {
  const { groups, peopleStore, publish } = dependencies;
  const adminIds = await peopleStore.adminIds();
  const everybody = new Set(adminIds);
  for (const groupId of await groups.lines())
    for (const accountId of await groups.members(groupId, MAX_MEMBERS)) everybody.add(accountId);
  for (const accountId of everybody) await followRole(dependencies, accountId);
  publish(inboxChanged, {});
}
