import { type ChatError, forbidden } from '../errors.ts';
import type { OpenGroup } from './access.ts';

// Who may do what with a group. Each returns undefined, or the refusal.

/** Its creator and administrators change a group for everybody; a direct conversation has nothing to change. */
export function refuseSettings({ group, account }: OpenGroup): ChatError | undefined {
  const isAllowed = group.kind === 'group' && (account.isAdmin || group.creatorId === account.id);
  return isAllowed
    ? undefined
    : forbidden('Only whoever made this group, or an administrator, can change that.');
}
