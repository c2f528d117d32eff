import { z } from 'zod';
import { invalid } from '../errors.ts';
import { messageId } from '../messages/send.ts';
import { parseInput } from '../operations/define.ts';
import { fromSlack } from './slack-text.ts';

const TEXT_RULE = 'Send JSON with the text as "text".';

/** What Slack's older form has, of which the words are taken. */
const words = z.preprocess((value) => (typeof value === 'string' ? value : undefined), z.string().optional());
const attachment = z.object({
  pretext: words,
  title: words,
  title_link: words,
  text: words,
  fallback: words,
});

/** What a program posts: `text` as for Slack, and an id of its own, with which a second try is the same message. */
const payload = z.object({
  text: z.string(TEXT_RULE).optional(),
  attachments: z.array(attachment, TEXT_RULE).max(20).optional(),
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
  const { text, attachments = [], id } = parseInput(payload, value);
  const parts = [text, ...attachments.map(attachmentText)].filter(
    (part) => part !== undefined && part !== '',
  );
  if (text === undefined && parts.length === 0) throw invalid('text', TEXT_RULE, 'no_text');
  return { content: fromSlack(parts.join('\n')), id };
}

function attachmentText({
  pretext,
  title,
  title_link: link,
  text,
  fallback,
}: z.output<typeof attachment>): string {
  const heading = title && (link ? `*<${link}|${title}>*` : `*${title}*`);
  const lines = [pretext, heading, text].filter((line) => line);
  return lines.length > 0 ? lines.join('\n') : (fallback ?? '');
}
