import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import { KEY_ID_BYTES, type Keyring } from './keys.ts';

/**
 * Seals text with AES-256-GCM. The value is bound to additional authenticated data (AAD): it does not open with any
 * other AAD. Layout: key id (4 bytes) · nonce (12) · ciphertext · tag (16). Nonces are random, which is safe for up
 * to 2^32 values per key (NIST SP 800-38D, 8.3); `npm run rotate-keys` starts a new key.
 */
export type Cipher = {
  /** @param aad the identity of the row, such as `messages/7/<uuid>` */
  seal(aad: string, text: string): Buffer;
  /** @throws Error when the value was changed, moved, or sealed with a key that is not in the keyring */
  open(aad: string, sealed: Uint8Array): string;
  /** Whether this value was sealed with the key that seals now. */
  isCurrent(sealed: Uint8Array): boolean;
};

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OVERHEAD = KEY_ID_BYTES + NONCE_BYTES + TAG_BYTES;

/** @param purpose separates the sub-keys of one key, so that a value sealed for one purpose opens for no other */
export function createCipher(keyring: Keyring, purpose: string): Cipher {
  const current = keyring.current;
  const keys = new Map(keyring.all.map((key) => [key.id.toString('hex'), key.derive(purpose)]));
  const sealingKey = current.derive(purpose);
  const nonces = new NoncePool();

  return {
    seal(aad, text) {
      const nonce = nonces.next();
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce);
      cipher.setAAD(Buffer.from(aad));
      return Buffer.concat([
        current.id,
        nonce,
        cipher.update(text, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
    },
    open(aad, value) {
      const sealed = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      const key = keys.get(sealed.toString('hex', 0, KEY_ID_BYTES));
      if (!key || sealed.length < OVERHEAD)
        throw new Error(`No key of this keyring opens the value at ${aad}.`);
      const decipher = createDecipheriv(
        'aes-256-gcm',
        key,
        sealed.subarray(KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES),
        {
          authTagLength: TAG_BYTES,
        },
      );
      decipher.setAAD(Buffer.from(aad));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      return (
        decipher.update(sealed.subarray(KEY_ID_BYTES + NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') +
        decipher.final('utf8')
      );
    },
    isCurrent(sealed) {
      return current.id.equals(sealed.subarray(0, KEY_ID_BYTES));
    },
  };
}

/** Hands out random nonces from a block: one call to the random generator for 256 of them. */
class NoncePool {
  #block = Buffer.alloc(0);

  next(): Buffer {
    if (this.#block.length === 0) this.#block = randomFillSync(Buffer.alloc(NONCE_BYTES * 256));
    const nonce = this.#block.subarray(0, NONCE_BYTES);
    this.#block = this.#block.subarray(NONCE_BYTES);
    return nonce;
  }
}
