import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../errors.ts';
import { CONTENT, openBlobStore, type Part, THUMBNAIL } from '../files/blob-store.ts';
import { checkEntry } from './check.ts';
import { contentOf, copyFile } from './copy-file.ts';
import { type Entry, type Manifest, MEDIA } from './manifest.ts';
import type { Blob } from './source.ts';

const DAY_MS = 86_400_000;
/** Files that an earlier backup has copied are read again, a part of them each day. */
const READ_WITHIN_DAYS = 7;

export type MediaSource = {
  filesFolder: string;
  /** The folder of all backups. */
  target: string;
  /** The backup before this one. */
  last: Manifest | undefined;
  now: Date;
  onProgress?: ((done: number, total: number) => void) | undefined;
};

export type CopiedMedia = { media: Entry[]; newMedia: number; missing: Blob[]; damaged: Blob[] };

/**
 * Copies the files that an earlier backup does not have, or has damaged, and opens each copy.
 * @returns also those that are not there, and those that do not open: neither is in the backup
 * @throws StartError where the folder is not there, or the copies cannot be written
 */
export async function copyMedia(
  { filesFolder, target, last, now, onProgress = () => {} }: MediaSource,
  blobs: readonly Blob[],
): Promise<CopiedMedia> {
  if (blobs.length > 0 && !existsSync(filesFolder))
    throw new StartError(`There is no ${filesFolder}, where the files are: is its disk mounted?`);
  const before = new Map(last?.media.map((entry) => [entry.path, entry]));
  const since = new Date(last?.createdAt ?? 0);
  const result: CopiedMedia = { media: [], newMedia: 0, missing: [], damaged: [] };
  for (const [index, blob] of blobs.entries()) {
    for (const part of [CONTENT, THUMBNAIL]) {
      const path = `${blob.id.slice(-2)}/${blob.id}${part.suffix}`;
      const known = before.get(path);
      if (known && (await isWhole(join(target, MEDIA, path), known, isReadAgain(blob.id, since, now)))) {
        result.media.push(known);
        continue;
      }
      const copied = await copyPart(filesFolder, join(target, MEDIA), path, blob, part);
      if (typeof copied === 'object') {
        result.media.push(copied);
        result.newMedia += 1;
      } else if (copied === 'damaged') result.damaged.push(blob);
      else if (part === CONTENT) result.missing.push(blob);
    }
    onProgress(index + 1, blobs.length);
  }
  return result;
}

async function copyPart(from: string, to: string, path: string, blob: Blob, part: Part) {
  const content = await copyFile(join(from, path), join(to, path)).catch(ignoreMissing);
  if (!content) return 'missing';
  const entry = { path, ...content };
  if (blob.sealed && !(await isOpened(to, blob, part))) {
    if (!(await isOpened(from, blob, part))) {
      rmSync(join(to, path));
      return 'damaged';
    }
    throw new StartError(`${join(to, path)} is damaged as soon as it is written: look at this disk.`);
  }
  if (!blob.sealed) await checkEntry(to, entry);
  return entry;
}

/** Whether all of it opens with its key, which authenticates every byte. */
async function isOpened(folder: string, { id, sealed }: Blob, part: Part): Promise<boolean> {
  const size = part === CONTENT ? sealed?.size : sealed?.thumbnailSize;
  try {
    const bytes = openBlobStore(folder).read(id, part, sealed?.key ?? new Uint8Array(), size ?? 0);
    for await (const _chunk of bytes);
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

/** A file may be removed while the others are copied. */
function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
