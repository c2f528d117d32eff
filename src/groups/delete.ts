import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import { invalid, notFound } from '../errors.ts';
import { groupAccessChanged, groupDeleted, memberLeft } from './events.ts';
import type { Group } from './group.ts';
import { onHold, refuseOnHold } from './policies.ts';
import type { GroupStore } from './store.ts';

/** The name of the group, typed again: nothing brings it back. */
export const deletionForm = z.object({
  confirmation: z.string('Type the name of the group.').transform((name) => name.normalize('NFC').trim()),
});

type Dependencies = { groups: GroupStore; publish: Publish };

/** Deletes a group whose name was typed again. @throws ChatError 400 where the name does not fit, 404 */
export async function deleteConfirmedGroup(
  dependencies: Dependencies,
  { group }: { group: Group },
  { confirmation }: z.infer<typeof deletionForm>,
): Promise<void> {
  if (confirmation.toLowerCase() !== group.name.toLowerCase())
    throw invalid('confirmation', `Type “${group.name}” to delete the group.`);
  const refusal = refuseOnHold(group);
  if (refusal) throw refusal;
  await deleteGroup(dependencies, group.id);
}

/**
 * Deletes a group with everything in it. It is gone from every list and every open page when this resolves; its
 * messages and files are removed in the background.
 * @throws ChatError 404 when there is no such group, 409 for one on hold
 */
export async function deleteGroup(
  { groups, publish }: Dependencies,
  groupId: number,
  now = Date.now(),
): Promise<void> {
  const memberIds = await groups.hide(groupId, now);
  if (!memberIds) throw notFound('There is no such group.');
  // Also where it was put on hold since it was read.
  if (memberIds === 'held') throw onHold();
  publish(groupDeleted, { groupId });
  publish(groupAccessChanged, { groupId });
  for (const accountId of memberIds) publish(memberLeft, { groupId, accountId });
}
