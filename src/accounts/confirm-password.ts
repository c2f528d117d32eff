import { z } from 'zod';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import type { SignInLimits } from './sign-in-limits.ts';
import type { Account, AccountStore } from './store.ts';

export const ownPassword = z.object({
  password: z.string('Enter your password.').min(1, 'Enter your password.').max(1_000),
});

/** Asks somebody who is signed in for their password, before what cannot be undone. @throws ChatError 403, 429 */
export async function confirmPassword(
  { accounts, passwords }: { accounts: AccountStore; passwords: Passwords },
  limits: SignInLimits,
  account: Account,
  password: string,
): Promise<void> {
  const clearFailures = await limits.countPasswordAttempt(account.id);
  if (!(await passwords.matches(password, await accounts.passwordHash(account.id))))
    throw new ChatError('wrong_password', 403, 'That is not your password. Try again.', 'password');
  await clearFailures();
}
