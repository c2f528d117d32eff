import { generateSecret, verify } from 'otplib';
import type { Account } from '../accounts/store.ts';
import { normalCode, randomCode } from '../crypto/base32.ts';
import { ChatError, invalid } from '../errors.ts';
import type { SecondFactorStore } from './store.ts';

/** Codes of the step before and after are taken too, for clocks that are up to half a minute off (RFC 6238, 5.2). */
const TOLERANCE_S = 30;
const RECOVERY_CODES = 10;
/** 40 random bits each. */
const RECOVERY_DIGITS = 8;

type Stores = { secondFactors: SecondFactorStore };

/**
 * A new secret to scan, in place of one that was begun: somebody else may have seen that.
 * @throws ChatError 409 where an authenticator app is in force
 */
export async function beginAuthenticator({ secondFactors }: Stores, account: Account): Promise<string> {
  const secret = generateSecret();
  if (!(await secondFactors.begin(account.id, secret))) throw inForce();
  return secret;
}

/** The secret that was begun. @throws ChatError 409 where there is none, or it is in force */
export async function begunAuthenticator({ secondFactors }: Stores, account: Account): Promise<string> {
  const begun = await secondFactors.of(account.id);
  if (!begun || begun.isConfirmed) throw inForce();
  return begun.secret;
}

/**
 * Puts the authenticator app in force.
 * @returns the recovery codes, which are stored nowhere in the clear
 * @throws ChatError 400 for a wrong code, 409 where one is in force already
 */
export async function confirmAuthenticator(
  { secondFactors }: Stores,
  account: Account,
  code: string,
  now = Date.now(),
): Promise<string[]> {
  const begun = await secondFactors.of(account.id);
  if (!begun || begun.isConfirmed) throw inForce();
  const step = await stepOf(begun.secret, code, now);
  if (step === undefined)
    throw invalid('code', 'That code does not fit. Enter the one that the app shows now.');
  const codes = recoveryCodes();
  if (!(await secondFactors.confirm(account.id, codes, now))) throw inForce();
  await secondFactors.consumeTimeStep(account.id, step);
  return codes;
}

/** New ones, to be shown once. */
export function recoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => randomCode(RECOVERY_DIGITS));
}

/** Takes a code of the app, or a recovery code; each works once. @throws ChatError 401 for any other */
export async function checkCode(
  { secondFactors }: Stores,
  account: Account,
  typed: string,
  now = Date.now(),
): Promise<void> {
  const authenticator = await secondFactors.of(account.id);
  const step = authenticator?.isConfirmed ? await stepOf(authenticator.secret, typed, now) : undefined;
  if (step !== undefined && (await secondFactors.consumeTimeStep(account.id, step))) return;
  if (await secondFactors.consumeRecoveryCode(account.id, normalCode(typed))) return;
  throw new ChatError(
    'wrong_code',
    401,
    'That code does not fit, or was used. Enter the one that the app shows now, or a recovery code that you have not used.',
    'code',
  );
}

/** The time step of a code; undefined for a wrong one. */
async function stepOf(secret: string, typed: string, now: number): Promise<number | undefined> {
  const token = typed.replace(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return undefined;
  const result = await verify({ secret, token, epoch: Math.floor(now / 1000), epochTolerance: TOLERANCE_S });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}

function inForce(): ChatError {
  return new ChatError('in_force', 409, 'An authenticator app is set up already. Remove it first.');
}
