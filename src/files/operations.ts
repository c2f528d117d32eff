import { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import type { GroupStore } from '../groups/store.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import type { BlobStore } from './blob-store.ts';
import { discardFile } from './discard.ts';
import type { FileStore } from './store.ts';

export type FileOperationContext = { files: FileStore; groups: GroupStore; blobs: BlobStore };

/** Any string: a malformed id gets the same 404 as one that does not exist. */
export const fileId = z
  .string('"fileId" takes the id of a file.')
  .toLowerCase()
  // PostgreSQL takes no NUL.
  .transform((id) => id.replaceAll('\0', ''));
const whichFile = z.object({ fileId });

/** What an account does with a file that it uploaded. */
export const fileOperations: readonly Operation<FileOperationContext, SignedIn>[] = [
  defineOperation({
    name: 'discard-file',
    path: '/media/:fileId/discard',
    input: whichFile,
    policy: () => undefined,
    run: async (context: FileOperationContext, { account }: SignedIn, { fileId }) => ({
      groupId: await discardFile(context, account, fileId),
    }),
  }),
];
