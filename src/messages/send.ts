import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AccountStore } from '../accounts/store.ts';
import { invalid } from '../errors.ts';
import { unsentFiles } from '../files/access.ts';
import { type Attachment, asAttachment, MAX_FILES, tooManyFiles } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { hasVisible } from '../http/request.ts';
import { checkbox, optional, wholeNumber } from '../operations/fields.ts';
import { spokenIn, transcriptText } from '../recordings/recording.ts';
import { messageOf } from './access.ts';
import { confirmMentions, findMentions } from './mentions.ts';
import type { Message } from './message.ts';
import type { TextRenderer } from './render.ts';
import type { MessageStore } from './store.ts';
import type { MessageWriter } from './writer.ts';

export const MAX_CHARACTERS = 8_000;
/** Longer than any message that fits: two UTF-16 units for each character, and CRLF for each line end. */
const MAX_UTF16_UNITS = 4 * MAX_CHARACTERS;

/** How fast one person may write, by all doors together. */
export const SEND_RATE = { name: 'messages', points: 60, seconds: 10, sentence: 'That is a lot at once.' };

export const messageId = z.guid('A message’s id is a UUID.').transform((id) => id.toLowerCase());
const fileId = z.guid('A file’s id is a UUID.').toLowerCase();

/** What a message is made of, as a form and as a program sends it. */
export const sendable = z.object({
  /** Chosen by who sends, so that a second try is recognised; made here where there is none. */
  id: optional(messageId),
  content: z.string('Write something first.').default(''),
  /** The seq of the message that this one answers. */
  replyTo: optional(wholeNumber('This answers a message that is not there. Reload the page.')),
  /** The ids of files that were uploaded to this group before. */
  files: z
    .union([fileId.transform((id) => [id]), z.array(fileId)], 'A file’s id is a UUID.')
    .refine((ids) => ids.length <= MAX_FILES, tooManyFiles().message)
    .default([]),
  /** Says that calling everybody in a larger group is meant. */
  confirmed: checkbox,
});

/** The content, and whatever else of `sendable` there is. */
export type Sending = Partial<z.output<typeof sendable>> & { content: string };

export type SendDependencies = {
  writer: MessageWriter;
  messages: MessageStore;
  accounts: AccountStore;
  groups: GroupStore;
  files: FileStore;
  texts: TextRenderer;
};

/**
 * Sends a message to a group. The id makes a second try harmless: it resolves to the message of the first.
 * @throws ChatError 400 for an empty or too long message, 404 for an answer to nothing, 409 for an id that is another
 *   message's or for @all that is not confirmed
 */
export async function sendMessage(
  dependencies: SendDependencies,
  open: OpenGroup,
  { id = newMessageId(), content, replyTo, files = [], confirmed = false }: Sending,
  now = Date.now(),
): Promise<Message> {
  const { group, account } = open;
  if (files.length > MAX_FILES) throw tooManyFiles();
  const attachments = files.length > 0 ? await sentFiles(dependencies, open, id, files) : [];
  const typed = readable(content, files.length > 0);
  const text = typed || textOf(attachments);
  const answered = replyTo === undefined ? undefined : await messageOf(dependencies.messages, open, replyTo);
  const mentions = await findMentions(dependencies, group.id, text);
  if (mentions.mentionsAll) await confirmMentions(dependencies.groups, group.id, confirmed);
  const { message } = await dependencies.writer.commit({
    groupId: group.id,
    id,
    authorId: account.id,
    content: text,
    createdAt: now,
    ...mentions,
    files: attachments.map((file) => withText(file, typed)),
    ...(answered && { replyTo: answered.seq, thread: answered.thread ?? answered.seq }),
  });
  return message;
}

/** What of the files is kept with the message; a second try finds them with the first one's. */
async function sentFiles(
  { files, messages }: SendDependencies,
  open: OpenGroup,
  messageId: string,
  ids: readonly string[],
): Promise<readonly Attachment[]> {
  const sent = await messages.byId(messageId);
  if (sent) return sent.files;
  const chosenFiles = await unsentFiles(files, open, [...new Set(ids)]);
  if (chosenFiles.filter((file) => file.voice).length > 1)
    throw invalid('files', 'A message takes one recording. Send the other one in a message of its own.');
  return chosenFiles.map(asAttachment);
}

/** A recording that is text already, and is sent without any other, says that. */
function textOf(files: readonly Attachment[]): string {
  const spoken = spokenIn(files);
  return spoken ? transcriptText(spoken.voice) : '';
}

/** A text that is typed with a recording replaces the transcript. */
function withText(file: Attachment, typed: string): Attachment {
  if (!file.voice || typed === '') return file;
  return { ...file, voice: { ...file.voice, transcript: 'reviewed', isTyped: true } };
}

/**
 * A new id for a message that came without one: UUIDv7 (RFC 9562, 5.7). It begins with the time, so that ids made
 * one after another lie together in the index and a commit writes a few pages rather than one for each message.
 */
export function newMessageId(now = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  // Version 4 differs in its first twelve digits and the one of the version only, and node keeps random ones ready.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** What HTML takes in no form: control characters beside tab and line end, and code points that are no characters. */
const UNPRINTABLE = /[^\P{Cc}\t\n]|\p{Noncharacter_Code_Point}/gu;

/**
 * The text as it is kept: lines end with LF, no lone surrogates, none that HTML does not take, no blank lines around it.
 * @param mayBeEmpty where there are files, they say enough
 */
export function readable(content: string, mayBeEmpty = false): string {
  // Refused by its length first: nothing below may have much to chew on.
  if (content.length > MAX_UTF16_UNITS) throw tooLong();
  const text = content
    .replace(/\r\n?/g, '\n')
    .replace(UNPRINTABLE, '')
    .toWellFormed()
    .trimEnd()
    .replace(/^\s*\n/, '');
  if (!hasVisible(text) && mayBeEmpty) return '';
  if (!hasVisible(text)) throw emptyMessage();
  if (text.length > MAX_CHARACTERS && [...text].length > MAX_CHARACTERS) {
    throw tooLong();
  }
  return text;
}

export function emptyMessage() {
  return invalid('content', 'Write something first: a message has 1 to 8,000 characters.', 'empty');
}

function tooLong() {
  return invalid('content', 'A message has at most 8,000 characters.', 'too_long');
}
