import { z } from 'zod';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import type { Account, AccountStore } from './store.ts';

/** Checks lengths only: the rules for new names and passwords do not apply at sign-in. */
export const credentials = z.object({
  username: z
    .string('Enter your name.')
    .trim()
    .min(1, 'Enter your name.')
    .max(200, 'A name has at most 50 characters.'),
  password: z
    .string('Enter your password.')
    .min(1, 'Enter your password.')
    .max(1_000, 'A password has at most 256 characters.'),
});

/**
 * Finds the account that this name and password belong to. An unknown name takes as long as a wrong password.
 * @throws ChatError 401, the same for both; 403 for a suspended account, to whoever knows its password
 */
export async function signIn(
  { accounts, passwords }: { accounts: AccountStore; passwords: Passwords },
  { username, password }: z.infer<typeof credentials>,
): Promise<Account> {
  const account = await accounts.byName(username.normalize('NFC'));
  const matches = await passwords.matches(password, account?.passwordHash);
  if (account && matches) {
    if (account.suspendedAt !== null) throw suspended();
    const { id, passwordHash } = account;
    if (passwords.isOutdated(passwordHash))
      await accounts.rehash(id, passwordHash, await passwords.hash(password));
    return account;
  }
  throw new ChatError('wrong_credentials', 401, 'That name and password don’t match. Try again.', 'password');
}

export function suspended(): ChatError {
  return new ChatError('suspended', 403, 'This account is suspended. Ask an administrator.', 'username');
}
