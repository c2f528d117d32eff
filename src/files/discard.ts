import type { Account } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { GroupStore } from '../groups/store.ts';
import { openFile } from './access.ts';
import type { BlobStore } from './blob-store.ts';
import type { FileStore } from './store.ts';

/**
 * Deletes an unsent upload of this account.
 * @returns the group that it was uploaded to
 * @throws ChatError 404 for a file that the account may not see, 409 for one that was sent
 */
export async function discardFile(
  stores: { files: FileStore; groups: GroupStore; blobs: BlobStore },
  account: Account,
  id: string,
): Promise<number> {
  const { groupId, seq } = await openFile(stores, account, id);
  if (seq !== null) throw new ChatError('sent', 409, 'This file was sent. Remove its message instead.');
  await discardUpload(stores, id);
  return groupId;
}

/** The same for what a refused form had brought. */
export async function discardUpload(
  { files, blobs }: { files: FileStore; blobs: BlobStore },
  id: string,
): Promise<void> {
  if (await files.removeUnsent(id)) await blobs.remove(id);
}
