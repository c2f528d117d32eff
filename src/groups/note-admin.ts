import type { AuditStore } from '../audit/store.ts';
import type { OpenGroup } from './access.ts';

/**
 * Notes in the log what an administrator does in a group as administrator: what its owners do is not administration.
 * @param action the name of the operation
 */
export async function noteAdmin(
  { audit }: { audit: AuditStore },
  { group, account, membership }: OpenGroup,
  action: string,
  about: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (!account.isAdmin || membership.isOwner) return;
  const details = { group: group.name, groupId: String(group.id), ...about };
  await audit.add({ at: Date.now(), actorId: account.id, action: `group-${action}`, details });
}
