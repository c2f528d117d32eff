import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { StartError } from '../errors.ts';
import { checkBackup } from './check.ts';
import { copyFile } from './copy-file.ts';
import { type Manifest, MEDIA, readManifest } from './manifest.ts';

/**
 * Makes a data folder of a backup, after every part of it was checked. A folder that has something is left as it is.
 * @param folder of one backup
 * @throws StartError where the backup is damaged, or the data folder is not empty
 */
export async function restoreBackup(
  folder: string,
  dataDir: string,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Manifest> {
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0)
    throw new StartError(
      `${dataDir} is there already, and stays as it is. Move it away, or name another folder with --data.`,
    );
  const manifest = readManifest(folder);
  await checkBackup(folder, manifest, onProgress);
  const target = resolve(dataDir);
  const unfinished = join(dirname(target), `.${basename(target)}.restoring`);
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  for (const { path } of manifest.files) await copyFile(join(folder, path), join(unfinished, path));
  for (const { path } of manifest.media)
    await copyFile(join(folder, '..', MEDIA, path), join(unfinished, 'media', path));
  // Fails for a folder that is not empty by now.
  if (existsSync(target)) rmdirSync(target);
  renameSync(unfinished, target);
  return manifest;
}
