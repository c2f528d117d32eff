import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import type { OpenGroup } from './access.ts';
import { membershipsChanged, notificationLevelChanged, unreadChanged } from './events.ts';
import { NOTIFICATION_LEVELS } from './group.ts';
import type { GroupStore } from './store.ts';

export const notificationLevelForm = z.object({
  bell: z.enum(NOTIFICATION_LEVELS, 'Choose mentions, everything, nothing or hidden.'),
});

/** Chooses what of a group one is told while away; hidden takes it out of the list at the side, too. */
export async function setNotificationLevel(
  { groups, publish }: { groups: GroupStore; publish: Publish },
  { group, account }: OpenGroup,
  { bell }: z.infer<typeof notificationLevelForm>,
): Promise<void> {
  await groups.setNotificationLevel(account.id, group.id, bell);
  publish(membershipsChanged, { groupId: group.id, accountIds: [account.id] });
  publish(unreadChanged, { groupId: group.id, accountId: account.id });
  publish(notificationLevelChanged, { groupId: group.id, accountId: account.id });
}
