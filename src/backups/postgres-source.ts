import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Keyring } from '../crypto/keys.ts';
import {
  DUMP,
  dumpPostgres,
  restorePostgres,
  withScratchDatabase,
} from '../database/driver/postgres-copy.ts';
import { postgresVersions } from '../database/migrate-postgres.ts';
import { openDatabases } from '../database/open.ts';
import { isUpgrade, newestVersions } from '../database/snapshots.ts';
import { StartError } from '../errors.ts';
import { openStores } from '../stores.ts';
import { blobsOf, copyAll, readAll } from './copies.ts';
import { SESSIONS } from './manifest.ts';
import type { Source } from './source.ts';

/** A PostgreSQL database, and the sessions of the data folder where Redis does not have them. */
export function postgresSource(url: string, dataDir: string, keyring: Keyring): Source {
  return {
    async copy(folder) {
      const dump = join(folder, DUMP);
      const dumped = await dumpPostgres(url, dump);
      const blobs = await withScratchDatabase(url, async (scratch) => {
        if (!isDeepStrictEqual(await restorePostgres(scratch, dump), dumped))
          throw new StartError('The copy has other rows than the database. Take another backup.');
        // A snapshot before an upgrade of the copy is not part of the backup.
        const opened = mkdtempSync(join(folder, '..', '.check-'));
        try {
          return await readAll(await openDatabases(opened, scratch), keyring);
        } finally {
          rmSync(opened, { recursive: true, force: true });
        }
      });
      const sessions = copyAll(dataDir, folder, [SESSIONS]);
      const files = [DUMP, ...Object.keys(sessions).map((name) => `${name}.sqlite3`)];
      return { rows: { ...dumped, ...sessions }, files, blobs };
    },
    async blobs(folder) {
      if (isUpgrade(await postgresVersions(url), newestVersions('postgres')))
        throw new StartError(
          'A file was removed meanwhile, and this version would upgrade the database: start it first.',
        );
      const databases = await openDatabases(folder, url);
      try {
        return await blobsOf(await openStores(databases, keyring));
      } finally {
        await databases.close();
      }
    },
  };
}
