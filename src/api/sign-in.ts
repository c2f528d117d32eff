import { z } from 'zod';
import { credentials, signIn } from '../accounts/sign-in.ts';
import type { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import type { RateLimit } from '../limits.ts';
import { SCOPES } from '../operations/scopes.ts';
import type { SecondFactorStore } from '../second-factors/store.ts';
import { checkCode } from '../second-factors/verify.ts';
import type { Tokens } from '../tokens/identify.ts';

export const tokenRequest = credentials.extend({
  code: z
    .string()
    .max(40)
    .optional()
    .describe('Of an authenticator app, or a recovery code, where one is set up.'),
  label: z.string().max(60).default('A program').describe('Stands in the list of tokens.'),
});

export type SignInDependencies = {
  accounts: AccountStore;
  passwords: Passwords;
  secondFactors: SecondFactorStore;
  tokens: Tokens;
  signInLimits: SignInLimits;
  /** How often an account may. */
  programs: RateLimit;
  /** The limit of wrong codes. */
  wrongCodes: RateLimit;
  /** How long a token is valid, in minutes. */
  expireMinutes: number;
};

/**
 * Signs a program in with name and password, and the code of the second step where there is one.
 * @param address whose tries are counted
 * @returns a JWT, and how long it is valid in seconds
 * @throws ChatError 401 for what does not match, and where a code is missing; 429
 */
export async function signInProgram(
  dependencies: SignInDependencies,
  { code, label, ...given }: z.infer<typeof tokenRequest>,
  address: string,
): Promise<{ account: Account; token: string; expiresIn: number }> {
  const { signInLimits, tokens, expireMinutes } = dependencies;
  const clearFailures = await signInLimits.countSignIn(address, given.username, undefined);
  const account = await signIn(dependencies, given);
  await checkSecondStep(dependencies, account, code);
  await clearFailures();
  await dependencies.programs.consume(String(account.id));
  const expiresIn = expireMinutes * 60;
  const token = await tokens.makeJwt(account, label, SCOPES, Date.now() + expiresIn * 1000);
  return { account, token, expiresIn };
}

async function checkSecondStep(
  { secondFactors, wrongCodes }: SignInDependencies,
  account: Account,
  code: string | undefined,
): Promise<void> {
  if (!(await secondFactors.isInForce(account.id))) return;
  if (code === undefined || code.trim() === '')
    throw new ChatError(
      'code_needed',
      401,
      'This account asks for a second step: send the code of the authenticator app, or a recovery code, as "code".',
      'code',
    );
  await wrongCodes.consume(String(account.id));
  await checkCode({ secondFactors }, account, code);
  await wrongCodes.reset(String(account.id));
}
