import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from '../errors.ts';
import { CONTENT, openBlobStore, type Part, THUMBNAIL } from '../files/blob-store.ts';
import { checkEntry } from './check.ts';
import { contentOf, copyFile } from './copy-file.ts';
import { type Entry, type Manifest, MEDIA } from './manifest.ts';
import type { Blob } from './source.ts';

const DAY_MS = 86_400_000;
/** Files that an earlier backup has copied are read again, here and there, a part of them each day. */
const READ_WITHIN_DAYS = 7;
/** Within the folder of all media: copies that nobody has opened yet. */
export const UNTRIED = '.untried';

export type MediaSource = {
  filesFolder: string;
  /** The folder of all backups. */
  target: string;
  /** The backup before this one. */
  last: Manifest | undefined;
  now: Date;
  onProgress?: ((done: number, total: number) => void) | undefined;
};

/** `lost` are neither there nor in an earlier backup, `damaged` here only: the backup has a whole copy. */
export type CopiedMedia = { media: Entry[]; newMedia: number; lost: Blob[]; damaged: Blob[] };

/**
 * Copies the files that no earlier backup has whole, and opens each copy before it counts.
 * @throws StartError where the folder is not there, or the copies cannot be written
 */
export async function copyMedia(
  { filesFolder, target, last, now, onProgress = () => {} }: MediaSource,
  blobs: readonly Blob[],
): Promise<CopiedMedia> {
  if (blobs.length > 0 && !existsSync(filesFolder))
    throw new StartError(`There is no ${filesFolder}, where the files are: is its disk mounted?`);
  const folders = { from: filesFolder, to: join(target, MEDIA) };
  const before = new Map(last?.media.map((entry) => [entry.path, entry]));
  const since = new Date(last?.createdAt ?? 0);
  const damagedBefore = new Set(last?.damaged.map((named) => named.split(' ')[0]));
  const result: CopiedMedia = { media: [], newMedia: 0, lost: [], damaged: [] };
  try {
    for (const [index, blob] of blobs.entries()) {
      const isRead = isReadAgain(blob.id, since, now) || damagedBefore.has(blob.id);
      for (const part of partsOf(blob)) {
        const path = `${blob.id.slice(-2)}/${blob.id}${part.suffix}`;
        const known = before.get(path);
        const copy = known && (await isWhole(join(folders.to, path), known, isRead)) ? known : undefined;
        if (copy && (await isWhole(join(folders.from, path), copy, isRead))) {
          result.media.push(copy);
          continue;
        }
        const { entry, isNew } = await copyPart(folders, path, blob, part, copy);
        if (entry) result.media.push(entry);
        if (isNew) result.newMedia += 1;
        else result[entry ? 'damaged' : 'lost'].push(blob);
      }
      onProgress(index + 1, blobs.length);
    }
  } finally {
    rmSync(join(folders.to, UNTRIED), { recursive: true, force: true });
  }
  return result;
}

function partsOf({ sealed }: Blob): Part[] {
  return sealed === undefined || sealed.thumbnailSize === null ? [CONTENT] : [CONTENT, THUMBNAIL];
}

/** @returns nothing where neither the file nor a copy that is there already is whole */
async function copyPart(
  { from, to }: { from: string; to: string },
  path: string,
  blob: Blob,
  part: Part,
  copy: Entry | undefined,
): Promise<{ entry?: Entry; isNew: boolean }> {
  const untried = join(to, UNTRIED);
  const source = join(from, path);
  // A file that cannot be read is as good as lost; one that cannot be written is the end of the backup.
  const content = await copyFile(source, join(untried, path)).catch((error) => {
    if (!isOfReading(error, source)) throw error;
  });
  if (content && (await isOpened(untried, path, content, blob, part))) {
    mkdirSync(dirname(join(to, path)), { recursive: true, mode: 0o700 });
    renameSync(join(untried, path), join(to, path));
    return { entry: { path, ...content }, isNew: true };
  }
  if (content && blob.sealed && (await isOpened(from, path, content, blob, part)))
    throw new StartError(`${join(to, path)} is damaged as soon as it is written: look at this disk.`);
  if (copy) return { entry: copy, isNew: false };
  // An earlier backup than the last one may have it.
  const kept = blob.sealed && (await contentOf(join(to, path)).catch(() => undefined));
  return kept && (await isOpened(to, path, kept, blob, part))
    ? { entry: { path, ...kept }, isNew: false }
    : { isNew: false };
}

/** Whether all of it opens with its key, which authenticates every byte; an archive has none here. */
async function isOpened(
  folder: string,
  path: string,
  content: Pick<Entry, 'size' | 'sha256'>,
  { id, sealed }: Blob,
  part: Part,
): Promise<boolean> {
  if (!sealed) return checkEntry(folder, { path, ...content }).then(() => true);
  const size = part === CONTENT ? sealed.size : (sealed.thumbnailSize ?? 0);
  try {
    for await (const _chunk of openBlobStore(folder).read(id, part, sealed.key, size));
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether an earlier copy of a file is read again: each is on one day of seven.
 * @param since when the backup before this one was taken
 */
export function isReadAgain(id: string, since: Date, now: Date): boolean {
  const own = Number.parseInt(id.slice(-2), 16) % READ_WITHIN_DAYS;
  const [last, today] = [since, now].map((at) => Math.floor(at.getTime() / DAY_MS)) as [number, number];
  // The last day whose files are these.
  return today - ((today - own) % READ_WITHIN_DAYS) > last;
}

async function isWhole(file: string, { size, sha256 }: Entry, isRead: boolean): Promise<boolean> {
  if (statSync(file, { throwIfNoEntry: false })?.size !== size) return false;
  return !isRead || (await contentOf(file).catch(() => undefined))?.sha256 === sha256;
}

/** What the system says of a file that is read: that it cannot be opened, or not be read to its end. */
function isOfReading(error: NodeJS.ErrnoException, source: string): boolean {
  return error.path === source || error.syscall === 'read';
}
