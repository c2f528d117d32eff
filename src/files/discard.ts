import type { Account } from '../accounts/store.ts';
import type { GroupStore } from '../groups/store.ts';
import { openFile } from './access.ts';
import type { BlobStore } from './blob-store.ts';
import type { FileStore } from './store.ts';

/**
 * Deletes an unsent upload of this account; a file that was sent stays.
 * @returns the group that it was uploaded to
 * @throws ChatError 404 for a file that the account may not see
 */
export async function discardFile(
  stores: { files: FileStore; groups: GroupStore; blobs: BlobStore },
  account: Account,
  id: string,
): Promise<number> {
  const { accountId, groupId } = await openFile(stores, account, id);
  if (accountId === account.id) await discardUpload(stores, id);
  return groupId;
}

/** The same for what a refused form had brought. */
export async function discardUpload(
  { files, blobs }: { files: FileStore; blobs: BlobStore },
  id: string,
): Promise<void> {
  if (await files.removeUnsent(id)) await blobs.remove(id);
}
