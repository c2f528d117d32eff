import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Keyring } from '../crypto/keys.ts';
import {
  DUMP,
  dumpPostgres,
  restorePostgres,
  withScratchDatabase,
} from '../database/driver/postgres-copy.ts';
import { openDatabases } from '../database/open.ts';
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
