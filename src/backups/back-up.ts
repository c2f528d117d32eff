import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Keyring } from '../crypto/keys.ts';
import { copyDatabase, countRows } from '../database/driver/copy.ts';
import { lockDataFolder } from '../database/lock.ts';
import { StartError } from '../errors.ts';
import { CONTENT, THUMBNAIL } from '../files/blob-store.ts';
import { checkBackup, checkEntry } from './check.ts';
import { contentOf, copyFile } from './copy-file.ts';
import {
  DATABASES,
  type Entry,
  MANIFEST,
  type Manifest,
  MEDIA,
  readManifest,
  writeManifest,
} from './manifest.ts';
import { openCopies } from './prove.ts';

export type BackupOptions = {
  dataDir: string;
  /** The folder of all backups. */
  target: string;
  keyring: Keyring;
  /** Whether the keys of the data folder come along. */
  withKeys: boolean;
  version: string;
  now?: Date;
  onProgress?(done: number, total: number): void;
};

export type BackupDone = { folder: string; manifest: Manifest; newMedia: number };

/**
 * Copies a data folder, also while Hearth runs, and opens the copy before it counts. Files that people sent are copied
 * once: they never change.
 * @throws StartError where it cannot be written, or the copy is not whole
 */
export async function backUp(options: BackupOptions): Promise<BackupDone> {
  const { target, now = new Date() } = options;
  const lock = lockTarget(target);
  try {
    for (const name of readdirSync(target))
      if (/^\.(?:unfinished|check)-/.test(name)) rmSync(join(target, name), { recursive: true });
    const name = now.toISOString().slice(0, 19).replaceAll(':', '-');
    const unfinished = join(target, `.unfinished-${name}`);
    if (existsSync(join(target, name))) throw new StartError(`${join(target, name)} is there already.`);
    mkdirSync(unfinished, { mode: 0o700 });
    const { manifest, newMedia } = await writeAll(options, unfinished, now);
    await checkBackup(unfinished, { ...manifest, media: [] });
    const folder = join(target, name);
    renameSync(unfinished, folder);
    return { folder, manifest, newMedia };
  } finally {
    lock.release();
  }
}

/** The names of the backups in a folder, the newest first. */
export function backupsIn(target: string): string[] {
  return readdirSync(target)
    .filter((name) => existsSync(join(target, name, MANIFEST)) && !name.startsWith('.'))
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

async function writeAll(options: BackupOptions, folder: string, now: Date) {
  const { dataDir, withKeys, keyring, version } = options;
  const files: Entry[] = [];
  const rows = copyDatabases(dataDir, folder);
  for (const name of Object.keys(rows)) {
    const path = `${name}.sqlite3`;
    files.push({ path, ...(await contentOf(join(folder, path))) });
  }
  const keys = join(dataDir, 'keys');
  for (const name of withKeys && existsSync(keys) ? await readdir(keys) : [])
    files.push({ path: `keys/${name}`, ...(await copyFile(join(keys, name), join(folder, 'keys', name))) });
  const { media, newMedia, missing } = await copyMedia(options, await openCopies(folder, keyring));
  if (missing.length > 0) await refuseLost(options, folder, missing);
  const manifest: Manifest = {
    ...{ format: 'hearth-backup', version: 1, hearth: version, createdAt: now.toISOString() },
    ...{ rows, files, media },
  };
  writeManifest(folder, manifest);
  return { manifest, newMedia };
}

/** The chat before the accounts: whoever wrote what it has is then among them. @returns how many rows each table has */
function copyDatabases(dataDir: string, folder: string): Manifest['rows'] {
  const rows: Manifest['rows'] = {};
  for (const name of DATABASES) {
    const file = `${name}.sqlite3`;
    if (!existsSync(join(dataDir, file))) continue;
    copyDatabase(join(dataDir, file), join(folder, file));
    const counted = countRows(join(folder, file));
    if (!counted) throw new StartError(`The copy of ${join(dataDir, file)} is damaged.`);
    rows[name] = counted;
  }
  return rows;
}

/** Copies the files that an earlier backup does not have. @returns also the ids of those that are not there */
async function copyMedia({ dataDir, target, onProgress = () => {} }: BackupOptions, ids: readonly string[]) {
  const [last] = backupsIn(target);
  const before = new Map(
    (last ? readManifest(join(target, last)).media : []).map((entry) => [entry.path, entry]),
  );
  const media: Entry[] = [];
  const missing: string[] = [];
  let newMedia = 0;
  for (const [index, id] of ids.entries()) {
    for (const { suffix } of [CONTENT, THUMBNAIL]) {
      const path = `${id.slice(-2)}/${id}${suffix}`;
      const to = join(target, MEDIA, path);
      const known = before.get(path);
      if (known && existsSync(to)) {
        media.push(known);
        continue;
      }
      const content = await copyFile(join(dataDir, 'media', path), to).catch(ignoreMissing);
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

/** @throws StartError for a file that is still in the databases: it was not removed meanwhile, but lost */
async function refuseLost({ dataDir, keyring }: BackupOptions, folder: string, missing: readonly string[]) {
  const now = mkdtempSync(join(folder, '..', '.check-'));
  try {
    copyDatabases(dataDir, now);
    const there = new Set(await openCopies(now, keyring));
    const lost = missing.find((id) => there.has(id));
    if (lost !== undefined)
      throw new StartError(`The file ${lost} is not in ${dataDir}: it was lost before this backup.`);
  } finally {
    rmSync(now, { recursive: true, force: true });
  }
}

/** A file may be removed while the others are copied. */
function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
