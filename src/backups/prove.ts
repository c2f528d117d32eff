import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Keyring } from '../crypto/keys.ts';
import { type Databases, openDatabases } from '../database/open.ts';
import { StartError } from '../errors.ts';
import { openStores, type Stores } from '../stores.ts';
import { checkBackup } from './check.ts';
import { DATABASES, type Manifest } from './manifest.ts';

const IDS_AT_ONCE = 1_000;

/**
 * Restores the databases of a backup into a temporary folder beside it and opens them: each account, and the newest
 * message of each group. Also looks whether every file that a message has is there.
 * @throws StartError that says what is wrong
 */
export async function proveBackup(folder: string, manifest: Manifest, keyring: Keyring): Promise<void> {
  await checkBackup(folder, { ...manifest, media: [] });
  const copy = mkdtempSync(join(folder, '..', '.check-'));
  try {
    for (const name of DATABASES)
      if (existsSync(join(folder, `${name}.sqlite3`)))
        copyFileSync(join(folder, `${name}.sqlite3`), join(copy, `${name}.sqlite3`));
    const databases = openDatabases(copy);
    try {
      const stores = await openEverything(databases, keyring);
      await findMissing(stores, manifest);
    } finally {
      await databases.close();
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function openEverything(databases: Databases, keyring: Keyring): Promise<Stores> {
  try {
    const stores = await openStores(databases, keyring);
    const { accounts, groups, messages } = stores;
    await accounts.list(Number.MAX_SAFE_INTEGER);
    for (const { id, lastSeq } of await groups.everyKind())
      if (lastSeq > 0) await messages.bySeq(id, lastSeq);
    return stores;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new StartError(`The backup cannot be opened with the keys of this Hearth: ${cause}`);
  }
}

/** @throws StartError for a file of a message that is not in the backup */
async function findMissing({ files }: Stores, { media }: Manifest): Promise<void> {
  const there = new Set(media.map(({ path }) => path.split('/').at(-1)));
  for (let after = ''; ; ) {
    const ids = await files.idsAfter(after, IDS_AT_ONCE);
    const missing = ids.find((id) => !there.has(id));
    if (missing !== undefined)
      throw new StartError(`The file ${missing} is not in the data folder: it was lost before this backup.`);
    if (ids.length < IDS_AT_ONCE) return;
    after = ids.at(-1) ?? '';
  }
}
