import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { lockDataFolder } from '../database/lock.ts';
import { StartError } from '../errors.ts';
import { checkEntry } from './check.ts';
import { contentOf, copyFile } from './copy-file.ts';
import { type CopiedMedia, copyMedia } from './copy-media.ts';
import { type Entry, MANIFEST, type Manifest, readManifest, writeManifest } from './manifest.ts';
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
  now?: Date;
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

const NO_MEDIA: CopiedMedia = { media: [], newMedia: 0, missing: [], damaged: [] };

export type BackupDone = { folder: string; manifest: Manifest; newMedia: number };

/**
 * Copies a Hearth, also while it runs, and opens the copy before it counts. Files that people sent are copied once:
 * they never change.
 * @throws StartError where it cannot be written, or the copy is not whole
 */
export async function backUp(options: BackupOptions): Promise<BackupDone> {
  const { dataDir, target, keyFolder, now = new Date() } = options;
  const lock = lockTarget(target);
  try {
    // What is not sealed yet is not written where sealed backups are.
    const workFolder = keyFolder === undefined ? target : workFolderOf(dataDir, target);
    mkdirSync(workFolder, { recursive: true, mode: 0o700 });
    for (const folder of new Set([target, workFolder])) removeUnfinished(folder);
    const name = now.toISOString().slice(0, 19).replaceAll(':', '-');
    const unfinished = `.unfinished-${name}`;
    const written = join(target, unfinished);
    const work = join(workFolder, unfinished);
    if (existsSync(join(target, name))) throw new StartError(`${join(target, name)} is there already.`);
    for (const folder of new Set([written, work])) mkdirSync(folder, { mode: 0o700 });
    const key = keyFolder === undefined ? undefined : makeBackupKey(keyFolder, name);
    const folder = join(target, name);
    try {
      const { manifest, newMedia } = await writeAll({ ...options, work, key, now }, written);
      renameSync(written, folder);
      return { folder, manifest, newMedia };
    } catch (error) {
      if (keyFolder !== undefined) rmSync(keyFileOf(keyFolder, name), { force: true });
      throw error;
    }
  } finally {
    if (keyFolder !== undefined) rmSync(workFolderOf(dataDir, target), { recursive: true, force: true });
    lock.release();
  }
}

function workFolderOf(dataDir: string, target: string): string {
  return join(dataDir, `.backup-${createHash('sha256').update(resolve(target)).digest('hex').slice(0, 8)}`);
}

function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder))
    if (/^\.(?:unfinished|check)-/.test(name)) rmSync(join(folder, name), { recursive: true });
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

/** @param folder what becomes the backup; the same as `work` where it is not sealed */
async function writeAll(options: BackupOptions & Work, folder: string) {
  const { dataDir, source, withKeys, version, work, key, now } = options;
  const { rows, files: copies, blobs } = await source.copy(work);
  const keys = withKeys ? await copyKeys(join(dataDir, 'keys'), work) : [];
  const files: Entry[] = [];
  for (const path of [...copies, ...keys]) {
    if (key) await sealAndTry(join(work, path), join(folder, path + SEALED), key);
    const stored = key ? path + SEALED : path;
    files.push({ path: stored, ...(await contentOf(join(folder, stored))) });
  }
  const { filesFolder, target } = options;
  const { media, newMedia, missing, damaged } =
    filesFolder === undefined
      ? NO_MEDIA
      : await copyMedia({ ...options, filesFolder, last: lastOf(target) }, blobs);
  const lost = new Set((await stillThere(options, [...missing, ...damaged])).map(inWords));
  const manifest: Manifest = {
    ...{ format: 'hearth-backup', version: 1, hearth: version, createdAt: now.toISOString() },
    ...{ isSealed: key !== undefined, rows, files, media, lost: [...lost] },
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

async function copyKeys(from: string, folder: string): Promise<string[]> {
  const names = existsSync(from) ? await readdir(from) : [];
  for (const name of names) {
    const { size, sha256 } = await copyFile(join(from, name), join(folder, 'keys', name));
    await checkEntry(folder, { path: `keys/${name}`, size, sha256 });
  }
  return names.map((name) => `keys/${name}`);
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

function inWords({ id, owner }: Blob): string {
  return `${id} (${owner})`;
}

/** Those that nobody removed meanwhile. */
async function stillThere({ source, work }: BackupOptions & Work, gone: readonly Blob[]): Promise<Blob[]> {
  if (gone.length === 0) return [];
  const now = join(work, '..', `.check-${process.pid}`);
  mkdirSync(now, { mode: 0o700 });
  try {
    const there = new Set((await source.blobs(now)).map(({ id }) => id));
    return gone.filter(({ id }) => there.has(id));
  } finally {
    rmSync(now, { recursive: true, force: true });
  }
}
