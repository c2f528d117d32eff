import { buffer } from 'node:stream/consumers';
import { invalid } from '../errors.ts';
import {
  type ArchiveFile,
  MAX_LINES_BYTES,
  openArchiveFile,
  type ReadRange,
  tooLarge,
} from './archive-file.ts';
import { isHearthArchive, readHearth } from './hearth.ts';
import { linesOf } from './lines.ts';
import { readMattermost } from './mattermost.ts';
import { readSlack } from './slack.ts';
import type { Outline, Reading, ReadingChoices } from './source.ts';
import { readWhatsappInTurns } from './whatsapp.ts';

/** What was uploaded, opened: an outline of it, its messages, and its files where it has some. */
export type OpenedImport = Readonly<{
  outline: Outline;
  messages(): Reading;
  archive: ArchiveFile | undefined;
}>;

/** WhatsApp exports 40,000 messages of a chat at most (faq.whatsapp.com, "How to export your chat history"). */
const MAX_WHATSAPP_CHARACTERS = 20_000_000;
/** In UTF-8, of what counts as one in a string. */
const MAX_BYTES_OF_CHARACTER = 3;
const MAX_NAME_CHARACTERS = 200;
const ZIP_MAGIC = Buffer.from('PK');
/** What tells the formats of texts apart. */
const START_BYTES = 1_000;
/** The texts of exports, the surest first; a chat may have others among its files. */
const TEXTS = [/(?:^|\/)_chat\.txt$/i, /(?:^|\/)whatsapp[^/]*\.txt$/i, /\.jsonl$/i, /\.txt$/i];

/**
 * Finds out of which chat an archive is, and opens it.
 * @param name of the file, from which that of a conversation is taken where nothing else has one
 * @throws ChatError 400 for what is none of those that can be read
 */
export async function openImport(
  name: string,
  read: ReadRange,
  size: number,
  choices: ReadingChoices,
): Promise<OpenedImport> {
  const beginning = await buffer(read(0, Math.min(size, ZIP_MAGIC.length)));
  const isZip = beginning.equals(ZIP_MAGIC);
  if (!isZip && size > MAX_LINES_BYTES) throw unknown();
  const archive = isZip ? await openArchiveFile(read, size) : undefined;
  try {
    if (!archive)
      return await openText({ name, size, folder: '', open: async () => read(0, size) }, undefined, choices);
    if (archive.has('channels.json') || archive.has('users.json'))
      return withMessages({ ...(await readSlack(archive)), archive });
    const text = textOf(archive.names);
    if (text === undefined) throw unknown();
    const own = /_chat\.txt$/i.test(text) ? name : (text.split('/').at(-1) ?? name);
    const source = {
      ...{ name: own, size: archive.sizeOf(text), open: () => archive.open(text) },
      folder: text.slice(0, text.lastIndexOf('/') + 1),
    };
    if (source.size > MAX_LINES_BYTES) throw tooLarge();
    return await openText(source, archive, choices);
  } catch (error) {
    archive?.close();
    if (error instanceof SyntaxError || (error instanceof Error && error.name === 'ZodError'))
      throw unknown();
    throw error;
  }
}

/** The text of an export in a ZIP: it lies above what people sent. */
function textOf(names: readonly string[]): string | undefined {
  const depthOf = (entry: string) => entry.split('/').length;
  const rankOf = (entry: string) => TEXTS.findIndex((pattern) => pattern.test(entry));
  return names
    .filter((entry) => rankOf(entry) >= 0)
    .sort((a, b) => depthOf(a) - depthOf(b) || rankOf(a) - rankOf(b))[0];
}

/** @throws ChatError 400 for one without messages */
function withMessages(opened: OpenedImport): OpenedImport {
  if (opened.outline.conversations.every(({ messages }) => messages === 0)) throw unknown();
  return opened;
}

/** A text in the folder of an archive, or the archive itself. `size` in bytes. */
type Source = Readonly<{
  name: string;
  size: number;
  /** With its slash; empty at the top. */
  folder: string;
  open(): Promise<AsyncIterable<Buffer>>;
}>;

async function openText(
  source: Source,
  archive: ArchiveFile | undefined,
  choices: ReadingChoices,
): Promise<OpenedImport> {
  const { folder } = source;
  const entries = new Map(
    (archive?.names ?? [])
      .filter((entry) => entry.startsWith(folder))
      .map((entry) => [entry.slice(folder.length), entry]),
  );
  const beginning = await beginningOf(source);
  const lines = async function* () {
    yield* linesOf(await source.open());
  };
  const opened = isHearthArchive(beginning)
    ? await readHearth(lines, entries)
    : beginning.startsWith('{')
      ? await readMattermost(lines(), entries)
      : await readChat(source, archive?.names ?? [], choices);
  if (!opened) throw unknown();
  return withMessages({ ...opened, archive });
}

async function beginningOf({ open }: Source): Promise<string> {
  let beginning = Buffer.alloc(0);
  for await (const chunk of await open()) {
    beginning = Buffer.concat([beginning, chunk]);
    if (beginning.length >= START_BYTES) break;
  }
  return beginning
    .toString()
    .replace(/^\ufeff/, '')
    .trimStart();
}

async function readChat({ name, size, open }: Source, names: readonly string[], choices: ReadingChoices) {
  const tooLong = invalid(
    'archive',
    'A chat of WhatsApp has at most 20 million characters. Divide its text into two files, then bring in each.',
    'too_large',
  );
  if (size > MAX_WHATSAPP_CHARACTERS * MAX_BYTES_OF_CHARACTER) throw tooLong;
  const text = (await buffer(await open())).toString().replace(/^\ufeff/, '');
  if (text.length > MAX_WHATSAPP_CHARACTERS) throw tooLong;
  const entries = new Map(names.map((entry) => [entry.split('/').at(-1) ?? entry, entry]));
  const chat = await readWhatsappInTurns(text, conversationName(name), entries, choices);
  return chat && { outline: chat.outline, messages: () => chat.messages };
}

/** "WhatsApp Chat with Family.txt", "WhatsApp Chat - Family.zip", "WhatsApp-Chat mit Familie.zip" → Family. */
function conversationName(file: string): string {
  const name = file
    .slice(0, MAX_NAME_CHARACTERS)
    .replace(/\.(?:zip|txt|jsonl)$/i, '')
    .replace(/^.*whatsapp[^\p{L}]*(?:\p{L}+\s+)?(?:with|mit|con|avec|com|met|-|–)\s+/iu, '')
    .trim();
  return name === '' || name === '_chat' ? 'WhatsApp' : name;
}

function unknown() {
  return invalid(
    'archive',
    'This is no export of WhatsApp, Slack, Mattermost or Hearth that can be read here. Choose the ZIP as it was exported.',
    'unknown_archive',
  );
}
