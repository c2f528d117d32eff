import { z } from 'zod';
import type { OpenGroup } from '../groups/access.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import type { DraftStore } from './draft-store.ts';

/** More than a message may have, so that nobody loses what has to be shortened. */
const MAX_UNITS = 40_000;

export const draftForm = z.object({
  content: z.string().max(MAX_UNITS, 'A draft has at most 40,000 characters.').default(''),
  thread: z
    .string()
    .regex(/^\d{0,15}$/)
    .transform(Number)
    .default(0),
});

export const DRAFT_RATE = { points: 120, seconds: 60, sentence: 'Drafts are kept already.' };

/** Keeps what somebody has begun to write in a group, so that it is there on their other devices; empty is none. */
export async function keepDraft(
  { drafts, rate }: { drafts: DraftStore; rate: RateLimit },
  { group, account }: OpenGroup,
  { content, thread }: z.infer<typeof draftForm>,
  now = Date.now(),
): Promise<void> {
  await rate.take(String(account.id));
  const text = content.replaceAll('\0', '').toWellFormed();
  const draft = text.trim() === '' ? '' : text;
  await drafts.write({ accountId: account.id, groupId: group.id, thread }, draft, now);
}
