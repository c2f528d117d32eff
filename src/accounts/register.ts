import { z } from 'zod';
import { foldCase } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError, invalid } from '../errors.ts';
import { optional } from '../operations/fields.ts';
import type { Admission } from './admission.ts';
import { username } from './names.ts';
import type { Account, AccountStore } from './store.ts';

const PASSWORD_RULE = 'A password has 8 to 256 characters.';

export const password = z
  .string(PASSWORD_RULE)
  .refine((text) => [...text].length >= 8 && [...text].length <= 256, PASSWORD_RULE);

export const registration = z.object({ username, password, code: optional(z.string().max(500)) });

/** @throws ChatError 400 for a password that others try first: a common one, or the name itself */
export async function checkPassword(passwords: Passwords, password: string, username: string): Promise<void> {
  if (foldCase(password) === foldCase(username))
    throw invalid('password', 'The name is the first password that others try. Choose another.', 'weak');
  if (await passwords.isCommon(password))
    throw invalid(
      'password',
      'This password is one of the most common ones. Choose another, such as three words.',
      'weak',
    );
}

export type RegisterDependencies = {
  accounts: AccountStore;
  passwords: Passwords;
  adminUsername: string | undefined;
  admission: Admission;
};

/**
 * Creates an account. It becomes an administrator if its name is `adminUsername` and there is none yet or, when no name
 * is set, if it is the first account.
 * @throws ChatError 409 when the name is taken or confusable with another; 400 for an easily guessed password; and what
 *   `admit` throws for somebody who may not come in
 */
export async function register(
  { accounts, passwords, adminUsername, admission }: RegisterDependencies,
  { username, password, code }: z.output<typeof registration>,
  now = Date.now(),
): Promise<Account> {
  const { isGuest = false, also, welcome } = await admission.admit(code);
  await checkPassword(passwords, password, username);
  const passwordHash = await passwords.hash(password);
  const isAdmin =
    adminUsername === undefined ? 'if-first' : foldCase(username) === foldCase(adminUsername) && 'if-none';
  const start = { isAdmin, isGuest, now, ...(also && { also }) } as const;
  const account = await accounts.add({ username, passwordHash, ...start });
  if (account === 'taken' || account === 'confusable') throw nameTaken(account);
  await welcome?.(account);
  return account;
}

export function nameTaken(reason: 'taken' | 'confusable', field = 'username'): ChatError {
  const sentence =
    reason === 'taken'
      ? 'That name is taken. Choose another.'
      : 'That name looks like the name of somebody else here. Choose another.';
  return new ChatError('name_taken', 409, sentence, field);
}
