import type { Account } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';

/** An administrator is made a member first, so that nobody is locked out by one click, and never by themselves. */
export function refuseSuspension(person: Account): ChatError | undefined {
  if (!person.isAdmin) return undefined;
  return new ChatError(
    'is_admin',
    409,
    `Make ${person.name} a member first: administrators are neither suspended nor deleted.`,
  );
}
