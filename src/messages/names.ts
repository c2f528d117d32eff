/** Writing without spaces between its words: a name may stand directly beside it. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const WORD = /[\p{L}\p{M}\p{Nd}]/u;

/** Whether a character belongs to a word; undefined is the edge of a text. */
export function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && WORD.test(character);
}

/**
 * A name as `accounts/register.ts` takes it, after an @ (or its full-width form) that does not stand within a word or an
 * address. Scripts without spaces have no words to stand within.
 */
export const MENTION = new RegExp(
  `(?<!(?!${UNSPACED.source})[\\p{L}\\p{M}\\p{Nd}]|[@＠._/-])[@＠]([\\p{L}\\p{M}\\p{Nd}._-]{3,50})`,
  'gu',
);

/**
 * What a name after an @ may be, the longest first: as it stands, without what may end a sentence, and without the
 * words that follow it in a script without spaces.
 */
export function spellings(name: string): string[] {
  const found = [name, name.replace(/[._-]+$/, '')];
  const characters = [...name];
  for (let end = characters.length - 1; end >= 3; end--)
    if (UNSPACED.test(characters[end] ?? '')) found.push(characters.slice(0, end).join(''));
  return [...new Set(found)];
}
