import { chmodSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { StartError } from '../../errors.ts';
import { damaged, isDamage } from '../integrity.ts';
import { BetterSqlite } from './better-sqlite3.ts';

/**
 * Copies a database, also while another process writes to it: the copy is of one moment, and without what was deleted
 * (sqlite.org/lang_vacuum.html, "VACUUM with an INTO clause").
 * @throws StartError where it is damaged
 */
export function copyDatabase(from: string, to: string): void {
  const sqlite = new BetterSqlite(from, { readonly: true, fileMustExist: true });
  try {
    sqlite.prepare('VACUUM INTO ?').run(to);
    chmodSync(to, 0o600);
  } catch (error) {
    throw isDamage(error) ? damaged(from, dirname(from)) : error;
  } finally {
    sqlite.close();
  }
}

/** How many rows each table has; undefined for a file that is damaged or no database. Reads all of it. */
export function countRows(file: string): Record<string, number> | undefined {
  let sqlite: Sqlite.Database | undefined;
  try {
    sqlite = new BetterSqlite(file, { readonly: true, fileMustExist: true });
    if (sqlite.pragma('integrity_check(1)', { simple: true }) !== 'ok') return undefined;
    const tables = sqlite
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .pluck()
      .all() as string[];
    const count = (table: string) => Number(sqlite?.prepare(`SELECT count(*) FROM "${table}"`).pluck().get());
    return Object.fromEntries(tables.map((table) => [table, count(table)]));
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  } finally {
    sqlite?.close();
  }
}

/**
 * Writes the whole log of a database into its file and removes it, so that none of it is taken for that of another file.
 * @throws StartError where something else has it open
 */
export function closeLog(file: string): void {
  const sqlite = new BetterSqlite(file, { fileMustExist: true, timeout: 0 });
  try {
    sqlite.pragma('locking_mode = EXCLUSIVE');
    if (sqlite.pragma('journal_mode = DELETE', { simple: true }) !== 'delete') throw isOpenElsewhere(file);
  } catch (error) {
    const code = error instanceof BetterSqlite.SqliteError ? error.code : '';
    if (code.startsWith('SQLITE_BUSY')) throw isOpenElsewhere(file);
    // Of a damaged file there is nothing to write.
    if (!isDamage(error)) throw error;
  } finally {
    sqlite.close();
  }
  for (const ending of ['-wal', '-shm']) rmSync(file + ending, { force: true });
}

function isOpenElsewhere(file: string): StartError {
  return new StartError(`Something else has ${file} open, such as another command; wait for it, or end it.`);
}
