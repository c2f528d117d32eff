import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyring } from '../crypto/keys.ts';
import { countRows } from '../database/driver/copy.ts';
import {
  countPostgres,
  DUMP,
  dumpPostgres,
  type PostgresRows,
  restorePostgres,
  withScratchDatabase,
} from '../database/driver/postgres-copy.ts';
import { postgresVersions } from '../database/migrate-postgres.ts';
import { openDatabases } from '../database/open.ts';
import { isUpgrade, newestVersions, sqliteVersions, type Versions } from '../database/snapshots.ts';
import { diskFull, fileFailure, StartError } from '../errors.ts';
import { copyAll, readAll } from './copies.ts';

export type Rehearsal = Readonly<{
  from: Versions;
  to: Versions;
  /** Whether there is something to upgrade. */
  isUpgrade: boolean;
  /** What opening and upgrading the copy took, in milliseconds. */
  took: number;
  accounts: number;
  messages: number;
}>;

type Rows = Record<string, Record<string, number>>;

/** What is upgraded in the rehearsal. */
export type Rehearsed = Readonly<{ dataDir: string; databaseUrl: string | undefined; keyring: Keyring }>;

/**
 * Upgrades a copy of the databases, also while Hearth runs, and opens it: each account, and the newest message of each
 * group. No table may have other rows than before.
 * @throws StartError that says what went wrong
 */
export async function rehearse({ dataDir, databaseUrl, keyring }: Rehearsed): Promise<Rehearsal> {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-rehearsal-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // Also where somebody ends it: `runCommand` exits then.
  process.once('exit', remove);
  try {
    const engine = databaseUrl ? 'postgres' : 'sqlite';
    const from = databaseUrl ? await postgresVersions(databaseUrl) : sqliteVersions(dataDir);
    const to = newestVersions(engine);
    const copy = databaseUrl
      ? await upgradePostgresCopy(databaseUrl, folder, keyring)
      : await upgradeSqliteCopy(dataDir, folder, keyring);
    checkSame(copy.before, copy.after);
    const { accounts = 0 } = copy.after.users ?? {};
    const { messages = 0 } = copy.after.chat ?? {};
    return { from, to, isUpgrade: isUpgrade(from, to), took: copy.took, accounts, messages };
  } catch (error) {
    if (error instanceof StartError) throw error;
    if (diskFull(error))
      throw new StartError(
        `The copy does not fit into ${tmpdir()}. Make room there, or name a folder with room in TMPDIR.`,
      );
    const failure = fileFailure(error);
    if (failure) throw failure;
    const cause = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `The upgrade fails on a copy: ${cause}. Stay with the version before, and report this.`,
    );
  } finally {
    remove();
    process.off('exit', remove);
  }
}

async function upgradeSqliteCopy(dataDir: string, folder: string, keyring: Keyring) {
  const before = copyAll(dataDir, folder, ['chat', 'users']);
  const startedAt = performance.now();
  await readAll(await openDatabases(folder), keyring);
  const took = performance.now() - startedAt;
  const after: Rows = {};
  for (const name of Object.keys(before)) after[name] = countRows(join(folder, `${name}.sqlite3`)) ?? {};
  return { before, after, took };
}

async function upgradePostgresCopy(url: string, folder: string, keyring: Keyring) {
  const dump = join(folder, DUMP);
  const before = await dumpPostgres(url, dump);
  return withScratchDatabase(url, async (scratch) => {
    await restorePostgres(scratch, dump);
    const startedAt = performance.now();
    await readAll(await openDatabases(folder, scratch), keyring);
    const took = performance.now() - startedAt;
    const after: PostgresRows = await countPostgres(scratch);
    return { before, after, took };
  });
}

function checkSame(before: Rows, after: Rows): void {
  for (const [name, tables] of Object.entries(before))
    for (const [table, rows] of Object.entries(tables)) {
      const left = after[name]?.[table];
      if (left !== undefined && left < rows)
        throw new StartError(
          `After the upgrade, the table ${table} of the ${name} database has ${left} rows instead of ${rows}. Stay with the version before, and report this.`,
        );
    }
}
