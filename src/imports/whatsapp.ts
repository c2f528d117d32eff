import { timeIn } from '../time-zones.ts';
import type { DateOrder, ImportedFile, ImportedMessage, Outline, ReadingChoices } from './source.ts';

/** Marks of direction that WhatsApp puts into its lines. */
const MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const AM = /^(?:a\.?\s?m\.?|vorm\.|上午|오전|午前|de\.|ص|ÖÖ)$/i;
const PM = /^(?:p\.?\s?m\.?|nachm\.|下午|오후|午後|du\.|م|ÖS)$/i;
const HALF = String.raw`(a\.?\s?m\.?|p\.?\s?m\.?|vorm\.|nachm\.|上午|下午|오전|오후|午前|午後|de\.|du\.|ص|م|ÖÖ|ÖS)`;
/**
 * The beginning of a message, on Android ("31.12.20, 23:59 - Ada: …") and on iOS ("[31.12.20, 23:59:59] Ada: …"), as
 * phones of many languages write date and time.
 */
const HEAD = new RegExp(
  String.raw`^\[?(\d{1,4})\s?[./\-年년]\s?(\d{1,2})\s?[./\-月월]\s?(\d{2,4})[日일.]?[,،]?\s{0,3}(?:às|à|kl\.?|klo|um|o|в)?\s{0,3}(?:${HALF}\s{0,3})?(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\s?${HALF})?(?:\]\s|\s[-–]\s|,\s)(.*)$`,
  'is',
);
/** "Ada: …"; a notice such as `Ada changed the subject to "x: y"` has a quotation mark alone before its colon. */
const SPOKEN = /^((?:[^:"“”«»„]|"[^:"]*"|“[^:“”]*”|«[^:«»]*»|„[^:„“”]*[“”]){1,100}?)\s?:(?:\s|$)(.*)$/s;
/** On iOS, what the app says itself begins with a mark; so do files and what was left out. */
const IOS_NOTICE = /^\[[^\]]+\] [^:]{1,100}: ?\u200e/;
/** What stands for a file, in every language: "<attached: a.jpg>" on iOS, "a.jpg (file attached)" on Android. */
const ATTACHED = [
  /^(?:[^<>]{1,300} • [^<>]{0,60})?<[^:<>]{2,40}?\s?:\s?([^<>]+\.\w{1,5})>$/,
  /^(\S.*\.\w{1,5}) \([^()]+\)$/,
];

type Line = {
  clock: readonly string[];
  half: string;
  author: string | undefined;
  text: string;
  /** On iOS: it may be one of the app itself. */
  isMarked: boolean;
};

/** A chat that WhatsApp exported. */
export type WhatsappChat = Readonly<{ outline: Outline; messages: readonly ImportedMessage[] }>;

/** Lines that are read before others have a turn. */
const LINES_IN_TURN = 2_000;

/** `readWhatsapp` for a long text: others have their turn meanwhile. */
export async function readWhatsappInTurns(
  ...chat: Parameters<typeof readWhatsapp>
): Promise<WhatsappChat | undefined> {
  const steps = reading(...chat);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await new Promise(setImmediate);
  }
}

/**
 * Reads the text of a chat.
 * @param text the content of `_chat.txt`, or of "WhatsApp Chat with ….txt"
 * @param name what the conversation is called
 * @param entries the files that are beside it, by their names
 * @returns undefined for a text that is no such chat
 */
export function readWhatsapp(
  text: string,
  name: string,
  entries: ReadonlyMap<string, string>,
  choices: ReadingChoices,
): WhatsappChat | undefined {
  const steps = reading(text, name, entries, choices);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** Pauses after some lines. */
function* reading(
  text: string,
  name: string,
  entries: ReadonlyMap<string, string>,
  { zone, dates }: ReadingChoices,
): Generator<undefined, WhatsappChat | undefined> {
  const lines = yield* linesOf(text, name);
  if (lines.length === 0) return undefined;
  const { order, isAmbiguous } = dates ? { order: dates, isAmbiguous: false } : orderOf(lines);
  const toTime = timeIn(zone);
  const counts = new Map<string, number>();
  const people = new Map<string, number>();
  const messages: ImportedMessage[] = [];
  let notices = 0;
  for (const [index, line] of lines.entries()) {
    if (index % LINES_IN_TURN === LINES_IN_TURN - 1) yield;
    if (line.author === undefined) {
      notices += 1;
      continue;
    }
    const at = toTime(...clockOf(line, order));
    const written = line.text;
    // The same words by the same person in the same minute are told apart by their number.
    const same = `${line.author}\n${line.clock.join(' ')} ${line.half}\n${written}`;
    const nth = (counts.get(same) ?? 0) + 1;
    counts.set(same, nth);
    people.set(line.author, (people.get(line.author) ?? 0) + 1);
    const { files, rest } = attachedTo(written, entries);
    messages.push({ key: `${same}\n${nth}`, conversation: name, author: line.author, at, text: rest, files });
  }
  const times = messages.map(({ at }) => at);
  return {
    messages,
    outline: {
      kind: 'whatsapp',
      conversations: [{ key: name, name, messages: messages.length }],
      people: [...people].map(([key, count]) => ({ key, name: key.replace(/^~\s?/, ''), messages: count })),
      first: times[0] ?? 0,
      last: times.at(-1) ?? 0,
      notices,
      isAmbiguous,
    },
  };
}

/** The messages with the lines that follow them. */
function* linesOf(text: string, name: string): Generator<undefined, Line[]> {
  const lines: Line[] = [];
  let form = '';
  for (const [index, raw] of text.split(/\r\n?|\n/).entries()) {
    if (index % LINES_IN_TURN === LINES_IN_TURN - 1) yield;
    const plain = raw.replace(MARKS, '').replace(/[\u202f\u00a0]/g, ' ');
    const head = HEAD.exec(withLatinDigits(plain));
    const last = lines.at(-1);
    if (!head) {
      if (last) last.text += `\n${plain}`;
      continue;
    }
    const [
      ,
      first = '',
      second = '',
      third = '',
      before = '',
      hour = '',
      minute = '',
      seconds = '0',
      after = '',
    ] = head;
    // What was said keeps its own digits: only the beginning of the line was changed, digit by digit.
    const said = plain.slice(plain.length - (head[9] ?? '').length);
    const own = formOf(plain.slice(0, plain.length - said.length));
    // All messages of an export begin alike: another form was pasted into one.
    if (last && own !== form) {
      last.text += `\n${plain}`;
      continue;
    }
    form = own;
    const [, author, spoken] = SPOKEN.exec(said) ?? [];
    const isMarked = author !== undefined && IOS_NOTICE.test(raw.replace(/^[\u200e\u200f]+/, ''));
    lines.push({
      clock: [first, second, third, hour, minute, seconds],
      half: (before || after).trim(),
      author: author?.trim(),
      text: spoken ?? said,
      isMarked,
    });
  }
  const hasPartner = isPartner(lines, name);
  return lines.map((line, index) => ({
    ...line,
    author: isNotice(line, name, hasPartner && index > 0) ? undefined : line.author,
    text: line.text.trimEnd(),
  }));
}

/**
 * Whether the conversation is called as somebody in it: that of two people is, and what its partner sends is no notice.
 * Nobody is called as a group, in whose name only the app speaks.
 */
function isPartner(lines: readonly Line[], name: string): boolean {
  const own = lines.filter(({ author }) => author === name);
  return own.some(
    ({ isMarked, text }) => !isMarked || ATTACHED.some((attached) => attached.test(text.trimEnd())),
  );
}

/** "Family: Messages are encrypted", and "Ada: Ada created the group". */
function isNotice({ author, text, isMarked }: Line, conversation: string, hasPartner: boolean): boolean {
  if (!isMarked || author === undefined) return false;
  if (author === conversation) return !hasPartner;
  return text.startsWith(`${author.replace(/^~\s?/, '')} `);
}

/** Whether the date is in brackets, and the mark after the time, and whether the year comes first. */
function formOf(head: string): string {
  const latin = withLatinDigits(head);
  const isYearFirst = /^\[?\d{3,}/.test(latin);
  const end = /(?:\]|\s[-–]|,)\s$/.exec(latin)?.[0].trim() ?? '';
  return `${latin.startsWith('[')} ${isYearFirst} ${end.replace('–', '-')}`;
}

/** With Arabic and Persian digits at the beginning as 0 to 9. */
function withLatinDigits(line: string): string {
  return line.replace(/[٠-٩۰-۹]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf));
}

/** A part that is larger than 12 is no month; else the order in which time goes forward. */
function orderOf(lines: readonly Line[]): { order: DateOrder; isAmbiguous: boolean } {
  const parts = lines.map(({ clock }) => clock.slice(0, 3).map(Number));
  if (lines.some(({ clock }) => (clock[0]?.length ?? 0) > 2)) return { order: 'ymd', isAmbiguous: false };
  if (parts.some(([first = 0]) => first > 12)) return { order: 'dmy', isAmbiguous: false };
  if (parts.some(([, second = 0]) => second > 12)) return { order: 'mdy', isAmbiguous: false };
  const steps = { dmy: stepsBack(parts, 2, 1, 0), mdy: stepsBack(parts, 2, 0, 1) };
  if (steps.dmy === steps.mdy) return { order: 'dmy', isAmbiguous: true };
  return { order: steps.dmy < steps.mdy ? 'dmy' : 'mdy', isAmbiguous: false };
}

/** How often a line is from an earlier day than the one before. */
function stepsBack(parts: readonly number[][], year: number, month: number, day: number): number {
  let steps = 0;
  let before = 0;
  for (const part of parts) {
    const number = ((part[year] ?? 0) * 100 + (part[month] ?? 0)) * 100 + (part[day] ?? 0);
    if (number < before) steps += 1;
    before = number;
  }
  return steps;
}

function clockOf({ clock, half }: Line, order: DateOrder) {
  const [first = 0, second = 0, third = 0, hour = 0, minute = 0, seconds = 0] = clock.map(Number);
  const [year, month, day] = {
    dmy: [third, second, first],
    mdy: [third, first, second],
    ymd: [first, second, third],
  }[order] as [number, number, number];
  const hours = AM.test(half) ? hour % 12 : PM.test(half) ? (hour % 12) + 12 : hour;
  return [year < 100 ? 2_000 + year : year, month - 1, day, hours, minute, seconds] as const;
}

/** The file of a message, where its first line names one that is in the archive. */
function attachedTo(
  text: string,
  entries: ReadonlyMap<string, string>,
): { files: ImportedFile[]; rest: string } {
  const [first = '', ...others] = text.split('\n');
  for (const pattern of ATTACHED) {
    const name = pattern.exec(first.trim())?.[1]?.trim();
    const entry = name === undefined ? undefined : entries.get(name);
    if (name !== undefined && entry !== undefined)
      return { files: [{ name, entry }], rest: others.join('\n').trim() };
  }
  return { files: [], rest: text };
}
