import { createHmac } from 'node:crypto';

/** A keyed hash that finds equal words without storing them; 32 bytes. */
export type BlindIndex = (word: string) => Buffer;

/** HMAC-SHA256 under a key of its own. The key outlives key rotation, so that what was indexed stays findable. */
export function createBlindIndex(key: Uint8Array): BlindIndex {
  return (word) => createHmac('sha256', key).update(word).digest();
}

/** The form in which two spellings of a name are the same name: compatibility-composed, without regard to case. */
export function foldCase(name: string): string {
  return name.normalize('NFKC').toLowerCase().normalize('NFKC');
}
