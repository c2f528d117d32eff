import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import { notFound } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import { answeredMessage } from '../messages/access.ts';
import type { MessageStore } from '../messages/store.ts';
import { optional, wholeNumber } from '../operations/fields.ts';
import { draftChanged } from './events.ts';
import type { DraftStore } from './store.ts';

/** In UTF-16 units. More than a message may have, so that a text which must be shortened before sending is saved. */
const MAX_UTF16_UNITS = 40_000;
/** Maximum number of drafts per account; a new one replaces the oldest. */
const MAX_DRAFTS = 100;

export const draftForm = z.object({
  content: z.string().max(MAX_UTF16_UNITS, 'A draft has at most 40,000 characters.').default(''),
  thread: optional(wholeNumber('"thread" takes the number of its first message.')),
});

export const DRAFT_RATE = { name: 'drafts', points: 120, seconds: 60, sentence: 'Drafts are kept already.' };

/**
 * Saves a draft, so that it is available on the other devices of its account; blank text deletes it.
 * @throws ChatError 404 when there is no such thread
 */
export async function keepDraft(
  { drafts, messages, publish }: { drafts: DraftStore; messages: MessageStore; publish: Publish },
  open: OpenGroup,
  { content, thread = 0 }: z.infer<typeof draftForm>,
  now = Date.now(),
): Promise<void> {
  const { group, account } = open;
  if (thread > 0 && (await answeredMessage(messages, open, thread)).thread !== null)
    throw notFound('There is no such thread.');
  const text = content.replaceAll('\0', '').toWellFormed();
  const draft = text.trim() === '' ? '' : text;
  const place = { accountId: account.id, groupId: group.id, thread };
  await drafts.write(place, draft, now);
  publish(draftChanged, place);
  if (draft === '') return;
  for (const deleted of await drafts.keepNewest(account.id, MAX_DRAFTS)) publish(draftChanged, deleted);
}
