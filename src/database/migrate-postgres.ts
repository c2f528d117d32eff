import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { StartError } from '../errors.ts';
import { migrationFiles } from './migrate.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** Held while one process migrates, so that several that start together do not. */
const MIGRATION_LOCK = 0x68656172_00000001n;

/**
 * Makes the schema where there is none, and applies the numbered files of `migrations/postgres/<name>/` that it has not
 * seen, each in a transaction.
 */
export async function migratePostgres(url: string, name: 'users' | 'chat'): Promise<void> {
  const folder = fileURLToPath(new URL(`./migrations/postgres/${name}/`, import.meta.url));
  const files = migrationFiles(folder);
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: `-c search_path=${name}`,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK.toString()]);
    await client.query(
      `CREATE SCHEMA IF NOT EXISTS ${name}; CREATE TABLE IF NOT EXISTS ${name}.migrations (seen integer NOT NULL)`,
    );
    const { rows } = await client.query<{ seen: number }>(`SELECT seen FROM ${name}.migrations`);
    const seen = rows[0]?.seen ?? 0;
    if (seen > files.length)
      throw new StartError(`The ${name} database was written by a newer Hearth; start that version.`);
    for (const [index, file] of files.slice(seen).entries()) {
      await client.query('BEGIN');
      await client.query(readFileSync(join(folder, file), 'utf8'));
      await client.query(`DELETE FROM ${name}.migrations`);
      await client.query(`INSERT INTO ${name}.migrations VALUES ($1)`, [seen + index + 1]);
      await client.query('COMMIT');
    }
  } finally {
    // The connection ends with its lock, and with a transaction that failed.
    await client.end().catch(() => {});
  }
}
