import { z } from 'zod';
import { invalid } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import type { Message } from './store.ts';
import type { MessageWriter } from './writer.ts';

export const MAX_CHARACTERS = 8_000;

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
  const text = readable(content);
  await rate.take(String(account.id));
  const { message } = await writer.commit({
    groupId: group.id,
    id,
    authorId: account.id,
    content: text,
    createdAt: now,
  });
  return message;
}

/** The text as it is kept: lines end with LF, no lone surrogates, no NUL, no blank lines around it. */
function readable(content: string): string {
  const text = content
    .replace(/\r\n?/g, '\n')
    .replaceAll('\0', '')
    .toWellFormed()
    .replace(/^\s*\n|\s+$/g, '');
  if (text.trim() === '')
    throw invalid('content', 'Write something first: a message has 1 to 8,000 characters.', 'empty');
  if (text.length > MAX_CHARACTERS && [...text].length > MAX_CHARACTERS) {
    throw invalid('content', 'A message has at most 8,000 characters.', 'too_long');
  }
  return text;
}
