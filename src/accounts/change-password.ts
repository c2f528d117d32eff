import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import { sessionsEnded } from './events.ts';
import { checkPassword, password } from './register.ts';
import type { Account, AccountStore } from './store.ts';

export const passwordChange = z.object({
  current: z
    .string('Enter your current password.')
    .min(1, 'Enter your current password.')
    .max(1_000, 'That is not your current password.'),
  password,
});

/**
 * Replaces the password and ends every session of the account.
 * @returns the new session epoch, for sessions that start after this
 * @throws ChatError 403 when the current password is wrong, 400 when the new one is easily guessed
 */
export async function changePassword(
  { accounts, passwords, publish }: { accounts: AccountStore; passwords: Passwords; publish: Publish },
  account: Account,
  change: z.infer<typeof passwordChange>,
): Promise<number> {
  const isCorrect = await passwords.matches(change.current, await accounts.passwordHash(account.id));
  if (!isCorrect)
    throw new ChatError('wrong_password', 403, 'That is not your current password. Try again.', 'current');
  await checkPassword(passwords, change.password, account.username);
  const epoch = await accounts.setPassword(account.id, await passwords.hash(change.password));
  publish(sessionsEnded, { accountId: account.id });
  return epoch;
}
