import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Keyring } from '../crypto/keys.ts';
import { StartError } from '../errors.ts';
import type { Database } from './executor.ts';
import { createSealer, SEALED, type Sealer } from './sealed-columns.ts';
import { encryptionKeys, secrets } from './tables/sealing.ts';

const { value } = SEALED.secrets.columns;

/** Stands in place of the keys until everything was moved into a database. */
export const UNFINISHED_MOVE = 'unfinished move';

/**
 * Makes sure that the keyring opens everything in this database, and notes the key that seals from now on.
 * @throws StartError when a key is missing that something here is sealed with
 */
export async function checkKeyring(database: Database, keyring: Keyring, now = Date.now()): Promise<void> {
  const keyIds = new Set(keyring.all.map((key) => key.id.toString('hex')));
  const used = await database.all((orm) => orm.select().from(encryptionKeys));
  if (used.some((key) => key.keyId === UNFINISHED_MOVE))
    throw new StartError(
      'Data is being moved here, and not all of it is: run npm run move again until it says so.',
    );
  if (!used.every((key) => keyIds.has(key.keyId)) || !(await opensSecrets(database, createSealer(keyring)))) {
    throw new StartError(
      'The encryption key does not fit the data; start with the ENCRYPTION_KEY, or the files in data/keys, that this data was written with.',
    );
  }
  const current = keyring.current.id.toString('hex');
  await database.run((orm) =>
    orm.insert(encryptionKeys).values({ keyId: current, firstUsedAt: now }).onConflictDoNothing(),
  );
}

/** Whether nothing was sealed in these databases yet. */
export async function holdsNothing(
  databases: Readonly<Record<'users' | 'chat', Database>>,
): Promise<boolean> {
  const rows = await Promise.all(
    [databases.users, databases.chat].map((database) =>
      database.get((orm) => orm.select().from(encryptionKeys).limit(1)),
    ),
  );
  return rows.every((row) => row === undefined);
}

/** A random secret of this database, made when first asked for; base64 of 32 bytes. */
export async function secretOf(database: Database, keyring: Keyring, name: string): Promise<Buffer> {
  const sealer = createSealer(keyring);
  const fresh = sealer.seal(value, { name }, randomBytes(32).toString('base64'));
  await database.run((orm) => orm.insert(secrets).values({ name, value: fresh }).onConflictDoNothing());
  const row = await database.get((orm) => orm.select().from(secrets).where(eq(secrets.name, name)));
  if (!row) throw new Error(`The secret ${name} vanished while it was made.`);
  return Buffer.from(sealer.open(value, row, row.value), 'base64');
}

async function opensSecrets(database: Database, sealer: Sealer): Promise<boolean> {
  try {
    for (const row of await database.all((orm) => orm.select().from(secrets)))
      sealer.open(value, row, row.value);
    return true;
  } catch {
    return false;
  }
}
