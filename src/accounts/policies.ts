import { type ChatError, forbidden } from '../errors.ts';
import type { Account } from './store.ts';

/** Guests are in the groups that they were invited to, and begin nothing of their own. */
export function refuseGuest({ account }: { account: Account }): ChatError | undefined {
  return account.isGuest ? forbidden('Guests cannot do that here. Ask a member.') : undefined;
}
