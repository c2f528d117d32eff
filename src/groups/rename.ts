import type { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import type { OpenGroup } from './access.ts';
import { type groupName, nameTaken } from './create.ts';
import { groupRenamed } from './events.ts';
import type { GroupStore } from './store.ts';

/** Gives a group another name. @throws ChatError 409 when it is taken */
export async function renameGroup(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  { group }: OpenGroup,
  { name }: z.infer<typeof groupName>,
): Promise<void> {
  if (!(await groups.rename(group.id, name))) throw nameTaken();
  publish(groupRenamed, { groupId: group.id });
}
