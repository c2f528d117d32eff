import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Keyring } from '../crypto/keys.ts';
import { openDatabases } from '../database/open.ts';
import { StartError } from '../errors.ts';
import { openStores, type Stores } from '../stores.ts';
import { DATABASES } from './manifest.ts';

const IDS_AT_ONCE = 1_000;

/**
 * Opens copies of the databases in a temporary folder beside them: each account, and the newest message of each group.
 * @returns the ids of the files that they have in the blob store
 * @throws StartError where the keys do not open them
 */
export async function openCopies(folder: string, keyring: Keyring): Promise<string[]> {
  const opened = mkdtempSync(join(folder, '..', '.check-'));
  try {
    for (const name of DATABASES)
      if (existsSync(join(folder, `${name}.sqlite3`)))
        copyFileSync(join(folder, `${name}.sqlite3`), join(opened, `${name}.sqlite3`));
    const databases = await openDatabases(opened);
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
  } finally {
    rmSync(opened, { recursive: true, force: true });
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
