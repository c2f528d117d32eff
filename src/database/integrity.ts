import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { StartError } from '../errors.ts';

/** Larger files are not checked at start-up; damage in them is found only when it is read. */
const CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * Refuses a data folder in which only one database is missing, or any is empty. Starting with a new one would look
 * like a loss of all data, and could overwrite what might have been restored.
 * @throws StartError that names the file and what to do
 */
export function checkNothingMissing(dataDir: string): void {
  const files = ['users.sqlite3', 'chat.sqlite3'].map((name) => join(dataDir, name));
  const lost = files.filter((file) => !hasContent(file));
  const isNew = files.every((file) => !existsSync(file));
  if (lost.length === 0 || isNew) return;
  const what = lost.map((file) => `${file} is ${existsSync(file) ? 'empty' : 'missing'}`).join(', ');
  throw new StartError(
    `${what}, but ${dataDir} holds the rest of a Hearth: put the file back from a backup${snapshotsOf(dataDir)}, or choose an empty folder with --data to start anew.`,
  );
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
