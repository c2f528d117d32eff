/** A word of a text as it was written and as it is compared, and where it begins. */
export type Word = { written: string; folded: string; at: number };

/** Writing without spaces between its words: found by single and double characters. Korean has spaces, and particles. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々]/u;
const RUNS = new RegExp(
  `(?:${UNSPACED.source}\\p{M}*)+|(?:(?!${UNSPACED.source})[\\p{L}\\p{M}\\p{N}_])+`,
  'gu',
);

/** The words of a text in their order; of writing without spaces each run of it is one. */
export function wordsOf(text: string): Word[] {
  // Most texts are plain, and scripts take long to tell apart.
  return [...text.matchAll(isAscii(text) ? ASCII_RUNS : RUNS)].map(({ 0: written, index }) => ({
    written,
    folded: fold(written),
    at: index,
  }));
}

const ASCII_RUNS = /\w+/g;

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all that ASCII has is meant
  return /^[\x00-\x7f]*$/.test(text);
}

export function isUnspaced(word: string): boolean {
  return !isAscii(word) && UNSPACED.test(word);
}

/** Two spellings of a word become the same: widths, ligatures, case, and the accents of Latin, Greek and Cyrillic. */
export function fold(word: string): string {
  if (isAscii(word)) return word.toLowerCase();
  return word
    .normalize('NFKD')
    .toLowerCase()
    .replace(/(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{Mn}+/gu, '')
    .normalize('NFKC');
}

/** The lengths, in characters, of the beginnings of words that are indexed. */
const PREFIXES = [2, 3, 4, 6, 9];
/** What a message of 8,000 characters may add to the index; the rest of such a wall of text is not found by its words. */
const MAX_KEYS = 2_000;

/**
 * What a text is found by: beginnings of its words, and single and double characters of writing without spaces.
 */
export function indexKeys(text: string): Set<string> {
  const keys = new Set<string>();
  for (const { folded } of wordsOf(text)) {
    if (keys.size > MAX_KEYS) break;
    const characters = [...folded];
    if (isUnspaced(folded)) {
      characters.forEach((one, index) => {
        keys.add(one);
        const next = characters[index + 1];
        if (next !== undefined) keys.add(one + next);
      });
    } else {
      const [first = ''] = characters;
      if (characters.length === 1) keys.add(first);
      for (const length of PREFIXES)
        if (length <= characters.length) keys.add(characters.slice(0, length).join(''));
    }
  }
  return keys;
}

/** The keys that every text with a word of this beginning has: the hits are looked at before they are shown. */
export function queryKeys(word: string): string[] {
  const characters = [...word];
  if (isUnspaced(word)) {
    if (characters.length === 1) return [word];
    return characters.slice(1).map((one, index) => `${characters[index]}${one}`);
  }
  const longest = PREFIXES.findLast((length) => length <= characters.length);
  return [longest === undefined ? word : characters.slice(0, longest).join('')];
}
