import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Keyring } from '../crypto/keys.ts';
import { copyDatabase, countRows } from '../database/driver/copy.ts';
import type { Databases } from '../database/open.ts';
import { StartError } from '../errors.ts';
import { openStores, type Stores } from '../stores.ts';
import type { Manifest } from './manifest.ts';
import type { Blob } from './source.ts';

const FILES_AT_ONCE = 1_000;

/** The chat before the accounts: whoever wrote what it has is then among them. @returns how many rows each table has */
export function copyAll(dataDir: string, folder: string, names: readonly string[]): Manifest['rows'] {
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

/** Reads the newest of everything and closes the databases. @returns what there is in the blob store */
export async function readAll(databases: Databases, keyring: Keyring): Promise<Blob[]> {
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
export async function blobsOf({ files, imports }: Stores): Promise<Blob[]> {
  const blobs: Blob[] = (await imports.newest(Number.MAX_SAFE_INTEGER))
    .filter(({ state }) => state !== 'done')
    .map(({ blobId }) => ({ id: blobId, sealed: undefined, owner: 'an import' }));
  for (let after = ''; ; ) {
    const more = await files.following(after, FILES_AT_ONCE);
    for (const { id, key, size, thumbnailSize, groupId, seq } of more)
      blobs.push({
        ...{ id, sealed: { key, size, thumbnailSize } },
        owner: seq === null ? undefined : `message ${seq} of group ${groupId}`,
      });
    if (more.length < FILES_AT_ONCE) return blobs;
    after = more.at(-1)?.id ?? '';
  }
}
