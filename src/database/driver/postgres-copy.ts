import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { StartError } from '../../errors.ts';

/** What `dumpPostgres` writes is called, in backups and snapshots. */
export const DUMP = 'postgres.dump';

const SCHEMAS = ['users', 'chat'] as const;
/** Of what a program says, this much is shown. */
const MAX_WORDS = 300;

/** How many rows each table has, by schema. */
export type PostgresRows = Record<string, Record<string, number>>;

/**
 * Writes both schemas of a database into a file that `pg_restore` reads, also while Hearth writes: rows are counted in
 * the snapshot that is copied (postgresql.org/docs/current/app-pgdump.html, `--snapshot`).
 * @throws StartError where `pg_dump` is missing or fails
 */
export async function dumpPostgres(url: string, file: string): Promise<PostgresRows> {
  return withClient(url, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query('SELECT pg_export_snapshot() AS snapshot');
    const counted = await countIn(client);
    const schemas = SCHEMAS.map((schema) => `--schema=${schema}`);
    const flags = ['--format=custom', '--no-owner', '--no-privileges', ...schemas];
    await runProgram('pg_dump', url, [...flags, `--snapshot=${rows[0].snapshot}`, `--file=${file}`]);
    return counted;
  });
}

/**
 * Puts a file of `dumpPostgres` into a database that has neither of the schemas.
 * @throws StartError where there is data already, or `pg_restore` fails: then nothing of it stays
 */
export async function restorePostgres(url: string, file: string): Promise<PostgresRows> {
  await refuseData(url);
  const flags = ['--no-owner', '--no-privileges', '--exit-on-error', '--single-transaction'];
  await runProgram('pg_restore', url, [...flags, file]);
  return withClient(url, countIn);
}

/** How many rows each table of both schemas has. */
export function countPostgres(url: string): Promise<PostgresRows> {
  return withClient(url, countIn);
}

/** Removes both schemas with all that is in them. */
export async function dropSchemas(url: string): Promise<void> {
  await withClient(url, (client) => client.query(`DROP SCHEMA IF EXISTS ${SCHEMAS.join(', ')} CASCADE`));
}

/** @throws StartError for a database that a Hearth has written to */
export async function refuseData(url: string): Promise<void> {
  const { rowCount } = await withClient(url, (client) =>
    client.query('SELECT 1 FROM information_schema.schemata WHERE schema_name = ANY($1)', [SCHEMAS]),
  );
  if (rowCount)
    throw new StartError(
      `The database ${nameOf(url)} has data already, and stays as it is. Name an empty one with DATABASE_URL.`,
    );
}

/**
 * Runs work with an empty database beside this one, which is removed afterwards.
 * @throws StartError where its user may not make one
 */
export async function withScratchDatabase<Result>(
  url: string,
  work: (url: string) => Promise<Result>,
): Promise<Result> {
  const name = `hearth_check_${process.pid}_${Date.now()}`;
  await withClient(url, (client) => client.query(`CREATE DATABASE ${name}`)).catch((error) => {
    throw new StartError(
      `The copy cannot be tried: ${messageOf(error)}. Let the user of the database make others: ALTER ROLE … CREATEDB.`,
    );
  });
  const scratch = new URL(url);
  scratch.pathname = `/${name}`;
  try {
    return await work(scratch.href);
  } finally {
    await withClient(url, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  }
}

async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new StartError(`PostgreSQL cannot be reached: ${messageOf(error)}.`);
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function countIn(client: pg.Client): Promise<PostgresRows> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
     WHERE table_schema = ANY($1) AND table_type = 'BASE TABLE' ORDER BY table_schema, table_name`,
    [SCHEMAS],
  );
  const counted: PostgresRows = {};
  for (const { schema, name } of rows) {
    const { rows: counts } = await client.query(`SELECT count(*) AS rows FROM "${schema}"."${name}"`);
    counted[schema] = { ...counted[schema], [name]: Number(counts[0].rows) };
  }
  return counted;
}

/** The password goes by a file: flags can be read by everybody on the machine. */
async function runProgram(program: string, url: string, flags: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-'));
  try {
    const passwordFile = join(folder, 'password');
    const { address, password } = withoutPassword(url, passwordFile);
    // postgresql.org/docs/current/libpq-pgpass.html
    writeFileSync(passwordFile, `*:*:*:*:${password.replace(/[\\:]/g, '\\$&')}\n`, { mode: 0o600 });
    await runToEnd(program, [...flags, `--dbname=${address}`]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runToEnd(program: string, flags: readonly string[]): Promise<void> {
  const child = spawn(program, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (data) => {
    if (words.length < MAX_WORDS) words += data;
  });
  const [code] = await once(child, 'close').catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new StartError(
      `${program} is missing. Install the client of PostgreSQL: apt-get install postgresql-client`,
    );
  });
  if (code !== 0) throw new StartError(`${program} failed: ${words.trim().slice(0, MAX_WORDS)}`);
}

function withoutPassword(url: string, passwordFile: string): { address: string; password: string } {
  const address = new URL(url);
  const password = decodeURIComponent(address.password);
  address.password = '';
  address.searchParams.set('passfile', passwordFile);
  return { address: address.href, password };
}

function nameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
