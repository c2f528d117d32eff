import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { StartError } from '../errors.ts';
import { DUMP, dumpPostgres, isSetAside } from './driver/postgres-copy.ts';
import { migrationFiles } from './migrate.ts';
import { keepSnapshot, newestVersions, type Versions } from './snapshots.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** Held while one process migrates, so that several that start together do not. */
const MIGRATION_LOCK = 0x68656172_00000001n;

/**
 * Makes both schemas where there are none, and applies the numbered files of `migrations/postgres/` that they have not
 * seen, each in a transaction, after a snapshot of what is there.
 * @throws StartError where it cannot be reached, was written by a newer Hearth, or no snapshot can be taken
 */
export async function migratePostgres(url: string, dataDir: string, now = new Date()): Promise<void> {
  try {
    await withMigrationLock(url, async (client) => {
      if (await isSetAside(url))
        throw new StartError(
          'Undoing an upgrade was broken off: run "npm run undo" again, until it says so.',
        );
      const versions = await versionsIn(client);
      const newest = newestVersions('postgres');
      for (const name of ['users', 'chat'] as const)
        if (versions[name] > newest[name])
          throw new StartError(`The ${name} database was written by a newer Hearth; start that version.`);
      await keepSnapshot(dataDir, { from: versions, to: newest }, now, async (folder) => {
        await dumpPostgres(url, join(folder, DUMP));
      });
      for (const name of ['users', 'chat'] as const) await migrateSchema(client, name, versions[name]);
    });
  } catch (error) {
    throw error instanceof StartError ? error : unreachable(url, error);
  }
}

/** How many migrations each schema has seen; 0 for one that is not there. */
export async function postgresVersions(url: string): Promise<Versions> {
  try {
    return await withMigrationLock(url, versionsIn);
  } catch (error) {
    throw error instanceof StartError ? error : unreachable(url, error);
  }
}

async function withMigrationLock<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK.toString()]);
    return await work(client);
  } finally {
    // The connection ends with its lock, and with a transaction that failed.
    await client.end().catch(() => {});
  }
}

async function versionsIn(client: pg.Client): Promise<Versions> {
  const seen = async (name: string) => {
    const { rows: tables } = await client.query('SELECT to_regclass($1) AS found', [`${name}.migrations`]);
    if (!tables[0]?.found) return 0;
    const { rows } = await client.query<{ seen: number }>(`SELECT seen FROM ${name}.migrations`);
    return rows[0]?.seen ?? 0;
  };
  return { users: await seen('users'), chat: await seen('chat') };
}

async function migrateSchema(client: pg.Client, name: 'users' | 'chat', seen: number): Promise<void> {
  const folder = fileURLToPath(new URL(`./migrations/postgres/${name}/`, import.meta.url));
  await client.query(
    `CREATE SCHEMA IF NOT EXISTS ${name}; CREATE TABLE IF NOT EXISTS ${name}.migrations (seen integer NOT NULL);
     SET search_path = ${name}`,
  );
  for (const [index, file] of migrationFiles(folder).slice(seen).entries()) {
    await client.query('BEGIN');
    await client.query(readFileSync(join(folder, file), 'utf8'));
    await client.query(`DELETE FROM ${name}.migrations`);
    await client.query(`INSERT INTO ${name}.migrations VALUES ($1)`, [seen + index + 1]);
    await client.query('COMMIT');
  }
}

function unreachable(url: string, error: unknown): StartError {
  const host = new URL(url).host || 'localhost';
  const why = error instanceof Error ? error.message : String(error);
  return new StartError(`PostgreSQL at ${host} cannot be used: ${why}. Check DATABASE_URL and that it runs.`);
}
