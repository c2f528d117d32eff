import { GONE_NAME } from '../accounts/account.ts';
import type { AccountStore } from '../accounts/store.ts';
import { kindOf } from '../files/file.ts';
import type { Group } from '../groups/group.ts';
import type { Context } from '../http/views.ts';
import { plainText } from '../messages/markdown.ts';
import type { Message } from '../messages/message.ts';
import { timeOf } from '../messages/times.ts';
import { clock } from '../recordings/present.ts';
import { spokenIn } from '../recordings/recording.ts';
import { secondAt } from '../recordings/transcript.ts';
import { textOf } from './document.ts';
import { type Phrase, phraseAt, wordsFor } from './query.ts';
import { isUnspaced, searchText } from './words.ts';

const EXCERPT_CHARACTERS = 240;
const BEFORE_CHARACTERS = 70;
/** On either side of the first hit. */
const PARSED_CHARACTERS = 300;

/** Thumbnails beside a hit. */
const MAX_PICTURES = 4;

/** A piece of an excerpt, and whether it is what was looked for. */
export type Piece = { text: string; isHit: boolean };

/** A hit as the page of results takes it. */
export async function shownHit(
  accounts: AccountStore,
  message: Message,
  group: Group,
  phrases: readonly Phrase[],
): Promise<Context> {
  const author = await accounts.byId(message.authorId);
  const voice = spokenIn(message.files)?.voice;
  return {
    group,
    seq: message.seq,
    author: { id: message.authorId, name: author?.name ?? GONE_NAME },
    time: timeOf(message.createdAt),
    pieces: excerptOfMessage(textOf(message), phrases),
    second: secondOfHit(message, phrases),
    voice: voice ? clock(voice.length) : null,
    pictures: message.files.filter((file) => kindOf(file) === 'picture').slice(0, MAX_PICTURES),
  };
}

/** Parses only the text around the first hit: a long text would block the event loop. */
function excerptOfMessage(text: string, phrases: readonly Phrase[]): Piece[] {
  const at = hitsIn(text, phrases)[0]?.from ?? 0;
  const from = at > PARSED_CHARACTERS ? boundary(text, at - PARSED_CHARACTERS) : 0;
  const to = Math.min(text.length, at + PARSED_CHARACTERS);
  const pieces = excerpt(plainText(text.slice(from, to).toWellFormed()), phrases);
  const isCut = { from: from > 0 && pieces[0]?.text !== '…', to: to < text.length };
  return [
    ...(isCut.from ? [{ text: '…', isHit: false }] : []),
    ...pieces,
    ...(isCut.to && !pieces.at(-1)?.text.endsWith('…') ? [{ text: '…', isHit: false }] : []),
  ];
}

/** When the first hit in a voice message is said; null where there is none. */
function secondOfHit({ content, files }: Message, phrases: readonly Phrase[]): number | null {
  const spoken = spokenIn(files);
  const [hit] = spoken ? hitsIn(content, phrases) : [];
  return spoken && hit ? secondAt(content, spoken.voice, hit.from) : null;
}

/** What stands around the first hit, on one line, with every hit in it marked. */
export function excerpt(text: string, phrases: readonly Phrase[]): Piece[] {
  const hits = hitsIn(text, phrases);
  const first = hits[0]?.from ?? 0;
  const from = first > BEFORE_CHARACTERS + 20 ? boundary(text, first - BEFORE_CHARACTERS) : 0;
  const to = Math.min(text.length, from + EXCERPT_CHARACTERS);
  const pieces: Piece[] = from > 0 ? [{ text: '…', isHit: false }] : [];
  let at = from;
  for (const hit of hits) {
    if (hit.from < at || hit.to > to) continue;
    pieces.push(
      { text: text.slice(at, hit.from), isHit: false },
      { text: text.slice(hit.from, hit.to), isHit: true },
    );
    at = hit.to;
  }
  pieces.push({ text: `${text.slice(at, to).toWellFormed()}${to < text.length ? '…' : ''}`, isHit: false });
  return pieces.filter((piece) => piece.text !== '');
}

/** The positions of the hits in the original text, in order. */
function hitsIn(text: string, phrases: readonly Phrase[]): { from: number; to: number }[] {
  const searched = searchText(text);
  const marked = new Map<number, { from: number; to: number }>();
  for (const phrase of phrases) {
    for (const words of wordsFor(phrase, searched)) {
      words.forEach((_word, at) => {
        if (!phraseAt(words, at, phrase)) return;
        phrase.words.forEach((wanted, index) => {
          const word = words[at + index];
          if (!word) return;
          // Folding may change a word's length; where it does, all of it is marked.
          const isSame = word.folded.length === word.written.length;
          const start = isSame && isUnspaced(wanted) ? word.folded.indexOf(wanted) : 0;
          const length = isSame ? wanted.length : word.written.length;
          marked.set(word.at + start, { from: word.at + start, to: word.at + start + length });
        });
      });
    }
  }
  return [...marked.values()].sort((a, b) => a.from - b.from);
}

/** The beginning of the word at or after a place. */
function boundary(text: string, at: number): number {
  const space = text.indexOf(' ', at);
  return space >= 0 && space < at + 20 ? space + 1 : at;
}
