import { z } from 'zod';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { invalid, notFound } from '../errors.ts';
import { memberJoined } from './events.ts';
import type { Group, GroupStore } from './store.ts';

/** Oneself included; more people are a group. */
export const MAX_PEOPLE = 8;

const accountId = z.union([z.int().positive(), z.string().regex(/^\d{1,15}$/)]).transform(Number);

export const directWith = z.object({
  with: accountId
    .transform((id) => [id])
    .or(z.array(accountId))
    .optional(),
});

/**
 * The direct conversation of somebody with others, or with themself alone for notes; the same people have one only.
 * @throws ChatError 400 for nobody or too many people, 404 for somebody who is not there
 */
export async function openDirect(
  { groups, accounts, publish }: { groups: GroupStore; accounts: AccountStore; publish: Publish },
  account: Account,
  { with: others }: z.infer<typeof directWith>,
  now = Date.now(),
): Promise<Group> {
  if (!others) throw invalid('with', 'Choose who it is with first.');
  const people = new Set([account.id, ...others]);
  if (people.size > MAX_PEOPLE)
    throw invalid('with', `A direct conversation has at most ${MAX_PEOPLE} people. Make a group for more.`);
  for (const id of people) if (!(await accounts.byId(id))) throw notFound('There is no such person.');
  const { group, isNew } = await groups.direct([...people], account.id, now);
  // One that was there is no news to anybody.
  for (const id of isNew ? people : []) publish(memberJoined, { groupId: group.id, accountId: id });
  return group;
}
