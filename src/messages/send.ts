import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { AccountStore } from '../accounts/store.ts';
import { invalid } from '../errors.ts';
import { unsentFiles } from '../files/access.ts';
import { type Attachment, asAttachment, MAX_FILES, tooManyFiles } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { isOwner, refuseWriting } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import { hasVisible } from '../http/request.ts';
import { checkbox, optional, wholeNumber } from '../operations/fields.ts';
import { spokenIn, transcriptText } from '../recordings/recording.ts';
import { answeredMessage } from './access.ts';
import { confirmMentions, findMentions } from './mentions.ts';
import type { Message } from './message.ts';
import type { TextRenderer } from './render.ts';
import type { MessageStore } from './store.ts';
import type { MessageWriter } from './writer.ts';

export const MAX_CHARACTERS = 8_000;
/** Upper bound of the raw length of any valid message: two UTF-16 units per character, and CRLF line ends. */
const MAX_UTF16_UNITS = 4 * MAX_CHARACTERS;

/** Rate limit per account, shared by all operations that use it and by forms and socket commands. */
export const SEND_RATE = { name: 'messages', points: 60, seconds: 10, sentence: 'That is a lot at once.' };

export const messageId = z.guid('A message’s id is a UUID.').transform((id) => id.toLowerCase());
const fileId = z.guid('A file’s id is a UUID.').toLowerCase();

/** Input of the send operation, from a form or from a program. */
export const sendable = z.object({
  /** Chosen by the client, so that a retry is recognised; generated here when absent. */
  id: optional(messageId),
  content: z.string('Write something first.').default(''),
  /** The seq of the message that this one answers. */
  replyTo: optional(wholeNumber('This answers a message that is not there. Reload the page.')),
  /** The ids of files that were uploaded to this group before. */
  files: z
    .union([fileId.transform((id) => [id]), z.array(fileId)], 'A file’s id is a UUID.')
    .refine((ids) => ids.length <= MAX_FILES, tooManyFiles().message)
    .default([]),
  /** Confirms an @all in a larger group. */
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
 * Sends a message to a group. Idempotent by id: a retry resolves to the message of the first try.
 * @throws ChatError 400 for an empty or too long message, 404 for a reply to a missing message or for a missing file,
 *   409 for an id of another message or for an unconfirmed @all, 429 in slow mode
 */
export async function sendMessage(
  dependencies: SendDependencies,
  open: OpenGroup,
  { id = newMessageId(), content, replyTo, files = [], confirmed = false }: Sending,
  now = Date.now(),
): Promise<Message> {
  const refusal = refuseWriting(open);
  if (refusal) throw refusal;
  const { group, account } = open;
  if (files.length > MAX_FILES) throw tooManyFiles();
  const attachments = files.length > 0 ? await sentFiles(dependencies, open, id, files) : [];
  const typed = readable(content, files.length > 0);
  const text = typed || textOf(attachments);
  const answered =
    replyTo === undefined ? undefined : await answeredMessage(dependencies.messages, open, replyTo);
  const { committing } = await dependencies.writer.turns.run(`send ${group.id} ${account.id}`, async () => {
    const mentions = await findMentions(dependencies, group.id, text);
    if (mentions.mentionsAll) await confirmMentions(dependencies.groups, group.id, confirmed);
    // A long text takes a while: by now they may have been removed, or the group be archived.
    const refusalNow = refuseWriting(await openGroup(dependencies.groups, account, group.id));
    if (refusalNow) throw refusalNow;
    const isSlow = group.slowSeconds > 0 && !isOwner(open) && !account.isBot;
    const message = {
      ...{ groupId: group.id, id, authorId: account.id, content: text, createdAt: now, ...mentions },
      ...(isSlow && { slowMs: group.slowSeconds * 1_000 }),
      files: attachments.map((file) => withText(file, typed)),
      ...(answered && { replyTo: answered.seq, thread: answered.thread ?? answered.seq }),
    };
    // The next one does not wait for the disk.
    return { committing: dependencies.writer.commit(message) };
  });
  return (await committing).message;
}

/** The attachments of a message. On a retry, whose files are already sent, those of the first try. */
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

/** The transcript of a recording, which is the text of a message that has no other. */
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
 * A new id for a message that came without one: UUIDv7 (RFC 9562, 5.7). It begins with the time, so that consecutive
 * ids are adjacent in the index and a commit writes a few pages rather than one for each message.
 */
export function newMessageId(now = Date.now()): string {
  const time = now.toString(16).padStart(12, '0');
  // Only the first twelve digits and the version differ from UUIDv4, for which Node caches random bytes.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** Not allowed in HTML: control characters except tab and LF, and noncharacters. */
const UNPRINTABLE = /[^\P{Cc}\t\n]|\p{Noncharacter_Code_Point}/gu;

/**
 * Normalises a text for storage: LF line ends, no lone surrogates, no unprintable characters, no blank outer lines.
 * @param mayBeEmpty whether an empty text is allowed, as in a message with files
 */
export function readable(content: string, mayBeEmpty = false): string {
  // Check the length first, so that nothing below has to process a huge text.
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
