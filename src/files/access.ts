import type { Account } from '../accounts/store.ts';
import { notFound } from '../errors.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Voice } from '../recordings/recording.ts';
import type { StoredFile } from './file.ts';
import type { FileStore } from './store.ts';

/** More than a message has. */
const FILES_A_PAGE = 60;

/**
 * Returns a file that this account may see: a sent file of a group it is a member of, or its own unsent upload.
 * @throws ChatError 404 for any other, whether it exists or not
 */
export async function openFile(
  { files, groups }: { files: FileStore; groups: GroupStore },
  account: Account,
  id: string,
): Promise<StoredFile> {
  const file = await files.byId(id);
  if (!file || (file.seq === null && file.accountId !== account.id)) throw noFile();
  await openGroup(groups, account, file.groupId).catch(() => {
    throw noFile();
  });
  return file;
}

/** The same for a recording. */
export async function openRecording(
  stores: { files: FileStore; groups: GroupStore },
  account: Account,
  id: string,
): Promise<StoredFile & { voice: Voice }> {
  const { voice, ...file } = await openFile(stores, account, id).catch(() => {
    throw noRecording();
  });
  if (!voice) throw noRecording();
  return { ...file, voice };
}

/**
 * The files that somebody wants to send with a message, in the order given.
 * @throws ChatError 404 where one of them is not theirs, was meant for another group, or was sent already
 */
export async function unsentFiles(
  files: FileStore,
  { account, group }: OpenGroup,
  ids: readonly string[],
): Promise<StoredFile[]> {
  const storedFiles = await Promise.all(ids.map((id) => files.byId(id)));
  return storedFiles.map((file) => {
    if (!file || file.accountId !== account.id || file.groupId !== group.id || file.seq !== null)
      throw notFound('A file of this message is not there any more. Add it again.');
    return file;
  });
}

function noRecording() {
  return notFound('There is no such recording, or it is not for you.');
}

function noFile() {
  return notFound('There is no such file, or it is not for you.');
}

/**
 * A page of the files of a group, the newest first, with all files of each message.
 * @param before the `next` of the page before
 * @returns also the `next` of the following one; undefined where there is none
 */
export async function pageOfFiles(
  files: FileStore,
  groupId: number,
  before: number,
): Promise<{ sent: StoredFile[]; next: number | undefined }> {
  const found = await files.sentBefore(groupId, before, FILES_A_PAGE);
  if (found.length < FILES_A_PAGE) return { sent: found, next: undefined };
  // The last message may have more: all of them are on the next page.
  const sent = found.filter((file) => file.seq !== found.at(-1)?.seq);
  return { sent, next: sent.at(-1)?.seq ?? undefined };
}
