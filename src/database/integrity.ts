import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { StartError } from '../errors.ts';
import { refuseMoved } from './moved.ts';

/** Larger files are not checked at start-up; damage in them is found only when it is read. */
const CHECKED_BYTES = 64 * 1024 * 1024;

/** What is written within a folder that is there already, such as a mounted disk, until all of it is there. */
export const RESTORING = '.restoring';

/** A file in the data folder, as long as the databases are being put back to what they were before an upgrade. */
export const UNDOING = 'undoing.json';

/**
 * Refuses what a command cannot use: a folder without databases, or with one of them only, or that it may not read, or
 * whose data is in PostgreSQL now.
 */
export function refuseUnusable(dataDir: string): void {
  refuseUnreadable(dataDir);
  if (!['users.sqlite3', 'chat.sqlite3'].some((name) => existsSync(join(dataDir, name))))
    throw new StartError(`There is no data in ${dataDir}; name its folder with --data.`);
  refuseMoved(dataDir);
  checkNothingMissing(dataDir);
}

/** Refuses a folder that this user may not look into: everything in it would seem to be missing. */
export function refuseUnreadable(dataDir: string): void {
  try {
    statSync(join(dataDir, 'users.sqlite3'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new StartError(`${dataDir} cannot be read: run this as the user that Hearth runs as.`);
  }
}

/**
 * Refuses a data folder in which only one database is missing, or any is empty. Starting with a new one would look
 * like a loss of all data, and could overwrite what might have been restored.
 * @throws StartError that names the file and what to do
 */
export function checkNothingMissing(dataDir: string): void {
  if (isHalfRestored(dataDir))
    throw new StartError(
      `A backup is being restored into ${dataDir}, or that was broken off: run npm run restore again.`,
    );
  if (existsSync(join(dataDir, UNDOING)))
    throw new StartError('Undoing an upgrade was broken off: run "npm run undo" again, until it says so.');
  const files = ['users.sqlite3', 'chat.sqlite3'].map((name) => join(dataDir, name));
  const lost = files.filter((file) => !hasContent(file));
  const isNew = files.every((file) => !existsSync(file));
  if (lost.length === 0 || isNew) return;
  const what = lost.map((file) => `${file} is ${existsSync(file) ? 'empty' : 'missing'}`).join(', ');
  throw new StartError(
    `${what}, but ${dataDir} holds the rest of a Hearth: put the file back from a backup${snapshotsOf(dataDir)}, or choose an empty folder with --data to start anew.`,
  );
}

/** Whether a restore is under way, or was broken off: the databases come last, and are not there yet. */
export function isHalfRestored(dataDir: string): boolean {
  const restoring = join(dataDir, RESTORING);
  if (!existsSync(restoring) || readdirSync(restoring).length === 0) return false;
  return !['users.sqlite3', 'chat.sqlite3'].every((name) => existsSync(join(dataDir, name)));
}

/** @throws StartError where SQLite finds the file damaged; the file stays as it is */
export function checkIntegrity(sqlite: Sqlite.Database, file: string, dataDir: string): void {
  if (!existsSync(file) || statSync(file).size > CHECKED_BYTES) return;
  let result: unknown;
  try {
    result = sqlite.pragma('quick_check(1)', { simple: true });
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  if (result !== 'ok') throw damaged(file, dataDir);
}

export function damaged(file: string, dataDir: string): StartError {
  return new StartError(
    `The database ${file} is damaged, and is left as it is: put it back from a backup${snapshotsOf(dataDir)}.`,
  );
}

/** Whether SQLite says that a file is damaged or no database. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
}

function hasContent(file: string): boolean {
  return existsSync(file) && statSync(file).size > 0;
}

function snapshotsOf(dataDir: string): string {
  const folder = join(dataDir, 'snapshots');
  const isThere = existsSync(folder) && readdirSync(folder).length > 0;
  return isThere ? ` or from ${folder}` : '';
}
