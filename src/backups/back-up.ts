import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Keyring } from '../crypto/keys.ts';
import { copyDatabase, countRows } from '../database/driver/copy.ts';
import { lockDataFolder } from '../database/lock.ts';
import { StartError } from '../errors.ts';
import { checkEntry } from './check.ts';
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
import { proveBackup } from './prove.ts';

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
    await proveBackup(unfinished, manifest, options.keyring);
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
  const { dataDir, target, withKeys, version, onProgress = () => {} } = options;
  const files: Entry[] = [];
  const rows: Record<string, Record<string, number>> = {};
  // The chat before the accounts: whoever wrote what it has is then among them.
  for (const name of DATABASES) {
    const file = `${name}.sqlite3`;
    if (!existsSync(join(dataDir, file))) continue;
    copyDatabase(join(dataDir, file), join(folder, file));
    const counted = countRows(join(folder, file));
    if (!counted) throw new StartError(`The copy of ${join(dataDir, file)} is damaged.`);
    rows[name] = counted;
    files.push({ path: file, ...(await contentOf(join(folder, file))) });
  }
  const keys = join(dataDir, 'keys');
  for (const name of withKeys && existsSync(keys) ? await readdir(keys) : [])
    files.push({ path: `keys/${name}`, ...(await copyFile(join(keys, name), join(folder, 'keys', name))) });
  const { media, newMedia } = await copyMedia(dataDir, target, onProgress);
  const manifest: Manifest = {
    ...{ format: 'hearth-backup', version: 1, hearth: version, createdAt: now.toISOString() },
    ...{ rows, files, media },
  };
  writeManifest(folder, manifest);
  return { manifest, newMedia };
}

async function copyMedia(dataDir: string, target: string, onProgress: (done: number, total: number) => void) {
  const from = join(dataDir, 'media');
  const [last] = backupsIn(target);
  const before = new Map(
    (last ? readManifest(join(target, last)).media : []).map((entry) => [entry.path, entry]),
  );
  const found = await readdir(from, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = found
    .filter((file) => file.isFile() && !file.name.endsWith('.part'))
    .map(({ name }) => `${name.replace(/\.\w+$/, '').slice(-2)}/${name}`)
    .sort();
  const media: Entry[] = [];
  let newMedia = 0;
  for (const [index, path] of paths.entries()) {
    const known = before.get(path);
    const to = join(target, MEDIA, path);
    if (known && existsSync(to)) media.push(known);
    else {
      const content = await copyFile(join(from, path), to).catch(ignoreMissing);
      if (content) {
        const entry = { path, ...content };
        await checkEntry(join(target, MEDIA), entry);
        media.push(entry);
        newMedia += 1;
      }
    }
    onProgress(index + 1, paths.length);
  }
  return { media, newMedia };
}

/** A file may be removed while the others are copied. */
function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
