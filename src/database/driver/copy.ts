import { chmodSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { isDamage } from '../integrity.ts';

/**
 * Copies a database, also while another process writes to it: the copy is of one moment, and without what was deleted
 * (sqlite.org/lang_vacuum.html, "VACUUM with an INTO clause").
 */
export function copyDatabase(from: string, to: string): void {
  const sqlite = new Sqlite(from, { readonly: true, fileMustExist: true });
  try {
    sqlite.prepare('VACUUM INTO ?').run(to);
    chmodSync(to, 0o600);
  } finally {
    sqlite.close();
  }
}

/** How many rows each table has; undefined for a file that is damaged or no database. Reads all of it. */
export function countRows(file: string): Record<string, number> | undefined {
  let sqlite: Sqlite.Database | undefined;
  try {
    sqlite = new Sqlite(file, { readonly: true, fileMustExist: true });
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

/** Writes the whole log of a database into its file and removes it; nobody else may have it open. */
export function checkpoint(file: string): void {
  const sqlite = new Sqlite(file, { fileMustExist: true });
  try {
    sqlite.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    sqlite.close();
  }
}
