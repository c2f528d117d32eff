import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { type Cipher, createCipher } from '../crypto/cipher.ts';
import type { Keyring } from '../crypto/keys.ts';
import { StartError } from '../errors.ts';
import type { Database } from './open.ts';
import { encryptionKeys, secrets } from './tables/sealing.ts';

/**
 * Makes sure that the keyring opens everything in this database, and notes the key that seals from now on.
 * @throws StartError when a key is missing that something here is sealed with
 */
export function checkKeyring({ orm }: Database, keyring: Keyring, now = Date.now()): void {
  const knownKeyIds = new Set(keyring.all.map((key) => key.id.toString('hex')));
  const used = orm.select().from(encryptionKeys).all();
  const missing = used.filter((key) => !knownKeyIds.has(key.keyId));
  if (missing.length > 0 || !opensSecrets({ orm }, keyring)) {
    throw new StartError(
      'The encryption key does not fit the data; start with the ENCRYPTION_KEY, or the files in data/keys, that this data was written with.',
    );
  }
  const current = keyring.current.id.toString('hex');
  orm.insert(encryptionKeys).values({ keyId: current, firstUsedAt: now }).onConflictDoNothing().run();
}

/** A random secret of this database, made when first asked for; base64 of 32 bytes. */
export function secretOf({ orm }: Pick<Database, 'orm'>, keyring: Keyring, name: string): Buffer {
  const cipher = createCipher(keyring, 'secrets');
  const fresh = cipher.seal(secretAad(name), randomBytes(32).toString('base64'));
  orm.insert(secrets).values({ name, value: fresh }).onConflictDoNothing().run();
  const row = orm.select().from(secrets).where(eq(secrets.name, name)).get();
  if (!row) throw new Error(`The secret ${name} vanished while it was made.`);
  return Buffer.from(cipher.open(secretAad(name), row.value), 'base64');
}

/** Seals the secrets anew and forgets every other key: the last step of a rotation. */
export async function finishRotation(database: Database, keyring: Keyring): Promise<void> {
  const { orm } = database;
  const cipher = createCipher(keyring, 'secrets');
  const current = keyring.current.id.toString('hex');
  const rows = orm.select().from(secrets).all();
  const old = orm
    .select()
    .from(encryptionKeys)
    .all()
    .filter((key) => key.keyId !== current);
  await database.atomically([
    ...rows.map((row) => () => {
      const value = cipher.seal(secretAad(row.name), cipher.open(secretAad(row.name), row.value));
      return orm.update(secrets).set({ value }).where(eq(secrets.name, row.name)).run();
    }),
    ...old.map((key) => () => orm.delete(encryptionKeys).where(eq(encryptionKeys.keyId, key.keyId)).run()),
  ]);
}

function opensSecrets({ orm }: Pick<Database, 'orm'>, keyring: Keyring): boolean {
  const cipher: Cipher = createCipher(keyring, 'secrets');
  try {
    for (const row of orm.select().from(secrets).all()) cipher.open(secretAad(row.name), row.value);
    return true;
  } catch {
    return false;
  }
}

function secretAad(name: string): string {
  return `secrets/${name}`;
}
