/** A word of a text as it was written and as it is compared, and where it begins. */
export type Word = { written: string; folded: string; at: number };

/** Scripts that are indexed by single characters and bigrams: those without spaces, and Korean for its particles. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}ー々\uff70\uff9e\uff9f]/u;
/** Invisible characters within a word: joiners, soft hyphens, zero-width spaces. */
const INVISIBLE = '\\p{Default_Ignorable_Code_Point}';
const EMOJI = '\\p{Extended_Pictographic}|\\p{Regional_Indicator}{2}';
const LETTER_OF_WORD = `(?!${UNSPACED.source}|${EMOJI})[\\p{L}\\p{M}\\p{N}_]`;
// No character is both a letter of a word and invisible here: a word can be matched in one way only, in linear time.
const RUNS = new RegExp(
  `(?:${EMOJI})|(?:${UNSPACED.source}[\\p{M}${INVISIBLE}]*)+|${LETTER_OF_WORD}(?:(?:(?![\\p{L}\\p{M}\\p{N}_])${INVISIBLE})*${LETTER_OF_WORD})*`,
  'gu',
);
/** Markdown marks within a word: readers do not see them, so the word continues. */
const MARK_WITHIN = /^(?:\*{1,3}|~~|`)$/;
/** What a text with later parts has; most have none. */
const COMPOUND = /_|\p{Ll}\p{Lu}/u;
/** The first character of a later part of a compound word: after an underscore, or a capital within the word. */
const LATER_PARTS = /(?<=_)[^_]|(?<=\p{Ll})\p{Lu}/gu;

/** Of a word, as a name in a program may have; further ones are not found by themselves. */
const MAX_LATER_PARTS = 50;
/** As much of a later part as a query can ask for. */
const MAX_PART_CHARACTERS = 300;

/**
 * The words of a query, in order; a run of characters of a script without spaces is one word. Underscores around a word
 * are left out: they are those of italics, or of names such as __init__.
 */
export function queryWords(text: string): Word[] {
  // Most texts are ASCII, and matching by script is slow.
  const runs = [...text.matchAll(isAscii(text) ? ASCII_RUNS : RUNS)];
  return (
    runs
      .map(({ 0: run, index }) => {
        let [from, to] = [0, run.length];
        while (run[from] === '_') from++;
        while (to > from && run[to - 1] === '_') to--;
        const written = run.slice(from, to);
        return { written, folded: fold(written), at: index + from };
      })
      // Such as the variation selector behind an emoji.
      .filter(({ folded }) => folded !== '')
  );
}

/** A text as it is searched. */
export type SearchText = {
  /** All words that it is found by. */
  words: readonly Word[];
  /** Its words in order, in which phrases are found: as written, and as a reader sees them where that differs. */
  readings: readonly (readonly Word[])[];
};

/**
 * Beside its words, a text is found by the later parts of compound words such as my_var_name and getUserName, and by
 * words with Markdown marks inside them as a reader sees them.
 */
export function searchText(text: string): SearchText {
  const words = queryWords(text);
  const later = COMPOUND.test(text) ? words.flatMap(laterParts) : [];
  const joined = joinedAcrossMarks(text, words);
  const known = new Set(words);
  return {
    words: [...words, ...later, ...joined.filter((word) => !known.has(word))],
    readings: joined.length < words.length ? [words, joined] : [words],
  };
}

function laterParts({ written, at }: Word): Word[] {
  return [...written.matchAll(LATER_PARTS)].slice(0, MAX_LATER_PARTS).map(({ index }) => {
    const rest = written.slice(index, index + MAX_PART_CHARACTERS);
    return { written: rest, folded: fold(rest), at: at + index };
  });
}

/** The words of a text, each one that has marks inside it as one. */
function joinedAcrossMarks(text: string, words: readonly Word[]): readonly Word[] {
  if (!/[*~`]/.test(text)) return words;
  const found: Word[] = [];
  for (let first = 0; first < words.length; first++) {
    const word = words[first];
    if (!word) break;
    const { at, written } = word;
    let joined = written;
    let end = at + written.length;
    for (
      let next = words[first + 1];
      next && MARK_WITHIN.test(text.slice(end, next.at));
      next = words[first + 1]
    ) {
      joined += next.written;
      end = next.at + next.written.length;
      first += 1;
    }
    found.push(joined === written ? word : { written: text.slice(at, end), folded: fold(joined), at });
  }
  return found;
}

const ASCII_RUNS = /\w+/g;

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all that ASCII has is meant
  return /^[\x00-\x7f]*$/.test(text);
}

export function isUnspaced(word: string): boolean {
  return !isAscii(word) && UNSPACED.test(word);
}

/** Letters that Unicode does not decompose, and people type without (CLDR, Latin-ASCII; Arabic hamza and teh marbuta). */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  ı: 'i',
  ø: 'o',
  æ: 'ae',
  œ: 'oe',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ſ: 's',
  ς: 'σ',
  ٱ: 'ا',
  ى: 'ي',
  ی: 'ي',
  ک: 'ك',
  ة: 'ه',
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'gu');
/** Scripts whose accents are ignored, since people leave them out; the Cyrillic й stays a letter of its own. */
const ACCENTED =
  /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}])(\p{Mn}+)/gu;

/**
 * Folds variants of a word into one: width, ligatures, case, accents, vowel marks, invisible characters. Queries and
 * texts are folded the same way.
 */
export function fold(word: string): string {
  if (isAscii(word)) return word.toLowerCase();
  return word
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\p{Default_Ignorable_Code_Point}\u0640]/gu, '')
    .normalize('NFD')
    .replace(ACCENTED, (_all, letter: string, marks: string) =>
      letter === 'и' && marks === '\u0306' ? letter + marks : letter,
    )
    .normalize('NFC')
    .replace(LETTER, (letter) => LETTERS[letter] ?? letter);
}

/** The lengths, in characters, of the beginnings of words that are indexed. */
const PREFIXES = [2, 3, 4, 6, 9];
/** Limit of index keys per message; words beyond it are not indexed. The longest texts of people have fewer. */
const MAX_KEYS = 8_000;

/**
 * The index keys of a text: prefixes of its words, and single characters and bigrams of scripts without spaces.
 */
export function indexKeys(text: string): Set<string> {
  const keys = new Set<string>();
  for (const { folded } of searchText(text).words) {
    if (keys.size > MAX_KEYS) break;
    const characters = [...folded];
    if (isUnspaced(folded)) {
      characters.forEach((character, index) => {
        keys.add(character);
        const next = characters[index + 1];
        if (next !== undefined) keys.add(character + next);
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

/** Keys that every text with a word of this prefix has. Others may have them too, so hits have to be verified. */
export function queryKeys(word: string): string[] {
  const characters = [...word];
  if (isUnspaced(word)) {
    if (characters.length === 1) return [word];
    return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
  }
  const longest = PREFIXES.findLast((length) => length <= characters.length);
  return [longest === undefined ? word : characters.slice(0, longest).join('')];
}
