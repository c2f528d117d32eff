import type { BlobStore } from '../files/blob-store.ts';
import type { OpenGroup } from '../groups/access.ts';
import { type Message, NO_METADATA } from './message.ts';
import { refuseRemoval } from './policies.ts';
import type { MessageWriter } from './writer.ts';

/**
 * Removes a message: its row stays, its text, revisions and files are deleted. Removing it again changes nothing.
 * @param editLimitMs how long after sending its author may remove it; administrators may at any time
 * @throws ChatError 403 for anybody but its author and administrators, 404 when there is no such message
 */
export async function removeMessage(
  {
    writer,
    blobs,
    editLimitMs,
  }: { writer: MessageWriter; blobs: BlobStore; editLimitMs: number | undefined },
  { group, account }: OpenGroup,
  seq: number,
  now = Date.now(),
): Promise<Message> {
  let files: Message['files'] = [];
  const removed = await writer.amend({
    groupId: group.id,
    seq,
    amend(message) {
      const refusal = refuseRemoval({ group, account }, message, { editLimitMs, now });
      if (refusal) return refusal;
      if (message.removedAt !== null) return message;
      files = message.files;
      return { ...message, ...NO_METADATA, content: '', removedAt: now, pinnedAt: null };
    },
  });
  for (const { id } of files) await blobs.remove(id);
  return removed;
}
