import { z } from 'zod';
import { foldCase } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import type { Account, AccountStore } from './store.ts';

const USERNAME_RULE = 'A name has 3 to 50 letters, digits, ".", "_" or "-".';
/** Letters by name that look like nothing: the Hangul fillers. */
const INVISIBLE = /[\u115f\u1160\u3164\uffa0]/;
const PASSWORD_RULE = 'A password has 8 to 256 characters.';

export const username = z
  .string(USERNAME_RULE)
  .trim()
  .transform((name) => name.normalize('NFC'))
  .refine(
    (name) =>
      /^[\p{L}\p{M}\p{Nd}._-]+$/u.test(name) &&
      !INVISIBLE.test(name) &&
      [...name].length >= 3 &&
      [...name].length <= 50,
    USERNAME_RULE,
  );

export const password = z
  .string(PASSWORD_RULE)
  .refine((text) => [...text].length >= 8 && [...text].length <= 256, PASSWORD_RULE);

export const registration = z.object({ username, password });

/**
 * Makes an account. It is an administrator when it bears `adminUsername`, or, where none is set, when it is the first.
 * @throws ChatError 409 when the name is taken
 */
export async function register(
  {
    accounts,
    passwords,
    adminUsername,
  }: { accounts: AccountStore; passwords: Passwords; adminUsername: string | undefined },
  { username, password }: z.infer<typeof registration>,
  now = Date.now(),
): Promise<Account> {
  const passwordHash = await passwords.hash(password);
  const isAdmin = adminUsername === undefined ? 'if-first' : foldCase(username) === foldCase(adminUsername);
  const account = await accounts.add({ username, passwordHash, isAdmin, now });
  if (!account) throw new ChatError('name_taken', 409, 'That name is taken. Choose another.', 'username');
  return account;
}
