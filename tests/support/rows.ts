import { join } from 'node:path';
import pg from 'pg';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { databaseOf } from './hearth.ts';

type Row = Record<string, unknown>;

/**
 * Runs SQL beside Hearth, on whichever engine its data folder is on: one query, or several statements without results.
 * PostgreSQL gives counts as numbers here, as SQLite does.
 */
export async function runSql(dataDir: string, database: 'users' | 'chat', sql: string): Promise<Row[]> {
  const { DATABASE_URL } = await databaseOf(dataDir);
  return DATABASE_URL ? runPostgres(DATABASE_URL, database, sql) : runSqlite(dataDir, database, sql);
}

function runSqlite(dataDir: string, database: string, sql: string): Row[] {
  const sqlite = new BetterSqlite(join(dataDir, `${database}.sqlite3`));
  try {
    if (/^SELECT/.test(sql)) return sqlite.prepare<[], Row>(sql).all();
    sqlite.exec(sql);
    return [];
  } finally {
    sqlite.close();
  }
}

async function runPostgres(url: string, database: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${database}` });
  await client.connect();
  try {
    const { rows } = await client.query<Row>(sql);
    return (rows ?? []).map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          /^\d+$/.test(String(value)) ? Number(value) : value,
        ]),
      ),
    );
  } finally {
    await client.end();
  }
}

/** How many rows of a table fit a condition. */
export async function countRows(
  dataDir: string,
  database: 'users' | 'chat',
  table: string,
  where = '1 = 1',
): Promise<number> {
  const [row] = await runSql(dataDir, database, `SELECT count(*) AS rows FROM ${table} WHERE ${where}`);
  return Number(row?.rows);
}
