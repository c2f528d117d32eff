import type { AccountStore } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { GroupStore } from '../groups/store.ts';
import type { NewMessage } from './message.ts';
import { spellings } from './names.ts';
import type { TextRenderer } from './render.ts';

/** In groups with more members than this, @all has to be confirmed. */
export const MANY_MEMBERS = 10;
/** Maximum number of mentions per message; later ones are ignored. */
const MAX_NAMES = 50;

/** Maximum number of account look-ups per message; beside a script without spaces a name has several candidates. */
const MAX_LOOKUPS = 300;

/** Without one of these a text mentions nobody. */
const AT_SIGN = /[@＠]/;

type Mentions = Required<Pick<NewMessage, 'mentions' | 'mentionsAll'>>;

/** Finds the members that a text mentions and whether it mentions @all, outside of code and links. */
export async function findMentions(
  { accounts, groups, texts }: { accounts: AccountStore; groups: GroupStore; texts: TextRenderer },
  groupId: number,
  text: string,
): Promise<Mentions> {
  if (!AT_SIGN.test(text)) return { mentions: [], mentionsAll: false };
  const names = [...new Set(await texts.mentionedNames(text))].slice(0, MAX_NAMES);
  const mentions = new Set<number>();
  let lookups = 0;
  for (const name of names) {
    for (const spelling of spellings(name)) {
      if (++lookups > MAX_LOOKUPS) break;
      const account = await accounts.byName(spelling.normalize('NFC'));
      if (!account || !(await groups.membershipsOf(account.id)).has(groupId)) continue;
      mentions.add(account.id);
      break;
    }
  }
  const mentionsAll = names.some((name) =>
    spellings(name).some((spelling) => spelling.toLowerCase() === 'all'),
  );
  return { mentions: [...mentions], mentionsAll };
}

/** @throws ChatError 409 `confirm_all` for an unconfirmed @all in a group of more than MANY_MEMBERS members */
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
    `@all mentions all ${members} members. Confirm below to send it, or remove @all.`,
    'content',
  );
}
