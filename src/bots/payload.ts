import { z } from 'zod';
import { invalid } from '../errors.ts';
import { messageId } from '../messages/send.ts';
import { parseInput } from '../operations/define.ts';
import { attachments, attachmentText, blocks, blocksText } from './slack-attachments.ts';
import { fromSlack } from './slack-text.ts';

const TEXT_RULE = 'Send JSON with the text as "text".';

/** What a program posts: `text` as for Slack, and an id of its own, with which a second try is the same message. */
const payload = z.object({
  text: z.string(TEXT_RULE).nullish(),
  attachments,
  blocks,
  id: z.preprocess((id) => id ?? undefined, messageId.optional()),
});

/** What is posted. */
export type Posted = Readonly<{ content: string; id?: string | undefined }>;

/**
 * Reads what a program posts: JSON; a form with it as `payload`, as Slack takes it, too, or with a field `text`; or
 * plain text. What curl sends as a form and is JSON is read as JSON.
 * @throws ChatError 400
 */
export function readPayload(body: string, contentType: string): Posted {
  const trimmed = body.trim();
  if (contentType.toLowerCase().startsWith('text/plain')) return { content: body };
  if (trimmed.startsWith('{')) return fromJson(trimmed);
  const fields = new URLSearchParams(trimmed);
  const json = fields.get('payload');
  if (json !== null) return fromJson(json);
  const text = fields.get('text');
  if (text === null) throw invalid('text', TEXT_RULE, 'no_text');
  return { content: text };
}

/** What the answer to a delivery says; undefined for an answer without words. */
export function readReply(body: Buffer): string | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString());
    const text = typeof answer === 'object' && answer !== null && 'text' in answer ? answer.text : undefined;
    return typeof text === 'string' && text.trim() !== '' ? fromSlack(text) : undefined;
  } catch {
    return undefined;
  }
}

function fromJson(json: string): Posted {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalid('payload', 'This is no JSON.', 'invalid_payload');
  }
  const { text, attachments: attached, blocks: laidOut, id } = parseInput(payload, value);
  // As in Slack, the text beside blocks is for where they cannot be shown.
  const parts = [blocksText(laidOut) || text, ...attached.map(attachmentText)].filter((part) => part);
  if (typeof text !== 'string' && parts.length === 0) throw invalid('text', TEXT_RULE, 'no_text');
  return { content: fromSlack(parts.join('\n')), id };
}
