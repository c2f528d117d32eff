import { invalid } from '../errors.ts';
import { type ArchiveFile, openArchiveFile, type ReadRange } from './archive-file.ts';
import { isHearthArchive, readHearth } from './hearth.ts';
import { readMattermost } from './mattermost.ts';
import { readSlack } from './slack.ts';
import type { ImportedMessage, Outline, Reading, ReadingChoices } from './source.ts';
import { readWhatsappInTurns } from './whatsapp.ts';

/** What was uploaded, opened: an outline of it, its messages, and its files where it has some. */
export type OpenedImport = Readonly<{
  outline: Outline;
  messages(): Reading;
  archive: ArchiveFile | undefined;
}>;

/** Of a text that is in no ZIP. */
const MAX_TEXT_BYTES = 200 * 1024 ** 2;
/** WhatsApp exports 40,000 messages of a chat at most (faq.whatsapp.com, "How to export your chat history"). */
const MAX_WHATSAPP_CHARACTERS = 20_000_000;
const MAX_NAME_CHARACTERS = 200;
const ZIP_MAGIC = Buffer.from('PK');

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
  const beginning = await bytes(read(0, Math.min(size, ZIP_MAGIC.length)));
  const isZip = beginning.equals(ZIP_MAGIC);
  if (!isZip && size > MAX_TEXT_BYTES) throw unknown();
  const archive = isZip ? await openArchiveFile(read, size) : undefined;
  try {
    if (!archive) {
      const text = (await bytes(read(0, size))).toString();
      return await openText(name, text.replace(/^\ufeff/, ''), undefined, choices);
    }
    if (archive.has('channels.json') || archive.has('users.json')) {
      const { outline, messages } = await readSlack(archive);
      return { outline, messages, archive };
    }
    const text =
      // A chat may have texts among its files.
      [/(?:^|\/)_chat\.txt$/i, /(?:^|\/)whatsapp[^/]*\.txt$/i, /\.jsonl$/i, /\.txt$/i]
        .map((pattern) => archive.names.find((entry) => pattern.test(entry)))
        .find((entry) => entry !== undefined);
    if (text === undefined) throw unknown();
    const own = /_chat\.txt$/i.test(text) ? name : (text.split('/').at(-1) ?? name);
    return await openText(own, await archive.text(text), archive, choices);
  } catch (error) {
    archive?.close();
    if (error instanceof SyntaxError || (error instanceof Error && error.name === 'ZodError'))
      throw unknown();
    throw error;
  }
}

async function openText(
  name: string,
  text: string,
  archive: ArchiveFile | undefined,
  choices: ReadingChoices,
): Promise<OpenedImport> {
  const entries = new Map((archive?.names ?? []).map((entry) => [entry, entry]));
  const byName = new Map((archive?.names ?? []).map((entry) => [entry.split('/').at(-1) ?? entry, entry]));
  const opened = isHearthArchive(text)
    ? readHearth(text, entries)
    : text.startsWith('{')
      ? readMattermost(text, entries)
      : await readChat(text, name, byName, choices);
  if (!opened || opened.messages.length === 0) throw unknown();
  const messages = (): readonly ImportedMessage[] => opened.messages;
  return { outline: opened.outline, messages, archive };
}

function readChat(text: string, name: string, entries: ReadonlyMap<string, string>, choices: ReadingChoices) {
  if (text.length > MAX_WHATSAPP_CHARACTERS)
    throw invalid(
      'archive',
      'A chat of WhatsApp has at most 20 million characters. Divide its text into two files, then bring in each.',
      'too_large',
    );
  return readWhatsappInTurns(text, conversationName(name), entries, choices);
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

async function bytes(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function unknown() {
  return invalid(
    'archive',
    'This is no export of WhatsApp, Slack, Mattermost or Hearth that can be read here. Choose the ZIP as it was exported.',
    'unknown_archive',
  );
}
