import { refuseGuest } from '../accounts/policies.ts';
import type { Account } from '../accounts/store.ts';
import { type ChatError, forbidden } from '../errors.ts';
import type { SiteSettings } from '../site-settings/store.ts';
import type { Invitation } from './store.ts';

// Who may invite. Each returns undefined, or the refusal.

/** Administrators invite; members too, but no guests, unless the administrators keep it to themselves. */
export function refuseInvite(account: Account, { membersInvite }: SiteSettings): ChatError | undefined {
  const refusal = refuseGuest({ account });
  if (refusal || account.isAdmin || membersInvite !== 'no') return refusal;
  return forbidden('Only administrators invite here. Ask one of them.');
}

/** Whoever made an invitation revokes it, and so do administrators. */
export function refuseRevoke(account: Account, { creatorId }: Invitation): ChatError | undefined {
  if (account.isAdmin || account.id === creatorId) return undefined;
  return forbidden('Only whoever made this invitation, or an administrator, can revoke it.');
}
