import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { invalid } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import { hasVisible } from '../http/request.ts';
import type { Message } from './store.ts';
import type { MessageWriter } from './writer.ts';

export const MAX_CHARACTERS = 8_000;
/** A form doubles the ends of lines. */
const MAX_FORM_CHARACTERS = 2 * MAX_CHARACTERS;

/** How fast one person may write, by all doors together. */
export const SEND_RATE = { points: 60, seconds: 10, sentence: 'That is a lot at once.' };

export const messageId = z.guid('A message’s id is a UUID.').transform((id) => id.toLowerCase());
export const sendable = z.object({ id: messageId, content: z.string('Write something first.') });

/**
 * Sends a message to a group. The id makes a second try harmless: it resolves to the message of the first.
 * @throws ChatError 400 for an empty or too long message, 409 for an id that is another message's, 429
 */
export async function sendMessage(
  { writer, rate }: { writer: MessageWriter; rate: RateLimit },
  { group, account }: OpenGroup,
  { id, content }: z.infer<typeof sendable>,
  now = Date.now(),
): Promise<Message> {
  await rate.take(String(account.id));
  const text = readable(content);
  const { message } = await writer.commit({
    groupId: group.id,
    id,
    authorId: account.id,
    content: text,
    createdAt: now,
  });
  return message;
}

/**
 * A new id for a message that came without one: UUIDv7 (RFC 9562, 5.7). It begins with the time, so that ids made
 * one after another lie together in the index and a commit writes a few pages rather than one for each message.
 */
export function newMessageId(now = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The text as it is kept: lines end with LF, no lone surrogates, no NUL, no blank lines around it. */
function readable(content: string): string {
  // Refused by its length first: nothing below may have much to chew on.
  if (content.length > 2 * MAX_FORM_CHARACTERS) throw tooLong();
  const text = content
    .replace(/\r\n?/g, '\n')
    .replaceAll('\0', '')
    .toWellFormed()
    .trimEnd()
    .replace(/^\s*\n/, '');
  if (!hasVisible(text))
    throw invalid('content', 'Write something first: a message has 1 to 8,000 characters.', 'empty');
  if (text.length > MAX_CHARACTERS && [...text].length > MAX_CHARACTERS) {
    throw tooLong();
  }
  return text;
}

function tooLong() {
  return invalid('content', 'A message has at most 8,000 characters.', 'too_long');
}
