import { type Cipher, createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { indexKeys } from './words.ts';

/** A message as it is indexed. `marks` are what else it is found by: its author, whether it has a file or a link. */
export type Document = {
  groupId: number;
  seq: number;
  createdAt: number;
  /** Empty for one that was removed. */
  text: string;
  marks: readonly string[];
};

export type Query = {
  groupIds: readonly number[];
  /** All of these are in the message. */
  keys: readonly string[];
  /** Milliseconds, UTC: sent at `after` or later, and before `before`. */
  after: number | undefined;
  before: number | undefined;
  /** The `number` below which hits are wanted. */
  below: number | undefined;
  limit: number;
};

/** Increase it when tokens are made differently: the index is then rebuilt. */
const VERSION = 6;
/** Maximum number of documents with the same millisecond: the document number is the time times this, plus a counter. */
export const PER_MILLISECOND = 2_048;
const TOKEN_BYTES = 6;
const CACHED_WORDS = 50_000;
const BLOCK_BYTES = 16;
/** The last millisecond whose number is exact. */
const MAX_TIME = Math.floor(Number.MAX_SAFE_INTEGER / PER_MILLISECOND);

/**
 * Makes the tokens of the blind index: keyed hashes of words. Each group has its own key, so that a word in two groups
 * looks like two words.
 */
export class Tokens {
  /** Identifies the secret and the version: an index with another one is made anew. */
  readonly fingerprint: string;
  readonly #secret: Uint8Array;
  readonly #ciphers = new Map<number, Cipher>();
  readonly #words = new LRUCache<string, Buffer>({ max: CACHED_WORDS });

  /** @param secret 32 bytes */
  constructor(secret: Uint8Array) {
    this.fingerprint = createHmac('sha256', secret).update(`version ${VERSION}`).digest('hex');
    this.#secret = secret;
  }

  /** Those of a message; undefined for one that is found by nothing, as it was removed. */
  ofDocument({ groupId, text, marks }: Document): number[] | undefined {
    if (text === '' && marks.length === 0) return undefined;
    return this.of(groupId, [...indexKeys(text), ...marks]);
  }

  /**
   * A keyed hash of each word, encrypted under the group's key: as unlinkable between groups as a separate hash for
   * each group, but much faster, since a query needs the tokens of its words in every group of the account.
   * @returns numbers of 48 bits
   */
  of(groupId: number, keys: readonly string[]): number[] {
    // One call for all of them: a call takes longer than a block.
    const blocks = this.#cipherOf(groupId).update(Buffer.concat(keys.map((key) => this.#hashOf(key))));
    return keys.map((_key, index) => blocks.readUIntBE(index * BLOCK_BYTES, TOKEN_BYTES));
  }

  #hashOf(key: string): Buffer {
    let hash = this.#words.get(key);
    if (!hash) {
      hash = createHmac('sha256', this.#secret).update(key).digest().subarray(0, BLOCK_BYTES);
      this.#words.set(key, hash);
    }
    return hash;
  }

  #cipherOf(groupId: number): Cipher {
    let cipher = this.#ciphers.get(groupId);
    if (!cipher) {
      const groupKey = Buffer.from(
        hkdfSync('sha256', this.#secret, '', `hearth/search/${groupId}`, BLOCK_BYTES),
      );
      // ECB is safe here: every block is a hash, and only a keyed permutation of it is needed.
      cipher = createCipheriv('aes-128-ecb', groupKey, null).setAutoPadding(false);
      this.#ciphers.set(groupId, cipher);
    }
    return cipher;
  }
}

/** The numbers of documents that a query wants: from the first, and below the second. */
export function boundsOf({ after, before, below }: Query): { from: bigint; to: bigint } {
  return {
    from: BigInt((after ?? 0) * PER_MILLISECOND),
    to: BigInt(Math.min((before ?? MAX_TIME) * PER_MILLISECOND, below ?? Number.MAX_SAFE_INTEGER)),
  };
}
