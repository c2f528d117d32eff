import { basename, join } from 'node:path';
import { StartError } from '../errors.ts';
import { contentOf } from './copy-file.ts';
import { type Entry, type Manifest, MEDIA } from './manifest.ts';

/**
 * Reads a file of a backup again.
 * @throws StartError that names it where it is missing, or is not what was written
 */
export async function checkEntry(folder: string, { path, size, sha256 }: Entry): Promise<void> {
  const file = join(folder, path);
  const found = await contentOf(file).catch(() => undefined);
  // Files that people sent are shared by all backups.
  const isShared = basename(folder) === MEDIA;
  const wayOut = isShared
    ? 'Where the Hearth is still there, take another backup, which copies it again; else restore what there is, with --without-lost.'
    : 'Take another one.';
  if (!found) throw new StartError(`${file} is missing from the backup. ${wayOut}`);
  if (found.size !== size || found.sha256 !== sha256)
    throw new StartError(`${file} in the backup is damaged. ${wayOut}`);
}

/**
 * Checks every file of a backup.
 * @param folder of the backup; the media are beside it
 * @param lost is given the paths of files of people that are missing or damaged, which are an error otherwise
 * @throws StartError that names the part that is damaged
 */
export async function checkBackup(
  folder: string,
  { files, media }: Manifest,
  onProgress: (done: number, total: number) => void = () => {},
  lost?: Set<string>,
): Promise<void> {
  const all = [
    ...files.map((entry) => ({ folder, entry })),
    ...media.map((entry) => ({ folder: join(folder, '..', MEDIA), entry })),
  ];
  for (const [index, { folder: where, entry }] of all.entries()) {
    try {
      await checkEntry(where, entry);
    } catch (error) {
      if (!lost || where === folder) throw error;
      lost.add(entry.path);
    }
    onProgress(index + 1, all.length);
  }
}
