import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Keyring } from '../crypto/keys.ts';
import { openDatabases } from '../database/open.ts';
import { copyAll, readAll } from './copies.ts';
import { DATABASES } from './manifest.ts';
import type { Blob, Source } from './source.ts';

/** The files of a data folder. */
export function sqliteSource(dataDir: string, keyring: Keyring): Source {
  const opened = async (folder: string) => {
    const rows = copyAll(dataDir, folder, DATABASES);
    return { rows, blobs: await openSqliteCopies(folder, keyring) };
  };
  return {
    async copy(folder) {
      const { rows, blobs } = await opened(folder);
      return { rows, blobs, files: Object.keys(rows).map((name) => `${name}.sqlite3`) };
    },
    async blobs(folder) {
      const { blobs } = await opened(folder);
      return blobs;
    },
  };
}

/** Opens copies of the copies, in a temporary folder beside them. */
async function openSqliteCopies(folder: string, keyring: Keyring): Promise<Blob[]> {
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
