import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createClient } from 'redis';
import type { Config } from '../../src/config.ts';
import { type Keyring, loadKeyring } from '../../src/crypto/keys.ts';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { countRows } from '../../src/database/driver/copy.ts';
import { checkNothingMissing } from '../../src/database/integrity.ts';
import { refuseMoved } from '../../src/database/moved.ts';
import { newestVersions } from '../../src/database/snapshots.ts';
import { StartError } from '../../src/errors.ts';
import { bad, type Finding, messageOf, note, ok } from './finding.ts';

/** What is written by clocks that differ by more is out of order for people. */
const CLOCK_MS = 2_000;
const WAIT_MS = 5_000;
const NAMES = ['users', 'chat'] as const;

export function sqlite(config: Config): Finding[] {
  try {
    refuseMoved(config.dataDir);
    checkNothingMissing(config.dataDir);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return [bad(error.message)];
  }
  return NAMES.flatMap((name) => {
    const file = join(config.dataDir, `${name}.sqlite3`);
    if (!existsSync(file)) return [note(`There is no ${name} database yet: the first start makes it.`)];
    let rows: ReturnType<typeof countRows>;
    try {
      rows = countRows(file);
    } catch (error) {
      const isReadOnly = (error as { code?: string }).code?.startsWith('SQLITE_READONLY');
      const advice = isReadOnly
        ? 'Change the owner of the folder'
        : 'Look whether the disk is full or broken';
      return [bad(`${file} cannot be read: ${messageOf(error)}. ${advice}.`)];
    }
    if (!rows || !('encryption_keys' in rows))
      return [bad(`${file} is damaged: stop Hearth and restore a backup, npm run restore.`)];
    const database = new BetterSqlite(file, { readonly: true });
    try {
      const seen = Number(database.pragma('user_version', { simple: true }));
      const used = database.prepare<[], { key_id: string }>('SELECT key_id FROM encryption_keys').all();
      return [
        ok(`The ${name} database is whole: ${Object.values(rows).reduce((sum, each) => sum + each, 0)} rows`),
        ...schema(name, 'sqlite', seen),
        ...fits(
          name,
          config,
          used.map((row) => row.key_id),
        ),
      ];
    } finally {
      database.close();
    }
  });
}

export async function postgres(url: string, config: Config): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: WAIT_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(
      'SELECT current_setting($1) AS version, extract(epoch FROM clock_timestamp()) * 1000 AS now',
      ['server_version'],
    );
    const found = [ok(`PostgreSQL ${rows[0].version} answers`), clock('PostgreSQL', Number(rows[0].now))];
    for (const name of NAMES) {
      const { rows: tables } = await client.query('SELECT to_regclass($1) AS found', [`${name}.migrations`]);
      if (!tables[0].found) found.push(note(`There is no schema ${name} yet: the first start makes it.`));
      else {
        const { rows: seen } = await client.query(`SELECT seen FROM ${name}.migrations`);
        const { rows: used } = await client.query(`SELECT key_id FROM ${name}.encryption_keys`);
        found.push(...schema(name, 'postgres', seen[0]?.seen ?? 0));
        found.push(
          ...fits(
            name,
            config,
            used.map((row) => row.key_id),
          ),
        );
      }
    }
    return found;
  } catch (error) {
    const host = new URL(url).host || 'localhost';
    return [
      bad(`PostgreSQL at ${host} cannot be used: ${messageOf(error)}. Check DATABASE_URL and that it runs.`),
    ];
  } finally {
    await client.end().catch(() => {});
  }
}

function schema(name: 'users' | 'chat', engine: 'sqlite' | 'postgres', seen: number): Finding[] {
  const here = newestVersions(engine)[name];
  if (seen > here) return [bad(`The ${name} database was written by a newer Hearth: start that version.`)];
  return seen < here
    ? [note(`The ${name} database is of an older Hearth: the next start brings it up to date.`)]
    : [];
}

function fits(name: string, { encryptionKey, dataDir }: Config, used: readonly string[]): Finding[] {
  let keyring: Keyring | undefined;
  try {
    keyring = loadKeyring(encryptionKey, dataDir, false);
  } catch {
    return [];
  }
  const own = new Set(keyring.all.map((key) => key.id.toString('hex')));
  return used.every((id) => own.has(id))
    ? [ok(`The key fits the ${name} database`)]
    : [
        bad(
          `The key does not fit the ${name} database: put back data/keys or the ENCRYPTION_KEY that it was written with.`,
        ),
      ];
}

export async function redis(url: string): Promise<Finding> {
  const { host } = new URL(url);
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: WAIT_MS } });
  client.on('error', () => {});
  try {
    await client.connect();
    const [seconds = 0] = (await client.sendCommand(['TIME'])) as unknown as string[];
    return clock(`Redis at ${host}`, Number(seconds) * 1_000 + 500);
  } catch (error) {
    return bad(`Redis at ${host} does not answer: ${messageOf(error)}. Check REDIS_URL and that it runs.`);
  } finally {
    if (client.isOpen) client.destroy();
  }
}

function clock(name: string, now: number): Finding {
  const difference = Math.round(Math.abs(Date.now() - now));
  return difference < CLOCK_MS
    ? ok(`${name} has the same time as this machine`)
    : bad(
        `The clock of ${name} differs by ${difference / 1_000} seconds from this machine’s: set both by NTP.`,
      );
}
