import type { AccountStore } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { GroupStore } from '../groups/store.ts';
import type { NewMessage } from './message.ts';

/** Above this many members, calling everybody asks first. */
export const MANY_MEMBERS = 10;
/** So many names are looked up in one message; more is a list, not a call. */
const MAX_NAMES = 50;

/** A name as `accounts/register.ts` takes it, after an @ that does not stand within a word or an address. */
export const MENTION = /(?<![\p{L}\p{M}\p{Nd}@._-])@([\p{L}\p{M}\p{Nd}._-]{3,50})/gu;

/**
 * Whom a text calls: members whose names follow an @. A point or a dash after the name may be the end of a sentence.
 */
export async function findMentions(
  { accounts, groups }: { accounts: AccountStore; groups: GroupStore },
  groupId: number,
  text: string,
): Promise<Required<Pick<NewMessage, 'mentions' | 'mentionsAll'>>> {
  if (!text.includes('@')) return { mentions: [], mentionsAll: false };
  const names = new Set<string>();
  for (const [, name = ''] of text.matchAll(MENTION)) if (names.size < MAX_NAMES) names.add(name);
  const mentions = new Set<number>();
  for (const name of names) {
    for (const spelling of spellings(name)) {
      const account = await accounts.byName(spelling.normalize('NFC'));
      if (!account || !(await groups.membershipsOf(account.id)).has(groupId)) continue;
      mentions.add(account.id);
      break;
    }
  }
  const mentionsAll = [...names].some((name) => spellings(name).some((one) => one.toLowerCase() === 'all'));
  return { mentions: [...mentions], mentionsAll };
}

/** @throws ChatError 409 `confirm_all` where many would be called and nobody said that this is meant */
export async function confirmMentions(
  groups: GroupStore,
  groupId: number,
  confirmed: boolean,
): Promise<void> {
  const members = await groups.countMembers(groupId);
  if (members <= MANY_MEMBERS || confirmed) return;
  throw new ChatError(
    'confirm_all',
    409,
    `@all calls all ${members} members. Confirm it below to send it, or take @all out.`,
    'content',
  );
}

/** A name, and the same without what may end a sentence. */
export function spellings(name: string): string[] {
  return [...new Set([name, name.replace(/[._-]+$/, '')])];
}
