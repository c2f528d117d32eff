import { z } from 'zod';
import type { Account, AccountStore } from '../accounts/store.ts';
import { invalid } from '../errors.ts';
import type { Group } from '../groups/group.ts';
import { isLineOfOther } from '../groups/policies.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import { visiblePeople, visiblePerson } from '../groups/visibility.ts';
import { clockIn, startOfDay } from '../time-zones.ts';
import { MARKS } from './document.ts';
import { fold, isUnspaced, queryWords, type SearchText, searchText, type Word } from './words.ts';

/** What `has:` takes, as it is chosen from a list. */
export const HAS: readonly { value: keyof typeof MARKS.has; label: string }[] = [
  { value: 'file', label: 'A file' },
  { value: 'image', label: 'A picture' },
  { value: 'video', label: 'A video' },
  { value: 'audio', label: 'A sound' },
  { value: 'voice', label: 'A voice message' },
  { value: 'link', label: 'A link' },
];

/** Consecutive words; unless `isWhole`, the last one matches as a prefix. */
export type Phrase = { words: readonly string[]; isWhole: boolean };

export type SearchQuery = {
  phrases: readonly Phrase[];
  marks: readonly string[];
  groups: readonly Group[];
  after: number | undefined;
  before: number | undefined;
};

export const MAX_QUERY_CHARACTERS = 300;
const MAX_WORDS = 20;
/** Maximum number of accounts whose names are compared without accents. */
const MAX_COMPARED_PEOPLE = 1_000;

const chosenId = z
  .string()
  .regex(/^\d{0,15}$/, 'Choose from the list.')
  .optional()
  .transform((value) => (value ? Number(value) : undefined));

const day = z
  .string()
  .regex(/^(\d{4}-\d{2}-\d{2})?$/, 'Choose a day.')
  .optional()
  .transform((value) => value || undefined);

const PART = /(from|in|before|after|has):(?:"([^"]*)"|(\S+))|"([^"]*)"?|(\S+)/giu;

/** What was chosen beside the words: ids, days such as 2026-11-21 (both inclusive), and one of `has:`. */
export const searchFilters = z.object({
  from: chosenId,
  in: chosenId,
  since: day,
  until: day,
  has: z
    .string()
    .optional()
    .transform((value) => value || undefined),
});

export type SearchFilters = Partial<z.infer<typeof searchFilters>>;

/**
 * Parses a search: words, "phrases", from:, in:, before:, after: and has:.
 * @param filters chosen from lists beside the text
 * @param zone time zone of the dates, such as Europe/Berlin
 * @throws ChatError 400 for an invalid or empty search, or an unknown person or conversation
 */
export async function readQuery(
  {
    accounts,
    groups,
    groupPresenter,
  }: { accounts: AccountStore; groups: GroupStore; groupPresenter: GroupPresenter },
  account: Account,
  text: string,
  filters: SearchFilters,
  zone: string,
  now = new Date(),
): Promise<SearchQuery> {
  if (text.length > MAX_QUERY_CHARACTERS)
    throw invalid('q', `A search has at most ${MAX_QUERY_CHARACTERS} characters.`);
  const phrases: Phrase[] = [];
  const marks: string[] = [];
  let wanted = await readable(groups, groupPresenter, account);
  const everywhere = wanted.length;
  let after: number | undefined;
  let before: number | undefined;

  for (const [, operator, quoted, bare, phrase, word] of text.matchAll(PART)) {
    const value = quoted ?? bare ?? '';
    if (phrase !== undefined) add(phrase, true);
    else if (word !== undefined) add(word, false);
    else if (operator?.toLowerCase() === 'from') marks.push(MARKS.from(await idOf(value)));
    else if (operator?.toLowerCase() === 'in') wanted = named(wanted, value);
    else if (operator?.toLowerCase() === 'has') marks.push(markOf(value));
    else if (operator?.toLowerCase() === 'after') after = dateOf('after', value, now, zone).end;
    else before = dateOf('before', value, now, zone).start;
  }
  if (filters.from !== undefined) marks.push(MARKS.from(filters.from));
  if (filters.has) marks.push(markOf(filters.has));
  if (filters.in !== undefined) wanted = wanted.filter((group) => group.id === filters.in);
  if (wanted.length === 0 && filters.in !== undefined)
    throw invalid('in', 'You are not in that conversation. Choose another.');
  if (filters.since) after = Math.max(after ?? 0, dateOf('since', filters.since, now, zone).start);
  if (filters.until) before = Math.min(before ?? Infinity, dateOf('until', filters.until, now, zone).end);
  if (phrases.reduce((sum, phrase) => sum + phrase.words.length, 0) > MAX_WORDS)
    throw invalid('q', `A search has at most ${MAX_WORDS} words.`);
  const isNarrowed =
    filters.in !== undefined || wanted.length < everywhere || after !== undefined || before !== undefined;
  if (phrases.length === 0 && marks.length === 0 && !isNarrowed && !/\bin:/i.test(text))
    throw invalid('q', 'Type a word to search for.');
  return { phrases, marks, groups: wanted, after, before };

  function add(written: string, isPhrase: boolean): void {
    const words = queryWords(written).map((word) => word.folded);
    if (words.length === 0) return;
    // "don't" or "a-b" without quotes is a phrase too; its last word matches as a prefix, like a single word.
    phrases.push({ words, isWhole: isPhrase });
  }

  async function idOf(name: string): Promise<number> {
    if (name.toLowerCase() === 'me') return account.id;
    const wanted = name.replace(/^@/, '').normalize('NFC');
    const author =
      (await named()) ??
      (await visiblePeople({ accounts, groups }, account, MAX_COMPARED_PEOPLE)).find(
        (person) => fold(person.username) === fold(wanted) || fold(person.name) === fold(wanted),
      );
    if (!author) throw invalid('q', `Nobody here is called “${name}”.`);
    return author.id;

    async function named(): Promise<Account | undefined> {
      const person = await accounts.byName(wanted);
      // A guest does not learn who else has an account.
      return person && visiblePerson({ accounts, groups }, account, person.id).catch(() => undefined);
    }
  }
}

/** All conversations that the account may read, with the names that it sees. */
export async function readable(
  groups: GroupStore,
  presenter: GroupPresenter,
  account: Account,
): Promise<Group[]> {
  const readableGroups: Group[] = [];
  for (const groupId of (await groups.membershipsOf(account.id)).keys()) {
    const group = await groups.byId(groupId);
    if (group && !isLineOfOther(group, account))
      readableGroups.push(await presenter.named(group, account.id));
  }
  return readableGroups;
}

function named(groups: readonly Group[], name: string): Group[] {
  const wanted = fold(name.replace(/^#/, ''));
  const exact = groups.filter((group) => fold(group.name) === wanted);
  const matching = exact.length > 0 ? exact : groups.filter((group) => fold(group.name).startsWith(wanted));
  if (matching.length === 0) throw invalid('q', `You are in no conversation called “${name}”.`);
  return matching;
}

function isMark(key: string): key is keyof typeof MARKS.has {
  return Object.hasOwn(MARKS.has, key);
}

function markOf(value: string): string {
  const word = value.toLowerCase();
  // As the filter beside the words says.
  const key = word === 'picture' ? 'image' : word;
  if (isMark(key)) return MARKS.has[key];
  throw invalid(
    'q',
    `“has:” takes ${new Intl.ListFormat('en', { type: 'disjunction' }).format(Object.keys(MARKS.has))}.`,
  );
}

/** A day, month or year in a time zone, in milliseconds: start (inclusive) and end (exclusive). */
function dateOf(operator: string, value: string, now: Date, zone: string): { start: number; end: number } {
  const word = value.toLowerCase();
  if (word === 'today' || word === 'yesterday') {
    const [year, month, day] = dayIn(zone, now);
    return span(zone, year, month, word === 'yesterday' ? day - 1 : day, 'day');
  }
  const [, year, month, day] = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/.exec(value) ?? [];
  const date = new Date(Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1)));
  const isReal =
    year !== undefined &&
    date.getUTCMonth() === Number(month ?? 1) - 1 &&
    date.getUTCDate() === Number(day ?? 1);
  if (!isReal) throw invalid('q', `“${operator}:” takes a date such as 2026-11-21, 2026-11 or 2026.`);
  const unit = day ? 'day' : month ? 'month' : 'year';
  return span(zone, date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), unit);
}

function span(zone: string, year: number, month: number, day: number, unit: 'day' | 'month' | 'year') {
  const next: [number, number, number] =
    unit === 'day' ? [year, month, day + 1] : unit === 'month' ? [year, month + 1, 1] : [year + 1, 0, 1];
  return { start: startOfDay(zone, year, month, day), end: startOfDay(zone, ...next) };
}

function dayIn(zone: string, date: Date): [number, number, number] {
  const [year, month, day] = clockIn(zone, date);
  return [year, month, day];
}

/** Whether a text matches all phrases. Verifies a hit of the index, which may be a false positive. */
export function fits(text: string, phrases: readonly Phrase[]): boolean {
  const searched = searchText(text);
  return phrases.every((phrase) =>
    wordsFor(phrase, searched).some((words) => words.some((_word, at) => phraseAt(words, at, phrase))),
  );
}

/** In which words of a text a phrase is found: several stand together in it. */
export function wordsFor({ words: wanted }: Phrase, { words, readings }: SearchText): SearchText['readings'] {
  return wanted.length > 1 ? readings : [words];
}

/** Whether a phrase matches the words of a text from index `at` on. */
export function phraseAt(words: readonly Word[], at: number, { words: wanted, isWhole }: Phrase): boolean {
  return wanted.every((wantedWord, index) => {
    const word = words[at + index]?.folded;
    if (word === undefined) return false;
    if (isUnspaced(wantedWord)) return word.includes(wantedWord);
    return index < wanted.length - 1 || isWhole ? word === wantedWord : word.startsWith(wantedWord);
  });
}
