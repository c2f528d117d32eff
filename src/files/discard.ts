import type { Account } from '../accounts/store.ts';
import type { GroupStore } from '../groups/store.ts';
import { openFile } from './access.ts';
import type { BlobStore } from './blob-store.ts';
import type { FileStore } from './store.ts';

/** Takes back a file that was not sent. @throws ChatError 404 for one that was, or is somebody else's */
export async function discardFile(
  stores: { files: FileStore; groups: GroupStore; blobs: BlobStore },
  account: Account,
  id: string,
): Promise<void> {
  const { accountId } = await openFile(stores, account, id);
  if (accountId === account.id) await discardUpload(stores, id);
}

/** The same for what a refused form had brought. */
export async function discardUpload(
  { files, blobs }: { files: FileStore; blobs: BlobStore },
  id: string,
): Promise<void> {
  if (await files.removeUnsent(id)) await blobs.remove(id);
}
