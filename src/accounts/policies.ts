import { type ChatError, forbidden } from '../errors.ts';
import type { Account } from './store.ts';

/** Administrators run a Hearth: they see and change what members do not. */
export function refuseAdministration({ account }: { account: Account }): ChatError | undefined {
  return account.isAdmin ? undefined : forbidden('Only administrators can do that.');
}

/** A bot is in the groups to which their owners added it, and nowhere else. */
export function refuseBot({ account }: { account: Account }): ChatError | undefined {
  return account.isBot ? forbidden('Bots are added by the owners of a group.') : undefined;
}

/** Guests are in the groups that they were invited to, and begin nothing of their own. */
export function refuseGuest({ account }: { account: Account }): ChatError | undefined {
  return account.isGuest ? forbidden('Guests cannot do that here. Ask a member.') : undefined;
}
