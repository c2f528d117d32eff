import { z } from 'zod';
import type { Account } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError } from '../errors.ts';
import { hasVisible } from '../http/request.ts';
import { checkbox } from '../operations/fields.ts';
import { groupCreated, membershipsChanged } from './events.ts';
import type { Group } from './group.ts';
import type { GroupStore } from './store.ts';

const NAME_RULE = 'A group’s name has 1 to 100 characters.';

/** Control characters, and those that change the direction of the text after them. */
export const CONTROL_CHARACTERS = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** One line: white space within is folded, so that two names that look the same are the same. */
export const groupName = z.object({
  name: z
    .string(NAME_RULE)
    .transform((name) => name.normalize('NFC').replace(/\s+/g, ' ').trim())
    .refine((name) => hasVisible(name) && [...name].length <= 100, NAME_RULE)
    .refine(
      (name) => !CONTROL_CHARACTERS.test(name),
      'A group’s name has no control characters, and none that turn the text around.',
    ),
});

export const newGroup = groupName.extend({ closed: checkbox });

/** What a first start finds. */
export const SEEDS = ['General', 'Random'];

/** Makes a group with its creator as the first member. @throws ChatError 409 when the name is taken */
export async function createGroup(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  creator: Account,
  { name, closed = false }: { name: string; closed?: boolean },
  now = Date.now(),
): Promise<Group> {
  const access = closed ? 'closed' : 'open';
  const group = await groups.add({ name, creatorId: creator.id, access, now });
  if (!group) throw nameTaken();
  publish(membershipsChanged, { groupId: group.id, accountIds: [creator.id] });
  publish(groupCreated, { groupId: group.id });
  return group;
}

/** Makes the groups of a first start, where there are none at all. */
export async function seedGroups(groups: GroupStore, now = Date.now()): Promise<void> {
  if ((await groups.all()).length > 0) return;
  for (const name of SEEDS) await groups.add({ name, creatorId: null, now });
}

export function nameTaken(): ChatError {
  return new ChatError(
    'name_taken',
    409,
    'A group of that name exists. Choose another name, or join that one.',
    'name',
  );
}
