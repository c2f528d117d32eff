import { hkdfSync, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../errors.ts';

export const KEY_BYTES = 32;
export const KEY_ID_BYTES = 4;
/** The name of a file in `<data>/keys`; other files there are none of ours. */
export const KEY_FILE = /^\d{4}\.key(?:\.retired)?$/;

export type Key = {
  /** Prefix of every value sealed with this key: identifies the key and reveals nothing about it. */
  id: Buffer;
  /** The sub-key for one purpose, by HKDF-SHA256 (RFC 5869); 32 bytes. */
  derive(purpose: string): Buffer;
};

/** `all` keys can open values; new values are sealed with `current`. */
export type Keyring = { current: Key; all: readonly Key[] };

/**
 * Loads the keys from `ENCRYPTION_KEY` or, if that is not set, from `<data>/keys`, where the first start creates one
 * (mode 0600).
 * @param isFirstStart whether there is no data yet; only then is a key created
 * @throws StartError when a key is not 32 bytes, there is data but no key, or the folder cannot be used
 */
export function loadKeyring(
  encryptionKey: string | undefined,
  dataDir: string,
  isFirstStart: boolean,
): Keyring {
  const all = encryptionKey === undefined ? keysOnDisk(dataDir, isFirstStart) : keysFromText(encryptionKey);
  const [current] = all;
  if (!current) throw new StartError('ENCRYPTION_KEY is empty; remove it or give it a key of 32 bytes.');
  return { current, all };
}

/** Makes the next key on disk; the keyring that is loaded afterwards seals with it. */
export function addKey(dataDir: string): void {
  const folder = keysFolder(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const next = 1 + Math.max(0, ...keyFiles(folder).map((name) => Number.parseInt(name, 10)));
  const file = join(folder, `${String(next).padStart(4, '0')}.key`);
  writeFileSync(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
}

/** Renames every key file except the current one to `.retired`. Call it only once no value is sealed with them. */
export function retireOldKeys(dataDir: string): string[] {
  const folder = keysFolder(dataDir);
  const old = keyFiles(folder).slice(1);
  return old.map((name) => {
    const retired = join(folder, `${name}.retired`);
    renameSync(join(folder, name), retired);
    return retired;
  });
}

function keysOnDisk(dataDir: string, isFirstStart: boolean): Key[] {
  const folder = keysFolder(dataDir);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (keyFiles(folder).length === 0) {
      if (!isFirstStart) {
        throw new StartError(
          `${folder} holds no key for the data in ${dataDir}; put its key back, or set ENCRYPTION_KEY.`,
        );
      }
      addKey(dataDir);
    }
    return keyFiles(folder).map((name) =>
      createKey(keyBytes(readFileSync(join(folder, name), 'utf8'), join(folder, name))),
    );
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`The keys in ${folder} cannot be read or written; check who owns the folder.`);
  }
}

function keysFromText(text: string): Key[] {
  return text.split(',').map((part) => createKey(keyBytes(part, 'ENCRYPTION_KEY')));
}

function keysFolder(dataDir: string): string {
  return join(dataDir, 'keys');
}

/** Newest first. */
function keyFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => KEY_FILE.test(name) && name.endsWith('.key'))
    .sort()
    .reverse();
}

function keyBytes(text: string, where: string): Buffer {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, /^[0-9a-f]{64}$/i.test(trimmed) ? 'hex' : 'base64');
  if (bytes.length === KEY_BYTES) return bytes;
  throw new StartError(`${where} does not hold a key of 32 bytes as 64 hex digits or base64.`);
}

function createKey(secret: Buffer): Key {
  const derive = (purpose: string, length = KEY_BYTES) =>
    Buffer.from(hkdfSync('sha256', secret, '', `hearth/${purpose}`, length));
  return { id: derive('key-id', KEY_ID_BYTES), derive };
}
