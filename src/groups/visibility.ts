import type { Account, AccountStore } from '../accounts/store.ts';
import { notFound } from '../errors.ts';
import type { GroupStore } from './store.ts';

/** Of one group, whom a guest is told of. */
const MAX_MEMBERS = 10_000;

type Stores = { accounts: AccountStore; groups: GroupStore };

/**
 * Whom an account may know of: everybody; for a guest those with whom they share a group. Somebody else is not there
 * for them.
 * @throws ChatError 404
 */
export async function visiblePerson(
  { accounts, groups }: Stores,
  viewer: Account,
  id: number,
): Promise<Account> {
  const person = await accounts.byId(id);
  if (!person || !(await isVisible(groups, viewer, id))) throw notFound('There is no such person.');
  return person;
}

/** Up to `limit` people whom an account may know of, itself among them, the newest first, before one where `below` is given. */
export async function visiblePeople(
  { accounts, groups }: Stores,
  viewer: Account,
  limit: number,
  below?: number,
): Promise<Account[]> {
  if (!viewer.isGuest) return accounts.list(limit, below);
  const ids = new Set([viewer.id]);
  for (const groupId of (await groups.membershipsOf(viewer.id)).keys())
    for (const id of await groups.members(groupId, MAX_MEMBERS)) ids.add(id);
  const wanted = [...ids].filter((id) => below === undefined || id < below).sort((a, b) => b - a);
  const people = await Promise.all(wanted.slice(0, limit).map((id) => accounts.byId(id)));
  return people.filter((person) => person !== undefined);
}

async function isVisible(groups: GroupStore, viewer: Account, id: number): Promise<boolean> {
  if (!viewer.isGuest || viewer.id === id) return true;
  const theirs = await groups.membershipsOf(id);
  return [...(await groups.membershipsOf(viewer.id)).keys()].some((groupId) => theirs.has(groupId));
}
