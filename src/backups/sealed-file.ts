import { hkdfSync, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CHUNK_BYTES, openRange, sealStream } from '../crypto/sealed-stream.ts';
import { StartError } from '../errors.ts';

/** The ending of a sealed file. */
export const SEALED = '.sealed';

const KEY_BYTES = 32;
const SALT_BYTES = 16;
const TAG_BYTES = 16;

/** Makes the key of one backup in the folder of all of them. @returns the key */
export function makeBackupKey(keyFolder: string, backup: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  try {
    mkdirSync(keyFolder, { recursive: true, mode: 0o700 });
    writeFileSync(keyFileOf(keyFolder, backup), `${key.toString('hex')}\n`, {
      ...{ mode: 0o600, flush: true, flag: 'wx' },
    });
  } catch (error) {
    throw new StartError(
      `The key of the backup cannot be written to ${keyFolder}: ${error instanceof Error ? error.message : error}`,
    );
  }
  return key;
}

export function keyFileOf(keyFolder: string, backup: string): string {
  return join(keyFolder, `${backup}.key`);
}

/** @throws StartError for a file that is no key */
export function readBackupKey(file: string): Buffer {
  let text = '';
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    throw new StartError(`The key ${file} cannot be read. Name the file with --key.`);
  }
  if (!/^[0-9a-f]{64}$/.test(text)) throw new StartError(`${file} is no key of a backup.`);
  return Buffer.from(text, 'hex');
}

/**
 * Seals a file into another and removes it: 16 random bytes, from which its own key is derived,
 * then a sealed stream.
 */
export async function sealFile(file: string, sealed: string, key: Buffer): Promise<void> {
  const salt = randomBytes(SALT_BYTES);
  const target = createWriteStream(sealed, { mode: 0o600, flush: true });
  target.write(salt);
  await pipeline(createReadStream(file), sealStream(keyOfFile(key, salt), 0), target);
  await rm(file);
}

/** Opens what `sealFile` wrote. @throws StartError for another key, or a file that was changed */
export async function openSealedFile(from: string, to: string, key: Buffer): Promise<void> {
  const file = await open(from);
  try {
    const readAt = async (position: number, length: number) => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    };
    const salt = await readAt(0, SALT_BYTES);
    const sealed = (await file.stat()).size - SALT_BYTES;
    const size = sealed - Math.ceil(sealed / (CHUNK_BYTES + TAG_BYTES)) * TAG_BYTES;
    const source = {
      ...{ key: keyOfFile(key, salt), part: 0, size },
      readAt: (position: number, length: number) => readAt(SALT_BYTES + position, length),
    };
    const target = createWriteStream(to, { mode: 0o600, flush: true });
    const closed = new Promise<void>((resolve) => target.once('close', () => resolve()));
    // A write that was under way when it failed would still land in what is written there next.
    await pipeline(Readable.from(openRange(source, 0, Math.max(0, size - 1))), target).finally(() => closed);
  } catch {
    throw new StartError(`${from} does not open: it is damaged, or the key is of another backup.`);
  } finally {
    await file.close();
  }
}

function keyOfFile(key: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, 'hearth backup', KEY_BYTES));
}
