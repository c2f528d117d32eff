import type { Account } from '../accounts/store.ts';
import type { GroupStore } from '../groups/store.ts';
import { openFile } from './access.ts';
import type { BlobStore } from './blob-store.ts';
import type { FileStore } from './store.ts';

/**
 * Takes back a file that was not sent.
 * @returns the group that it was uploaded to
 * @throws ChatError 404 for one that was sent, or is somebody else's
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
