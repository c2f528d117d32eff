import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { countRows } from '../database/driver/copy.ts';
import { DUMP, refuseData, restorePostgres } from '../database/driver/postgres-copy.ts';
import { isHalfRestored, RESTORING } from '../database/integrity.ts';
import { StartError } from '../errors.ts';
import { checkBackup } from './check.ts';
import { copyFile } from './copy-file.ts';
import { type Manifest, MEDIA, readManifest } from './manifest.ts';
import { openSealedFile, SEALED } from './sealed-file.ts';

export type RestoreOptions = {
  /** Of one backup. */
  folder: string;
  dataDir: string;
  /** Where the files that people sent go to; undefined where they are in a bucket. */
  filesFolder: string | undefined;
  /** Of PostgreSQL, for a backup of it. */
  databaseUrl: string | undefined;
  /** Whether files of people that are missing or damaged in the backup are left out, instead of ending it. */
  withoutLost?: boolean;
  /** Of the backup, read when it is sealed. */
  readKey(): Buffer;
  onProgress?(done: number, total: number): void;
};

/**
 * Makes a data folder of a backup, after every part of it was checked; what was in PostgreSQL goes into an empty
 * database. A folder or a database that has something is left as it is; what a restore left that was broken off is set
 * aside.
 * @returns also the folder where that is
 * @throws StartError where the backup is damaged, or there is data already
 */
export async function restoreBackup(
  options: RestoreOptions,
): Promise<Manifest & { replaced: string | undefined }> {
  const { folder, dataDir, filesFolder, databaseUrl, withoutLost = false, readKey, onProgress } = options;
  refuseFull(dataDir);
  const written = readManifest(folder);
  const manifest = { ...written };
  checkEngine(manifest, databaseUrl);
  if (filesFolder === undefined && manifest.media.length > 0)
    throw new StartError(
      'This backup has files of a folder: restore it without FILES_BUCKET, then copy them into the bucket.',
    );
  if (databaseUrl) await refuseData(databaseUrl);
  const key = manifest.isSealed ? readKey() : undefined;
  const missing = new Set<string>();
  await checkBackup(folder, written, onProgress, withoutLost ? missing : undefined);
  manifest.media = written.media.filter(({ path }) => !missing.has(path));
  manifest.lost = [...written.lost, ...missing];
  const target = resolve(dataDir);
  const unfinished = unfinishedOf(target);
  rmSync(unfinished, { recursive: true, force: true });
  try {
    await writeAll(options, manifest, unfinished, key);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  return { ...manifest, replaced: finish(unfinished, target) };
}

/** Everything but the last step, into a folder that Hearth does not start on. */
async function writeAll(
  { folder, dataDir, filesFolder, databaseUrl }: RestoreOptions,
  manifest: Manifest,
  unfinished: string,
  key: Buffer | undefined,
): Promise<void> {
  mkdirSync(join(unfinished, 'keys'), { recursive: true, mode: 0o700 });
  for (const { path } of manifest.files) {
    if (key) await openSealedFile(join(folder, path), join(unfinished, plain(path)), key);
    else await copyFile(join(folder, path), join(unfinished, path));
  }
  checkRows(manifest, unfinished);
  const isElsewhere = filesFolder !== undefined && resolve(filesFolder) !== join(resolve(dataDir), 'media');
  for (const { path } of manifest.media)
    await copyFile(
      join(folder, '..', MEDIA, path),
      join(isElsewhere ? filesFolder : join(unfinished, 'media'), path),
    );
  if (databaseUrl) await restoreDump(join(unfinished, DUMP), databaseUrl, manifest);
}

/** What a restore has left that was broken off within the folder is written over. */
function refuseFull(dataDir: string): void {
  const names = existsSync(dataDir) ? readdirSync(dataDir) : [];
  // A new disk has that folder of its own.
  if (!isHalfRestored(dataDir) && names.some((name) => name !== 'lost+found'))
    throw new StartError(
      `${dataDir} is there already, and stays as it is. Move it away, or name another folder with --data.`,
    );
}

function checkEngine({ files }: Manifest, databaseUrl: string | undefined): void {
  const isPostgres = files.some(({ path }) => plain(path) === DUMP);
  if (isPostgres && !databaseUrl)
    throw new StartError('This backup is of PostgreSQL: set DATABASE_URL to an empty database.');
  if (!isPostgres && databaseUrl)
    throw new StartError(
      'This backup is of SQLite: restore it without DATABASE_URL, then use "npm run move -- --to postgres://…".',
    );
}

function checkRows({ rows }: Manifest, folder: string): void {
  for (const [name, expected] of Object.entries(rows)) {
    const file = join(folder, `${name}.sqlite3`);
    if (existsSync(file) && !isDeepStrictEqual(countRows(file), expected))
      throw new StartError(`${name}.sqlite3 in the backup is damaged. Take another one.`);
  }
}

async function restoreDump(dump: string, url: string, { rows }: Manifest): Promise<void> {
  const { users, chat } = await restorePostgres(url, dump);
  if (!isDeepStrictEqual({ users, chat }, { users: rows.users, chat: rows.chat }))
    throw new StartError('The restored database has other rows than the backup. Take another one.');
  rmSync(dump);
}

/** A folder that is there cannot be replaced where it is a mounted disk: then the parts are moved into it. */
function unfinishedOf(target: string): string {
  return existsSync(target)
    ? join(target, RESTORING)
    : join(dirname(target), `.${basename(target)}${RESTORING}`);
}

/** The databases come last: Hearth does not start without them where the unfinished folder is. */
function finish(unfinished: string, target: string): string | undefined {
  if (dirname(unfinished) !== target) {
    // Fails for a folder that has appeared meanwhile.
    renameSync(unfinished, target);
    return undefined;
  }
  const inTheWay = readdirSync(unfinished).filter((name) => existsSync(join(target, name)));
  const replaced = join(target, `replaced-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}`);
  if (inTheWay.length > 0) mkdirSync(replaced, { mode: 0o700 });
  for (const name of inTheWay) renameSync(join(target, name), join(replaced, name));
  const names = readdirSync(unfinished).sort((a, b) => Number(isDatabase(a)) - Number(isDatabase(b)));
  for (const name of names) renameSync(join(unfinished, name), join(target, name));
  rmdirSync(unfinished);
  return inTheWay.length > 0 ? replaced : undefined;
}

function isDatabase(name: string): boolean {
  return name.endsWith('.sqlite3');
}

function plain(path: string): string {
  return path.endsWith(SEALED) ? path.slice(0, -SEALED.length) : path;
}
