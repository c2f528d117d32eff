import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import type { EmailStore } from './email-store.ts';
import { sessionsEnded } from './events.ts';
import type { SignInLinkStore } from './link-store.ts';
import { checkPassword, password } from './register.ts';
import type { Account, AccountStore } from './store.ts';

export const passwordChange = z.object({
  current: z
    .string('Enter your current password.')
    .min(1, 'Enter your current password.')
    .max(1_000, 'That is not your current password.'),
  password,
});

export type PasswordDependencies = {
  accounts: AccountStore;
  passwords: Passwords;
  signInLinks: SignInLinkStore;
  emails: EmailStore;
  publish: Publish;
};

/**
 * Replaces the password and ends every session of the account.
 * @returns the new session epoch, for sessions that start after this
 * @throws ChatError 403 when the current password is wrong, 400 when the new one is easily guessed
 */
export async function changePassword(
  dependencies: PasswordDependencies,
  account: Account,
  change: z.infer<typeof passwordChange>,
): Promise<number> {
  const { accounts, passwords } = dependencies;
  const isCorrect = await passwords.matches(change.current, await accounts.passwordHash(account.id));
  if (!isCorrect)
    throw new ChatError('wrong_password', 403, 'That is not your current password. Try again.', 'current');
  await checkPassword(passwords, change.password, account.username);
  return replacePassword(dependencies, account, change.password);
}

/** Sets a password that was checked. Ends every session and voids every link of the account. @returns the new epoch */
export async function replacePassword(
  { accounts, passwords, signInLinks, emails, publish }: PasswordDependencies,
  account: Account,
  password: string,
): Promise<number> {
  const epoch = await accounts.setPassword(account.id, await passwords.hash(password));
  await signInLinks.removeAllOf(account.id);
  await emails.removePending(account.id);
  publish(sessionsEnded, { accountId: account.id });
  return epoch;
}
