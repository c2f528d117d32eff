import { createHmac } from 'node:crypto';

/** A keyed hash that finds equal words without storing them; 32 bytes. */
export type BlindIndex = (word: string) => Buffer;

/** HMAC-SHA256 under a key of its own. The key outlives key rotation, so that what was indexed stays findable. */
export function createBlindIndex(key: Uint8Array): BlindIndex {
  return (word) => createHmac('sha256', key).update(word).digest();
}

/** Normalises a name for comparison (NFKC, lower case): names with the same result count as the same name. */
export function foldCase(name: string): string {
  return name.normalize('NFKC').toLowerCase().normalize('NFKC');
}
