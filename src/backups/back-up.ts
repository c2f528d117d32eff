import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEY_FILE } from '../crypto/keys.ts';
import { lockDataFolder } from '../database/lock.ts';
import { StartError } from '../errors.ts';
import { checkEntry } from './check.ts';
import { contentOf, copyFile } from './copy-file.ts';
import { type CopiedMedia, copyMedia, UNTRIED } from './copy-media.ts';
import { type Entry, MANIFEST, type Manifest, MEDIA, readManifest, writeManifest } from './manifest.ts';
import { keyFileOf, makeBackupKey, openSealedFile, SEALED, sealFile } from './sealed-file.ts';
import type { Blob, Source } from './source.ts';

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
  onProgress?(done: number, total: number): void;
};

/** Such as 2026-01-31T04-00-00: a copy that somebody made under another name is none of ours. */
const NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/;

type Work = {
  /** Where the copies are made. */
  work: string;
  /** That they are sealed with. */
  key: Buffer | undefined;
  now: Date;
};

const NO_MEDIA: CopiedMedia = { media: [], newMedia: 0, lost: [], damaged: [] };
/** In the data folder: where copies are made that are sealed afterwards. */
const WORK = '.backup-';

export type BackupDone = { folder: string; manifest: Manifest; newMedia: number };

/**
 * Copies a Hearth to a folder that the caller has locked, also while it runs, and opens the copy before it counts.
 * Files that people sent are copied once: they never change.
 * @throws StartError where it cannot be written, or the copy is not whole
 */
export async function backUp(options: BackupOptions): Promise<BackupDone> {
  const { dataDir, target, keyFolder } = options;
  const now = await freeSecond(target);
  removeUnfinished(target);
  removeOldWork(dataDir);
  const name = nameOf(now);
  const folder = join(target, name);
  const written = join(target, `.unfinished-${name}`);
  // What is not sealed yet is not written where sealed backups are.
  const work = keyFolder === undefined ? undefined : openWork(dataDir);
  let key: Buffer | undefined;
  try {
    if (keyFolder !== undefined) key = makeBackupKey(keyFolder, name);
    mkdirSync(written, { mode: 0o700 });
    const { manifest, newMedia } = await writeAll(
      { ...options, work: work?.folder ?? written, key, now },
      written,
    );
    renameSync(written, folder);
    return { folder, manifest, newMedia };
  } catch (error) {
    rmSync(written, { recursive: true, force: true });
    if (keyFolder !== undefined && key) rmSync(keyFileOf(keyFolder, name), { force: true });
    throw error;
  } finally {
    work?.close();
  }
}

/** A folder in the data folder, locked as long as it is used. */
function openWork(dataDir: string): { folder: string; close(): void } {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const whole = mkdtempSync(join(dataDir, WORK));
  const lock = lockDataFolder(whole);
  const folder = join(whole, 'copies');
  mkdirSync(folder, { mode: 0o700 });
  return {
    folder,
    close() {
      lock.release();
      rmSync(whole, { recursive: true, force: true });
    },
  };
}

/** Backups are called by the second in which they begin. */
async function freeSecond(target: string): Promise<Date> {
  for (;;) {
    const now = new Date();
    if (!existsSync(join(target, nameOf(now)))) return now;
    await sleep(1_000 - now.getMilliseconds());
  }
}

function nameOf(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(':', '-');
}

/** What a backup has left that was killed. */
function removeUnfinished(target: string): void {
  for (const name of readdirSync(target))
    if (/^\.(?:unfinished|check)-/.test(name)) rmSync(join(target, name), { recursive: true });
  rmSync(join(target, MEDIA, UNTRIED), { recursive: true, force: true });
}

/** What was not sealed yet when a backup was killed. Another one, to another folder, may be under way. */
function removeOldWork(dataDir: string): void {
  for (const name of (existsSync(dataDir) ? readdirSync(dataDir) : []).filter((each) =>
    each.startsWith(WORK),
  ))
    try {
      lockDataFolder(join(dataDir, name)).release();
      rmSync(join(dataDir, name), { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
    }
}

/** The names of the backups in a folder, the newest first, including ones dated in the future by a wrong clock. */
export function backupsIn(target: string): string[] {
  return readdirSync(target)
    .filter((name) => NAME.test(name) && existsSync(join(target, name, MANIFEST)))
    .sort()
    .reverse();
}

/** @throws StartError where another backup is being written to it */
export function lockTarget(target: string): { release(): void } {
  try {
    return lockDataFolder(target);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(`${target} cannot be written, or another backup is being written to it.`);
  }
}

/** @param folder what becomes the backup; the same as `work` where it is not sealed */
async function writeAll(options: BackupOptions & Work, folder: string) {
  const { dataDir, source, withKeys, version, work, key, now } = options;
  const keyNames = withKeys ? await keysIn(join(dataDir, 'keys')) : [];
  const { rows, files: copies, blobs } = await source.copy(work);
  const keys = await copyKeys(join(dataDir, 'keys'), keyNames, work);
  const files: Entry[] = [];
  for (const path of [...copies, ...keys]) {
    if (key) await sealAndTry(join(work, path), join(folder, path + SEALED), key);
    const stored = key ? path + SEALED : path;
    files.push({ path: stored, ...(await contentOf(join(folder, stored))) });
  }
  const { filesFolder, target } = options;
  const { media, newMedia, lost, damaged } =
    filesFolder === undefined
      ? NO_MEDIA
      : await copyMedia({ ...options, filesFolder, last: lastOf(target) }, blobs);
  const there = await stillThere(options, [...lost, ...damaged]);
  const inWords = (blobs: readonly Blob[]) => [
    ...new Set(blobs.filter(({ id }) => there.has(id)).map(({ id, owner }) => `${id} (${owner})`)),
  ];
  const manifest: Manifest = {
    ...{ format: 'hearth-backup', version: 1, hearth: version, createdAt: now.toISOString() },
    ...{ isSealed: key !== undefined, rows, files, media, lost: inWords(lost), damaged: inWords(damaged) },
  };
  writeManifest(folder, manifest);
  return { manifest, newMedia };
}

/** @throws StartError where it does not open to what it was */
async function sealAndTry(file: string, sealed: string, key: Buffer): Promise<void> {
  const before = await contentOf(file);
  mkdirSync(dirname(sealed), { recursive: true, mode: 0o700 });
  await sealFile(file, sealed, key);
  await openSealedFile(sealed, file, key);
  const { sha256 } = await contentOf(file);
  rmSync(file);
  if (sha256 !== before.sha256) throw new StartError(`${file} was not sealed as it is. Take another backup.`);
}

async function keysIn(folder: string): Promise<string[]> {
  return (existsSync(folder) ? await readdir(folder) : []).filter((name) => KEY_FILE.test(name)).sort();
}

/** @throws StartError where they are others than before the databases were copied, which these may not open */
async function copyKeys(from: string, names: readonly string[], folder: string): Promise<string[]> {
  if (names.length > 0 && (await keysIn(from)).join() !== names.join())
    throw new StartError('The keys were changed while the backup was made: take another one.');
  for (const name of names) {
    const { size, sha256 } = await copyFile(join(from, name), join(folder, 'keys', name));
    await checkEntry(folder, { path: `keys/${name}`, size, sha256 });
  }
  return names.map((name) => `keys/${name}`);
}

/** The last backup until now whose list can be read. */
export function lastOf(target: string): Manifest | undefined {
  const now = nameOf(new Date());
  for (const name of backupsIn(target).filter((each) => each <= now))
    try {
      return readManifest(join(target, name));
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
    }
  return undefined;
}

/** The ids of those that belong to a message which nobody removed meanwhile. */
async function stillThere(
  { source, work }: BackupOptions & Work,
  gone: readonly Blob[],
): Promise<ReadonlySet<string>> {
  if (gone.length === 0) return new Set();
  const now = join(work, '..', `.check-${process.pid}`);
  mkdirSync(now, { mode: 0o700 });
  try {
    const blobs = await source.blobs(now);
    return new Set(blobs.filter(({ owner }) => owner !== undefined).map(({ id }) => id));
  } finally {
    rmSync(now, { recursive: true, force: true });
  }
}
