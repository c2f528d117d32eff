import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { lockDataFolder } from '../database/lock.ts';
import { StartError } from '../errors.ts';
import { CONTENT, THUMBNAIL } from '../files/blob-store.ts';
import { checkEntry } from './check.ts';
import { contentOf, copyFile } from './copy-file.ts';
import { type Entry, MANIFEST, type Manifest, MEDIA, readManifest, writeManifest } from './manifest.ts';
import { keyFileOf, makeBackupKey, openSealedFile, SEALED, sealFile } from './sealed-file.ts';
import type { Source } from './source.ts';

export type BackupOptions = {
  dataDir: string;
  /** The folder of the files that people sent; undefined where they are in a bucket, and stay there. */
  filesFolder: string | undefined;
  source: Source;
  /** The folder of all backups. */
  target: string;
  /** Whether the keys of the data folder come along. */
  withKeys: boolean;
  /** The folder of the keys of backups, each of which is sealed with one of its own; undefined seals none. */
  keyFolder: string | undefined;
  version: string;
  now?: Date;
  onProgress?(done: number, total: number): void;
};

/** Such as 2026-01-31T04-00-00: a copy that somebody made under another name is none of ours. */
const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/;

const DAY_MS = 86_400_000;
/** Files that an earlier backup has copied are read again, a part of them each day. */
const READ_WITHIN_DAYS = 7;

const NO_MEDIA = { media: [], newMedia: 0, missing: [] as string[] };

export type BackupDone = { folder: string; manifest: Manifest; newMedia: number };

/**
 * Copies a Hearth, also while it runs, and opens the copy before it counts. Files that people sent are copied once:
 * they never change.
 * @throws StartError where it cannot be written, or the copy is not whole
 */
export async function backUp(options: BackupOptions): Promise<BackupDone> {
  const { target, keyFolder, now = new Date() } = options;
  const lock = lockTarget(target);
  try {
    for (const name of readdirSync(target))
      if (/^\.(?:unfinished|check)-/.test(name)) rmSync(join(target, name), { recursive: true });
    const name = now.toISOString().slice(0, 19).replaceAll(':', '-');
    const unfinished = join(target, `.unfinished-${name}`);
    if (existsSync(join(target, name))) throw new StartError(`${join(target, name)} is there already.`);
    mkdirSync(unfinished, { mode: 0o700 });
    const key = keyFolder === undefined ? undefined : makeBackupKey(keyFolder, name);
    const folder = join(target, name);
    try {
      const { manifest, newMedia } = await writeAll(options, unfinished, key, now);
      renameSync(unfinished, folder);
      return { folder, manifest, newMedia };
    } catch (error) {
      if (keyFolder !== undefined) rmSync(keyFileOf(keyFolder, name), { force: true });
      throw error;
    }
  } finally {
    lock.release();
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

/** The names of the backups in a folder, the newest first. */
export function backupsIn(target: string): string[] {
  return readdirSync(target)
    .filter((name) => NAME.test(name) && existsSync(join(target, name, MANIFEST)))
    .sort()
    .reverse();
}

function lockTarget(target: string) {
  try {
    return lockDataFolder(target);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(`${target} cannot be written, or another backup is being written to it.`);
  }
}

async function writeAll(options: BackupOptions, folder: string, key: Buffer | undefined, now: Date) {
  const { dataDir, source, withKeys, version } = options;
  const { rows, files: copies, blobIds } = await source.copy(folder);
  const keys = withKeys ? await copyKeys(join(dataDir, 'keys'), folder) : [];
  const files: Entry[] = [];
  for (const path of [...copies, ...keys]) {
    if (key) await sealAndTry(join(folder, path), key);
    const stored = key ? path + SEALED : path;
    files.push({ path: stored, ...(await contentOf(join(folder, stored))) });
  }
  const { filesFolder } = options;
  const { media, newMedia, missing } =
    filesFolder === undefined ? NO_MEDIA : await copyMedia({ ...options, filesFolder, now }, blobIds);
  if (missing.length > 0) await refuseLost(options, folder, missing);
  const manifest: Manifest = {
    ...{ format: 'hearth-backup', version: 1, hearth: version, createdAt: now.toISOString() },
    ...{ isSealed: key !== undefined, rows, files, media },
  };
  writeManifest(folder, manifest);
  return { manifest, newMedia };
}

/** @throws StartError where it does not open to what it was */
async function sealAndTry(file: string, key: Buffer): Promise<void> {
  const before = await contentOf(file);
  await sealFile(file, key);
  await openSealedFile(file + SEALED, file, key);
  const { sha256 } = await contentOf(file);
  rmSync(file);
  if (sha256 !== before.sha256) throw new StartError(`${file} was not sealed as it is. Take another backup.`);
}

async function copyKeys(from: string, folder: string): Promise<string[]> {
  const names = existsSync(from) ? await readdir(from) : [];
  for (const name of names) {
    const { size, sha256 } = await copyFile(join(from, name), join(folder, 'keys', name));
    await checkEntry(folder, { path: `keys/${name}`, size, sha256 });
  }
  return names.map((name) => `keys/${name}`);
}

/** Copies the files that an earlier backup does not have, or has damaged. @returns also the ids of those that are not there */
async function copyMedia(
  { filesFolder, target, now, onProgress = () => {} }: BackupOptions & { filesFolder: string; now: Date },
  ids: readonly string[],
) {
  const last = lastOf(target);
  const before = new Map(last?.media.map((entry) => [entry.path, entry]));
  const since = new Date(last?.createdAt ?? 0);
  const media: Entry[] = [];
  const missing: string[] = [];
  let newMedia = 0;
  for (const [index, id] of ids.entries()) {
    for (const { suffix } of [CONTENT, THUMBNAIL]) {
      const path = `${id.slice(-2)}/${id}${suffix}`;
      const to = join(target, MEDIA, path);
      const known = before.get(path);
      if (known && (await isWhole(to, known, isReadAgain(id, since, now)))) {
        media.push(known);
        continue;
      }
      const content = await copyFile(join(filesFolder, path), to).catch(ignoreMissing);
      if (content) {
        await checkEntry(join(target, MEDIA), { path, ...content });
        media.push({ path, ...content });
        newMedia += 1;
      } else if (suffix === CONTENT.suffix) missing.push(id);
    }
    onProgress(index + 1, ids.length);
  }
  return { media, newMedia, missing };
}

async function isWhole(file: string, { size, sha256 }: Entry, isRead: boolean): Promise<boolean> {
  if (statSync(file, { throwIfNoEntry: false })?.size !== size) return false;
  return !isRead || (await contentOf(file).catch(() => undefined))?.sha256 === sha256;
}

/** The last backup before this one whose list can be read. */
function lastOf(target: string): Manifest | undefined {
  for (const name of backupsIn(target))
    try {
      return readManifest(join(target, name));
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
    }
  return undefined;
}

/** @throws StartError for a file that is still in the databases: it was not removed meanwhile, but lost */
async function refuseLost(
  { filesFolder, source }: BackupOptions,
  folder: string,
  missing: readonly string[],
) {
  const now = join(folder, '..', `.check-${process.pid}`);
  mkdirSync(now, { mode: 0o700 });
  try {
    const there = new Set(await source.blobIds(now));
    const lost = missing.find((id) => there.has(id));
    if (lost !== undefined)
      throw new StartError(
        `The file ${lost} is not in ${filesFolder}: it was lost before this backup. Put it back from the media of an earlier one, or remove its message.`,
      );
  } finally {
    rmSync(now, { recursive: true, force: true });
  }
}

/** A file may be removed while the others are copied. */
function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
