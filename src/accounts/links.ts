import { randomBytes } from 'node:crypto';
import { ChatError } from '../errors.ts';
import type { LinkKind, LinkUse, SignInLinkStore } from './link-store.ts';
import { suspended } from './sign-in.ts';
import type { Account, AccountStore } from './store.ts';

const HOUR_MS = 3_600_000;

/** How long a link of each kind is valid. */
export const VALID_MS: Readonly<Record<LinkKind, number>> = {
  password: 24 * HOUR_MS,
  mail: 24 * HOUR_MS,
  device: 4 * HOUR_MS,
};

export type LinkDependencies = { accounts: AccountStore; signInLinks: SignInLinkStore };

/**
 * Makes a link that signs an account in once. An earlier link of this kind is void.
 * @returns its path with the token of 192 random bits, which is stored nowhere
 */
export async function makeLink(
  { signInLinks }: Pick<LinkDependencies, 'signInLinks'>,
  accountId: number,
  kind: LinkKind,
  now = Date.now(),
): Promise<string> {
  const token = randomBytes(24).toString('base64url');
  await signInLinks.removeExpired(now);
  await signInLinks.add(token, accountId, kind, now + VALID_MS[kind]);
  return `/${kind === 'device' ? 'this-device' : 'new-password'}/${token}`;
}

/** Whose link it is, without using it up. @throws ChatError 404 for one that is not valid, 403 for a suspended account */
export async function readLink(
  { accounts, signInLinks }: LinkDependencies,
  token: string,
  use: LinkUse,
): Promise<Account> {
  return usable(accounts, await signInLinks.accountOf(token, use, Date.now()));
}

/** Uses a link up. @throws ChatError as `readLink` */
export async function consumeLink(
  { accounts, signInLinks }: LinkDependencies,
  token: string,
  use: LinkUse,
): Promise<Account> {
  return usable(accounts, await signInLinks.consume(token, use, Date.now()));
}

async function usable(accounts: AccountStore, accountId: number | undefined): Promise<Account> {
  const account = accountId === undefined ? undefined : await accounts.byId(accountId);
  if (!account || account.isBot) throw linkUsed();
  if (account.suspendedAt !== null) throw suspended();
  return account;
}

/** Of a link that signs in or confirms an address. */
export function linkUsed(): ChatError {
  return new ChatError('link_used', 404, 'This link was used already, or has run out. Ask for a new one.');
}
