import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Keyring } from '../crypto/keys.ts';
import { copyDatabase, countRows } from '../database/driver/copy.ts';
import { dumpPostgres, restorePostgres, withScratchDatabase } from '../database/driver/postgres-copy.ts';
import { type Databases, openDatabases } from '../database/open.ts';
import { StartError } from '../errors.ts';
import { openStores, type Stores } from '../stores.ts';
import { DATABASES, DUMP, type Manifest, SESSIONS } from './manifest.ts';

const IDS_AT_ONCE = 1_000;

export type Copied = {
  rows: Manifest['rows'];
  /** Files in the folder of the backup. */
  files: string[];
  /** Of the files that people sent. */
  blobIds: string[];
};

/** What is backed up. */
export type Source = {
  /**
   * Copies the databases of one moment into a folder, and opens the copies: each account, and the newest message of
   * each group.
   * @throws StartError for a copy that is not whole, or does not open with the keys
   */
  copy(folder: string): Promise<Copied>;
  /** The ids of the files that there are by now. @param folder for temporary files */
  blobIds(folder: string): Promise<string[]>;
};

/** The files of a data folder. */
export function sqliteSource(dataDir: string, keyring: Keyring): Source {
  const opened = async (folder: string) => {
    const rows = copyAll(dataDir, folder, DATABASES);
    return { rows, blobIds: await openSqliteCopies(folder, keyring) };
  };
  return {
    async copy(folder) {
      const { rows, blobIds } = await opened(folder);
      return { rows, blobIds, files: Object.keys(rows).map((name) => `${name}.sqlite3`) };
    },
    async blobIds(folder) {
      const { blobIds } = await opened(folder);
      return blobIds;
    },
  };
}

/** A PostgreSQL database, and the sessions of the data folder where Redis does not have them. */
export function postgresSource(url: string, dataDir: string, keyring: Keyring): Source {
  return {
    async copy(folder) {
      const dump = join(folder, DUMP);
      const dumped = await dumpPostgres(url, dump);
      const blobIds = await withScratchDatabase(url, async (scratch) => {
        if (!isDeepStrictEqual(await restorePostgres(scratch, dump), dumped))
          throw new StartError('The copy has other rows than the database. Take another backup.');
        return readAll(await openDatabases(folder, scratch), keyring);
      });
      const sessions = copyAll(dataDir, folder, [SESSIONS]);
      const files = [DUMP, ...Object.keys(sessions).map((name) => `${name}.sqlite3`)];
      return { rows: { ...dumped, ...sessions }, files, blobIds };
    },
    async blobIds(folder) {
      const databases = await openDatabases(folder, url);
      try {
        return await blobsOf(await openStores(databases, keyring));
      } finally {
        await databases.close();
      }
    },
  };
}

/** The chat before the accounts: whoever wrote what it has is then among them. @returns how many rows each table has */
function copyAll(dataDir: string, folder: string, names: readonly string[]): Manifest['rows'] {
  const rows: Manifest['rows'] = {};
  for (const name of names) {
    const file = `${name}.sqlite3`;
    if (!existsSync(join(dataDir, file))) continue;
    copyDatabase(join(dataDir, file), join(folder, file));
    const counted = countRows(join(folder, file));
    if (!counted) throw new StartError(`The copy of ${join(dataDir, file)} is damaged.`);
    rows[name] = counted;
  }
  return rows;
}

/** Opens copies of the copies, in a temporary folder beside them. */
async function openSqliteCopies(folder: string, keyring: Keyring): Promise<string[]> {
  const opened = mkdtempSync(join(folder, '..', '.check-'));
  try {
    for (const name of DATABASES)
      if (existsSync(join(folder, `${name}.sqlite3`)))
        copyFileSync(join(folder, `${name}.sqlite3`), join(opened, `${name}.sqlite3`));
    return await readAll(await openDatabases(opened), keyring);
  } finally {
    rmSync(opened, { recursive: true, force: true });
  }
}

/** Reads the newest of everything and closes the databases. @returns the ids of the files in the blob store */
async function readAll(databases: Databases, keyring: Keyring): Promise<string[]> {
  try {
    const stores = await openStores(databases, keyring);
    await readNewest(stores);
    return await blobsOf(stores);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new StartError(`The backup cannot be opened with the keys of this Hearth: ${cause}`);
  } finally {
    await databases.close();
  }
}

async function readNewest({ accounts, groups, messages }: Stores): Promise<void> {
  await accounts.list(Number.MAX_SAFE_INTEGER);
  for (const { id, lastSeq } of await groups.everyKind()) if (lastSeq > 0) await messages.bySeq(id, lastSeq);
}

/** Files of messages, and archives that wait to be brought in. What has no row yet may still change. */
async function blobsOf({ files, imports }: Stores): Promise<string[]> {
  const ids = (await imports.newest(Number.MAX_SAFE_INTEGER))
    .filter(({ state }) => state !== 'done')
    .map(({ blobId }) => blobId);
  for (let after = ''; ; ) {
    const more = await files.idsAfter(after, IDS_AT_ONCE);
    ids.push(...more);
    if (more.length < IDS_AT_ONCE) return ids;
    after = more.at(-1) ?? '';
  }
}
