import { randomInt } from 'node:crypto';
import { username } from '../accounts/names.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { ImportedPerson } from './source.ts';

/** Nobody signs in with such an account until an administrator makes a link for a new password. */
const NO_PASSWORD = '';
const MAX_TRIES = 20;
/** Controls, marks of direction, and what has no width at all. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** The account that an archive's person seems to be: of that username, or the only one that is shown or signs in by that name. */
export async function matchPerson(
  accounts: AccountStore,
  everybody: readonly Account[],
  { name, username: named }: ImportedPerson,
): Promise<Account | undefined> {
  const byUsername = named === undefined ? undefined : await accounts.byName(named);
  if (byUsername && !byUsername.isBot) return byUsername;
  const fold = (text: string) => text.normalize('NFKC').toLowerCase().trim();
  const shown = everybody.filter((account) => !account.isBot && fold(account.name) === fold(name));
  if (shown.length > 0) return shown.length === 1 ? shown[0] : undefined;
  return everybody.find((account) => !account.isBot && fold(account.username) === fold(name));
}

/**
 * Makes an account for somebody who wrote in an archive, under a name that is free: what they wrote is theirs, and they
 * can have it with a link for a new password.
 */
export async function makePerson(
  accounts: AccountStore,
  { name, username: named }: Pick<ImportedPerson, 'name' | 'username'>,
  now: number,
): Promise<Account> {
  const base = usernameFrom(named ?? name);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    // Beyond a few that are taken, a number that nobody has: a chat may have hundreds of names of two letters.
    const suffix = tries === 0 ? '' : tries < MAX_TRIES / 2 ? tries + 1 : randomInt(10_000_000);
    const candidate = `${base.slice(0, 41)}${suffix}`;
    const account = await accounts.add({
      username: candidate,
      passwordHash: NO_PASSWORD,
      isAdmin: false,
      now,
    });
    if (account === 'taken' || account === 'confusable') continue;
    await showAs(accounts, account.id, shownName(name), candidate);
    return account;
  }
  throw new Error('No name is free for a person of an archive.');
}

/** Their own name, with a number where somebody else has it. */
async function showAs(accounts: AccountStore, id: number, name: string, username: string): Promise<void> {
  if (name === '' || name === username) return;
  for (let number = 1; number <= MAX_TRIES; number++)
    if (await accounts.setDisplayName(id, number === 1 ? name : `${name} (${number})`)) return;
}

function shownName(name: string): string {
  const line = name.replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').toWellFormed().trim();
  // Room for a number.
  return [...line].slice(0, 45).join('').trim();
}

/** Letters, digits and dots of a name; a phone number or a name of others becomes "person". */
function usernameFrom(name: string): string {
  const plain = name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{Nd}]+/gu, '.')
    .replace(/^\.+|\.+$/g, '')
    .slice(0, 48);
  return username.safeParse(plain).success ? plain : 'person';
}
