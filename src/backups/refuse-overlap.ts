import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { StartError } from '../errors.ts';
import { MEDIA } from './manifest.ts';

/**
 * Backups remove what none of them needs, and Hearth removes files that no message has: neither may see the other's.
 * @param folders of the data, of all backups, of the files that people sent where they are in one, and of the keys of backups
 * @throws StartError where one lies within the other, or a file where backups or keys are to be
 */
export function refuseOverlap(folders: {
  dataDir: string;
  target: string;
  filesFolder: string | undefined;
  keyFolder: string | undefined;
}): void {
  for (const folder of [folders.target, folders.keyFolder])
    if (folder !== undefined && existsSync(folder) && !statSync(folder).isDirectory())
      throw new StartError(`${folder} is a file: name a folder.`);
  const target = realPath(folders.target);
  const files = folders.filesFolder === undefined ? undefined : realPath(folders.filesFolder);
  const media = join(target, MEDIA);
  if (target === realPath(folders.dataDir))
    throw new StartError(`${folders.target} is the data folder: name another folder for backups.`);
  if (files !== undefined && (isWithin(target, files) || isWithin(media, files) || isWithin(files, media)))
    throw new StartError(
      `Backups in ${folders.target} would lie among the files that people sent, in ${folders.filesFolder}: name another folder for them.`,
    );
  if (folders.keyFolder !== undefined && isWithin(realPath(folders.keyFolder), target))
    throw new StartError('--seal is inside the folder of backups: keep the keys where the backups are not.');
}

/** Without symbolic links, also for a path of which only the beginning is there. */
function realPath(path: string): string {
  const whole = resolve(path);
  return existsSync(whole) ? realpathSync(whole) : join(realPath(dirname(whole)), basename(whole));
}

function isWithin(path: string, folder: string): boolean {
  return !/^\.\.(?:$|[\\/])/.test(relative(folder, path));
}
