import { z } from 'zod';
import type { Publish } from '../events.ts';
import type { OpenGroup } from './access.ts';
import { unreadChanged } from './events.ts';
import { BELLS, type GroupStore } from './store.ts';

export const bellForm = z.object({ bell: z.enum(BELLS, 'Choose mentions, everything, nothing or hidden.') });

/** Chooses what of a group one is told while away; hidden takes it out of the list at the side, too. */
export async function setBell(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  { group, account }: OpenGroup,
  { bell }: z.infer<typeof bellForm>,
): Promise<void> {
  await groups.setBell(account.id, group.id, bell);
  publish(unreadChanged, { groupId: group.id, accountId: account.id });
}
