import { transcriptText, type Voice } from './recording.ts';

/** A word of a transcript, and the second at which it is said; null where nobody knows. */
export type TimedWord = { text: string; at: number | null };

/** Comparing two texts takes the product of their lengths; beyond this the words keep no times. */
const MAX_COMPARISONS = 600_000;

/** A message is shown many times: as a page, as JSON, as a hit. */
const cachedWords = new WeakMap<Voice, { content: string; words: TimedWord[] }>();

/**
 * The words of a text with their times. A corrected text is aligned with the recognised words (longest common
 * subsequence of words): unchanged words keep their times, and a new word gets the time of the word before it.
 */
export function timedWords(content: string, voice: Voice): TimedWord[] {
  const cached = cachedWords.get(voice);
  if (cached?.content === content) return cached.words;
  const words = alignedWords(content, voice);
  cachedWords.set(voice, { content, words });
  return words;
}

/** Whether a text is words only: what is formatted, or calls somebody, is shown like other messages. */
export function isPlain(content: string): boolean {
  return !/[\n*_`~>[\]@#]|https?:/.test(content);
}

function alignedWords(content: string, voice: Voice): TimedWord[] {
  const written = content.split(/\s+/).filter(Boolean);
  if (content === transcriptText(voice)) return voice.words.map(([text, at]) => ({ text, at }));
  const times = align(written.map(folded), voice.words);
  let last: number | null = null;
  return written.map((text, index) => {
    last = times[index] ?? last;
    return { text, at: last };
  });
}

function align(written: readonly string[], words: Voice['words']): (number | undefined)[] {
  if (written.length * words.length > MAX_COMPARISONS) return [];
  const recognised = words.map(([text]) => folded(text));
  const width = recognised.length + 1;
  // lengths[i * width + j]: of the longest common subsequence of what follows i and j.
  const lengths = new Uint16Array((written.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = written.length - 1; i >= 0; i--)
    for (let j = recognised.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        written[i] === recognised[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const times: (number | undefined)[] = [];
  for (let i = 0, j = 0; i < written.length && j < recognised.length; ) {
    if (written[i] === recognised[j]) {
      times[i] = words[j]?.[1];
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return times;
}

/** A word as it sounds: without case and punctuation. */
function folded(word: string): string {
  return word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/** The time, in seconds, of a position in a transcript, such as a search hit. @param offset in UTF-16 units */
export function secondAt(content: string, voice: Voice, offset: number): number | null {
  const before = content.slice(0, offset).split(/\s+/).filter(Boolean).length;
  const isInside = offset > 0 && /\S/.test(content[offset - 1] ?? '');
  return timedWords(content, voice)[isInside ? before - 1 : before]?.at ?? null;
}
