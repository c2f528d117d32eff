import { z } from 'zod';
import type { Account } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { OpenGroup } from '../groups/access.ts';
import { refuseOnHold } from '../groups/policies.ts';
import { optional } from '../operations/fields.ts';
import { type Message, NO_METADATA } from './message.ts';
import { refuseRemoval } from './policies.ts';
import { readable } from './send.ts';
import type { MessageWriter } from './writer.ts';

const REASON_RULE = 'A reason has at most 250 characters.';

/** Why somebody else's message is removed, in a line that stands in its place. */
export const removal = z.object({
  reason: optional(
    z
      .string(REASON_RULE)
      .transform((reason) => readable(reason.replace(/\s+/g, ' '), true))
      .refine((reason) => [...reason].length <= 250, REASON_RULE),
  ),
});

export type RemoveDependencies = {
  writer: MessageWriter;
  blobs: BlobStore;
  /** How long after sending its author may remove it; owners and administrators may at any time. */
  editLimitMs: number | undefined;
};

/**
 * Removes a message: its row stays, its text, revisions and files are deleted. Removing it again changes nothing.
 * @param reason is kept where it is not the author who removes it
 * @throws ChatError 403 for anybody but its author, owners and administrators, 404 when there is no such message
 */
export async function removeMessage(
  dependencies: RemoveDependencies,
  open: OpenGroup,
  seq: number,
  { reason }: z.output<typeof removal> = {},
  now = Date.now(),
): Promise<Message> {
  const { editLimitMs } = dependencies;
  return removeWithoutMembership(
    dependencies,
    { groupId: open.group.id, seq },
    {
      by: open.account,
      reason,
      now,
      refuse: (message) => refuseRemoval(open, message, { editLimitMs, now }),
    },
  );
}

/**
 * Like `removeMessage`, for callers that have not opened the group: reports, retention, deletions.
 * @param refuse says whether they may
 * @throws ChatError also 409 for a group on hold, 404 when there is no such message
 */
export async function removeWithoutMembership(
  { writer, blobs }: Pick<RemoveDependencies, 'writer' | 'blobs'>,
  { groupId, seq }: { groupId: number; seq: number },
  {
    by,
    reason = '',
    now,
    refuse,
  }: {
    by: Pick<Account, 'id'>;
    reason: string | undefined;
    now: number;
    refuse(message: Message): ChatError | undefined;
  },
): Promise<Message> {
  let files: Message['files'] = [];
  const removed = await writer.amend({
    groupId,
    seq,
    refuseIn: refuseOnHold,
    amend(message) {
      const refusal = refuse(message);
      if (refusal) return refusal;
      if (message.removedAt !== null) return message;
      files = message.files;
      const removedBecause = message.authorId === by.id ? '' : reason;
      return { ...message, ...NO_METADATA, removedBecause, content: '', removedAt: now, pinnedAt: null };
    },
  });
  for (const { id } of files) await blobs.remove(id);
  return removed;
}

/** For `catch` in background work: the group was put on hold (409), or the message is gone (404). @throws any other error */
export function ignoreHeldOrMissing(error: unknown): undefined {
  if (error instanceof ChatError && (error.status === 409 || error.status === 404)) return undefined;
  throw error;
}
