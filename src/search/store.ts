import { type Cipher, createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import type Sqlite from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import { connect } from './open-store.ts';
import { type Cursor, type Hit, prepare } from './queries.ts';
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
const VERSION = 5;
/** Maximum number of documents with the same millisecond: the document number is the time times this, plus a counter. */
const PER_MILLISECOND = 2_048;
const TOKEN_BYTES = 6;
const CACHED_WORDS = 50_000;
const BLOCK_BYTES = 16;
/** Pages that one merge step writes: about ten milliseconds of work. */
const MERGED_PAGES = 400;

/**
 * The blind index: an FTS5 table of keyed hashes that holds no content and no positions. Each group has its own key, so
 * that a word in two groups looks like two words. It is made from the messages and can be made again at any time.
 */
export class SearchStore {
  readonly #sqlite: Sqlite.Database;
  readonly #secret: Uint8Array;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #ciphers = new Map<number, Cipher>();
  readonly #words = new LRUCache<string, Buffer>({ max: CACHED_WORDS });

  /** @param secret 32 bytes; an index with another secret or version is replaced by a new one */
  constructor(file: string, secret: Uint8Array) {
    this.#sqlite = connect(file, createHmac('sha256', secret).update(`version ${VERSION}`).digest('hex'));
    this.#secret = secret;
    this.#statements = prepare(this.#sqlite);
  }

  /** Indexes documents, replacing existing ones, and moves the cursors of their groups. */
  index(documents: readonly Document[], cursors: readonly Cursor[]): void {
    this.#sqlite.transaction(() => {
      const rows = documents.map((document) => this.#number(document)).filter((row) => row !== undefined);
      // FTS5 needs ascending rowids, and these are negated numbers: insert the newest document first.
      rows.sort((a, b) => b.number - a.number);
      for (const row of rows) this.#statements.addWords.run(-row.number, row.tokens);
      for (const { groupId, change } of cursors) this.#statements.moveCursor.run(groupId, change);
    })();
  }

  /** Newest hits first. Different words may share a token, so hits have to be verified. */
  find(query: Query): Hit[] {
    const { groupIds, keys, limit } = query;
    if (groupIds.length === 0) return [];
    const { from, to } = boundsOf(query);
    if (keys.length === 0) return this.#statements.newest.all(JSON.stringify(groupIds), from, to, limit);
    return this.#statements.matching.all(this.#matchOf(query), -to, -from, limit);
  }

  /** Number of unverified hits, counted up to `limit`. */
  count(query: Query): number {
    const { groupIds, keys, limit } = query;
    if (groupIds.length === 0) return 0;
    const { from, to } = boundsOf(query);
    const counted =
      keys.length === 0
        ? this.#statements.countNewest.get(JSON.stringify(groupIds), from, to, limit)
        : this.#statements.countMatching.get(this.#matchOf(query), -to, -from, limit);
    return counted?.count ?? 0;
  }

  /**
   * Runs one step of an FTS5 merge, which makes queries several times faster.
   * @param isFirst starts a new merge
   * @returns whether there is more to do
   */
  tidy(isFirst: boolean): boolean {
    const { changes, merge } = this.#statements;
    const before = changes.get()?.changes ?? 0;
    merge.run(isFirst ? -MERGED_PAGES : MERGED_PAGES);
    return (changes.get()?.changes ?? 0) - before >= 2;
  }

  cursors(): Cursor[] {
    return this.#statements.cursors.all();
  }

  /** Forgets a group's documents, to begin anew, or those of its messages up to one. */
  forget(groupId: number, upTo?: number): void {
    this.#sqlite.transaction(() => {
      if (upTo !== undefined) {
        for (const { number } of this.#statements.upTo.all(groupId, upTo)) this.#remove(number);
        return;
      }
      for (const { number } of this.#statements.ofGroup.all(groupId)) this.#remove(number);
      this.#statements.removeCursor.run(groupId);
    })();
  }

  close(): void {
    this.#sqlite.close();
  }

  /**
   * A keyed hash of each word, encrypted under the group's key: as unlinkable between groups as a separate hash for
   * each group, but much faster, since a query needs the tokens of its words in every group of the account.
   */
  #tokens(groupId: number, keys: readonly string[]): string[] {
    // One call for all of them: a call takes longer than a block.
    const blocks = this.#cipherOf(groupId).update(Buffer.concat(keys.map((key) => this.#hashOf(key))));
    return keys.map((_key, index) => digitsOf(blocks.readUIntBE(index * BLOCK_BYTES, TOKEN_BYTES)));
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

  #matchOf({ groupIds, keys }: Query): string {
    return groupIds
      .map(
        (groupId) =>
          `(${this.#tokens(groupId, keys)
            .map((token) => `"${token}"`)
            .join(' AND ')})`,
      )
      .join(' OR ');
  }

  #remove(number: number): void {
    this.#statements.remove.run(number);
    this.#statements.removeWords.run(-number);
  }

  /** Assigns a document its number and computes its tokens; undefined for a removed message. */
  #number({
    groupId,
    seq,
    createdAt,
    text,
    marks,
  }: Document): { number: number; tokens: string } | undefined {
    const indexed = this.#statements.byMessage.get(groupId, seq);
    if (indexed) this.#remove(indexed.number);
    if (text === '' && marks.length === 0) return undefined;
    const first = createdAt * PER_MILLISECOND;
    const last = indexed
      ? indexed.number - 1
      : this.#statements.lastOf.get(first, first + PER_MILLISECOND)?.number;
    const number = (last ?? first - 1) + 1;
    this.#statements.add.run(number, groupId, seq);
    const keys = [...indexKeys(text), ...marks];
    return { number, tokens: this.#tokens(groupId, keys).join(' ') };
  }
}

const LOW_DIGITS = 5;
const HIGH_FROM = 36 ** LOW_DIGITS;

/** `token.toString(36)`, in two parts: V8 takes four times as long for a number that is no small integer. */
export function digitsOf(token: number): string {
  const high = Math.floor(token / HIGH_FROM);
  if (high === 0) return token.toString(36);
  const low = (token - high * HIGH_FROM).toString(36);
  return high.toString(36) + low.padStart(LOW_DIGITS, '0');
}

function boundsOf({ after, before, below }: Query): { from: bigint; to: bigint } {
  return {
    from: BigInt((after ?? 0) * PER_MILLISECOND),
    to: BigInt(Math.min((before ?? MAX_TIME) * PER_MILLISECOND, below ?? Number.MAX_SAFE_INTEGER)),
  };
}

/** The last millisecond whose number is exact. */
const MAX_TIME = Math.floor(Number.MAX_SAFE_INTEGER / PER_MILLISECOND);
