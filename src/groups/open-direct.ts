import { z } from 'zod';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { invalid } from '../errors.ts';
import { wholeNumber } from '../operations/fields.ts';
import { memberJoined } from './events.ts';
import type { Group } from './group.ts';
import type { GroupStore } from './store.ts';
import { visiblePerson } from './visibility.ts';

/** Oneself included; more people are a group. */
export const MAX_PEOPLE = 8;

const accountId = wholeNumber('"with" takes the numbers of accounts.');

export const directWith = z.object({
  with: accountId
    .transform((id) => [id])
    .or(z.array(accountId))
    .optional(),
});

/**
 * Returns the direct conversation of an account with others, or with itself for notes, and creates it if needed.
 * There is at most one for the same people.
 * @throws ChatError 400 for nobody or too many people, 404 for an account that does not exist
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
  for (const id of people) await visiblePerson({ accounts, groups }, account, id);
  const { group, isNew } = await groups.direct([...people], account.id, now);
  // Publish for a new conversation only: in an existing one nobody has joined.
  for (const id of isNew ? people : []) publish(memberJoined, { groupId: group.id, accountId: id });
  return group;
}
