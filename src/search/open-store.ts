import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { BetterSqlite } from '../database/driver/better-sqlite3.ts';
import { isDamage } from '../database/integrity.ts';

/**
 * Opens the file of an index; creates it anew when its fingerprint differs or it is damaged.
 * @param fingerprint identifies the secret and the version of the index
 */
export function connect(file: string, fingerprint: string): Sqlite.Database {
  const opened = open(file);
  if (opened && isOf(opened, fingerprint)) return opened;
  opened?.close();
  removeSearchStore(file);
  const sqlite = open(file);
  if (!sqlite) throw new Error(`The search index ${file} cannot be made.`);
  sqlite.exec(`
    CREATE TABLE meta (fingerprint TEXT NOT NULL) STRICT;
    CREATE TABLE cursors (group_id INTEGER PRIMARY KEY, change INTEGER NOT NULL) STRICT;
    CREATE TABLE documents (number INTEGER PRIMARY KEY, group_id INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;
    CREATE UNIQUE INDEX documents_by_message ON documents (group_id, seq);
    CREATE VIRTUAL TABLE words USING fts5(tokens, content='', contentless_delete=1, detail=none, tokenize='ascii');
  `);
  sqlite.prepare('INSERT INTO meta VALUES (?)').run(fingerprint);
  return sqlite;
}

export function removeSearchStore(file: string): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true });
}

/** Undefined for a file that is damaged, or no database. @throws what the system says of it, such as a full disk */
function open(file: string): Sqlite.Database | undefined {
  mkdirSync(dirname(file), { recursive: true });
  const sqlite = new BetterSqlite(file, { timeout: 5_000 });
  try {
    sqlite.pragma('journal_mode = WAL');
    // A power cut may lose the last transactions, which are indexed again from the cursors, but damages nothing.
    sqlite.pragma('synchronous = NORMAL');
    sqlite.pragma('cache_size = -16000');
    // A query looks up each word once per group; reading by mmap, without copying pages, takes half the time.
    sqlite.pragma(`mmap_size = ${1024 ** 3}`);
    return sqlite;
  } catch (error) {
    sqlite.close();
    if (!isDamage(error)) throw error;
    return undefined;
  }
}

function isOf(sqlite: Sqlite.Database, fingerprint: string): boolean {
  try {
    const row = sqlite.prepare<[], { fingerprint: string }>('SELECT fingerprint FROM meta').get();
    if (row?.fingerprint !== fingerprint) return false;
    // The index is derived from the messages, so a damaged one is rebuilt.
    return sqlite.pragma('quick_check(1)', { simple: true }) === 'ok';
  } catch (error) {
    // A table that is not there is that of another program, or of a start that was broken off.
    if (isDamage(error) || (error as { code?: string }).code === 'SQLITE_ERROR') return false;
    sqlite.close();
    throw error;
  }
}
