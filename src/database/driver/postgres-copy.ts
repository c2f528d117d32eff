import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { StartError } from '../../errors.ts';

/** What `dumpPostgres` writes is called, in backups and snapshots. */
export const DUMP = 'postgres.dump';

const SCHEMAS = ['users', 'chat'] as const;
/** Of what a program says, this much is shown. */
const MAX_WORDS = 300;
/** A database for a trial that is older than this, and in which nobody is, was left behind. */
const ABANDONED_MS = 3_600_000;

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
    chmodSync(file, 0o600);
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

/** What a schema is called while another is put in its place. */
const aside = (schema: string) => `hearth_undone_${schema}`;

/** Whether both schemas were set aside, and nothing is in their place yet. */
export async function isSetAside(url: string): Promise<boolean> {
  const { rowCount } = await withClient(url, (client) =>
    client.query('SELECT 1 FROM information_schema.schemata WHERE schema_name = ANY($1)', [
      SCHEMAS.map(aside),
    ]),
  );
  return rowCount !== 0;
}

/**
 * Puts a file of `dumpPostgres` in the place of both schemas. What is killed on the way goes on at the next call.
 * @throws StartError where that fails: then the schemas are as they were
 */
export async function replacePostgres(url: string, file: string): Promise<void> {
  if (!(await isSetAside(url))) await renameSchemas(url, (schema) => [schema, aside(schema)]);
  try {
    await withClient(url, (client) => client.query(`DROP SCHEMA IF EXISTS ${SCHEMAS.join(', ')} CASCADE`));
    await restorePostgres(url, file);
  } catch (error) {
    await renameSchemas(url, (schema) => [aside(schema), schema]);
    throw error;
  }
  await withClient(url, (client) => client.query(`DROP SCHEMA ${SCHEMAS.map(aside).join(', ')} CASCADE`));
}

async function renameSchemas(
  url: string,
  names: (schema: string) => [from: string, to: string],
): Promise<void> {
  const statements = SCHEMAS.map(names).map(([from, to]) => `ALTER SCHEMA ${from} RENAME TO ${to}`);
  await withClient(url, (client) => client.query(`BEGIN; ${statements.join('; ')}; COMMIT`));
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
  await dropAbandoned(url);
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

/** What a killed process left, to which nobody is connected. */
async function dropAbandoned(url: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT datname AS name FROM pg_database WHERE datname ~ '^hearth_check_[0-9]+_[0-9]+$'
       AND NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname)
       AND split_part(datname, '_', 4)::bigint < $1`,
      [Date.now() - ABANDONED_MS],
    );
    for (const { name } of rows) await client.query(`DROP DATABASE IF EXISTS ${name}`);
  });
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
    if (password !== '')
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
  const password = decodeURIComponent(address.password) || (address.searchParams.get('password') ?? '');
  address.password = '';
  address.searchParams.delete('password');
  if (password !== '') address.searchParams.set('passfile', passwordFile);
  return { address: address.href, password };
}

function nameOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
