/** Scripts without spaces between words: a mention may directly adjoin their characters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const WORD = /[\p{L}\p{M}\p{Nd}]/u;

/** Whether a character belongs to a word; undefined is the edge of a text. */
export function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && WORD.test(character);
}

/**
 * Matches a username after an @ (or its full-width form), unless the @ is inside a word or an address. An @ directly
 * after a character of a script without spaces does count.
 */
export const MENTION = new RegExp(
  `(?<!(?!${UNSPACED.source})[\\p{L}\\p{M}\\p{Nd}]|[@＠._/-])[@＠]([\\p{L}\\p{M}\\p{Nd}._-]{3,50})`,
  'gu',
);

/**
 * Candidate usernames for the text after an @, longest first: the whole text, without trailing punctuation, and
 * without the words that follow it in a script without spaces.
 */
export function spellings(name: string): string[] {
  const found = [name, name.replace(/[._-]+$/, '')];
  const characters = [...name];
  for (let end = characters.length - 1; end >= 3; end--)
    if (UNSPACED.test(characters[end] ?? '')) found.push(characters.slice(0, end).join(''));
  return [...new Set(found)];
}
