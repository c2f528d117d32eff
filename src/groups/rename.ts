import type { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import type { OpenGroup } from './access.ts';
import { type groupName, nameTaken } from './create.ts';
import { groupRenamed } from './events.ts';
import { refuseSettings } from './policies.ts';
import type { GroupStore } from './store.ts';

/** Gives a group another name. @throws ChatError 403 for anybody but its creator and administrators, 409 when it is taken */
export async function renameGroup(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  open: OpenGroup,
  { name }: z.infer<typeof groupName>,
): Promise<void> {
  const refusal = refuseSettings(open);
  if (refusal) throw refusal;
  if (!(await groups.rename(open.group.id, name))) throw nameTaken();
  publish(groupRenamed, { groupId: open.group.id });
}
