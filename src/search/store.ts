import { type Cipher, createCipheriv, createHmac, hkdfSync } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { connect } from './open-store.ts';
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

/** Where a hit is. `number` orders hits by time and is the cursor of the next page. */
export type Hit = { number: number; groupId: number; seq: number };

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

export type SearchStore = {
  /** Indexes documents and notes how far each group is; one that is there already is replaced. */
  index(documents: readonly Document[], cursors: readonly Cursor[]): void;
  /** The newest hits first. Different words may share a token, so that hits are looked at before they are shown. */
  find(query: Query): Hit[];
  /** How many messages may fit, counted up to `limit`. */
  count(query: Query): number;
  /**
   * Merges a piece of what was indexed lately into the rest, which makes asking several times faster.
   * @param isFirst begins anew; resolves to whether there is more to do
   */
  tidy(isFirst: boolean): boolean;
  cursors(): Cursor[];
  /** Forgets a group's documents, to begin anew. */
  forget(groupId: number): void;
  close(): void;
};

/** The change up to which a group is indexed. */
export type Cursor = { groupId: number; change: number };

/** Raised when tokens are made otherwise: the index is then built anew. */
const VERSION = 5;
/** Maximum number of documents with the same millisecond: the document number is the time times this, plus a counter. */
const PER_MILLISECOND = 2_048;
const TOKEN_BYTES = 6;
const CACHED_WORDS = 50_000;
const BLOCK_BYTES = 16;
/** How much one step of tidying writes: some ten milliseconds of work. */
const MERGED_PAGES = 400;

/**
 * The blind index: an FTS5 table of keyed hashes that holds no content and no positions. Each group has its own key, so
 * that a word in two groups looks like two words. It is made from the messages and can be made again at any time.
 * @param secret 32 bytes; those of another index, or another version, begin a new one
 */
export function openSearchStore(file: string, secret: Uint8Array): SearchStore {
  const sqlite = connect(file, createHmac('sha256', secret).update(`version ${VERSION}`).digest('hex'));
  const ciphers = new Map<number, Cipher>();
  const words = new LRUCache<string, Buffer>({ max: CACHED_WORDS });

  const statements = {
    byMessage: sqlite.prepare<[number, number], { number: number }>(
      'SELECT number FROM documents WHERE group_id = ? AND seq = ?',
    ),
    lastOf: sqlite.prepare<[number, number], { number: number | null }>(
      'SELECT max(number) AS number FROM documents WHERE number >= ? AND number < ?',
    ),
    add: sqlite.prepare('INSERT INTO documents (number, group_id, seq) VALUES (?, ?, ?)'),
    addWords: sqlite.prepare('INSERT INTO words (rowid, tokens) VALUES (?, ?)'),
    remove: sqlite.prepare('DELETE FROM documents WHERE number = ?'),
    removeWords: sqlite.prepare('DELETE FROM words WHERE rowid = ?'),
    moveCursor: sqlite.prepare(
      'INSERT INTO cursors (group_id, change) VALUES (?, ?) ON CONFLICT DO UPDATE SET change = excluded.change',
    ),
    removeCursor: sqlite.prepare('DELETE FROM cursors WHERE group_id = ?'),
    cursors: sqlite.prepare<[], Cursor>('SELECT group_id AS groupId, change FROM cursors'),
    ofGroup: sqlite.prepare<[number], { number: number }>('SELECT number FROM documents WHERE group_id = ?'),
    // The rowid of a document's words is its number below nought, so that the newest come first by themselves: backwards,
    // FTS5 would walk the list of every word to its end. Bounds are bound as integers, which a JavaScript number is not:
    // only then does FTS5 begin where they say.
    matching: sqlite.prepare<[string, bigint, bigint, number], Hit>(
      `SELECT number, group_id AS groupId, seq FROM words JOIN documents ON number = -words.rowid
       WHERE words MATCH ? AND words.rowid > ? AND words.rowid <= ? ORDER BY words.rowid LIMIT ?`,
    ),
    countMatching: sqlite.prepare<[string, bigint, bigint, number], { count: number }>(
      `SELECT count(*) AS count FROM
         (SELECT 1 FROM words WHERE words MATCH ? AND words.rowid > ? AND words.rowid <= ? LIMIT ?)`,
    ),
    countNewest: sqlite.prepare<[string, bigint, bigint, number], { count: number }>(
      `SELECT count(*) AS count FROM
         (SELECT 1 FROM documents WHERE group_id IN (SELECT value FROM json_each(?)) AND number >= ? AND number < ? LIMIT ?)`,
    ),
    // Merging in steps as the documentation of FTS5 has it (sqlite.org/fts5.html, "The 'merge' Command").
    merge: sqlite.prepare("INSERT INTO words (words, rank) VALUES ('merge', ?)"),
    changes: sqlite.prepare<[], { changes: number }>('SELECT total_changes() AS changes'),
    // The plus keeps the order of numbers: by group, all of them would be sorted for the newest twenty.
    newest: sqlite.prepare<[string, bigint, bigint, number], Hit>(
      `SELECT number, group_id AS groupId, seq FROM documents
       WHERE +group_id IN (SELECT value FROM json_each(?)) AND number >= ? AND number < ?
       ORDER BY number DESC LIMIT ?`,
    ),
  };

  /**
   * A keyed hash of the word, then a keyed permutation of that under the group's key: as unlinkable between groups as a
   * hash for each, at a fraction of the time, since a query asks for its words in every group that its asker is in.
   */
  function token(groupId: number, key: string): string {
    let hash = words.get(key);
    if (!hash) {
      hash = createHmac('sha256', secret).update(key).digest().subarray(0, BLOCK_BYTES);
      words.set(key, hash);
    }
    let cipher = ciphers.get(groupId);
    if (!cipher) {
      const groupKey = Buffer.from(hkdfSync('sha256', secret, '', `hearth/search/${groupId}`, BLOCK_BYTES));
      // One block at a time, each a hash: ECB is the bare permutation that is wanted here.
      cipher = createCipheriv('aes-128-ecb', groupKey, null).setAutoPadding(false);
      ciphers.set(groupId, cipher);
    }
    return cipher.update(hash).readUIntBE(0, TOKEN_BYTES).toString(36);
  }

  function matchOf({ groupIds, keys }: Query): string {
    return groupIds
      .map((groupId) => `(${keys.map((key) => `"${token(groupId, key)}"`).join(' AND ')})`)
      .join(' OR ');
  }

  function remove(number: number): void {
    statements.remove.run(number);
    statements.removeWords.run(-number);
  }

  /** Gives a document its number, and resolves to what it is found by; undefined for one that is not found any more. */
  function number({
    groupId,
    seq,
    createdAt,
    text,
    marks,
  }: Document): { number: number; tokens: string } | undefined {
    const indexed = statements.byMessage.get(groupId, seq);
    if (indexed) remove(indexed.number);
    if (text === '' && marks.length === 0) return undefined;
    const first = createdAt * PER_MILLISECOND;
    const last = indexed ? indexed.number - 1 : statements.lastOf.get(first, first + PER_MILLISECOND)?.number;
    const number = (last ?? first - 1) + 1;
    statements.add.run(number, groupId, seq);
    const keys = [...indexKeys(text), ...marks];
    return { number, tokens: keys.map((key) => token(groupId, key)).join(' ') };
  }

  return {
    index: sqlite.transaction((documents: readonly Document[], cursors: readonly Cursor[]) => {
      const rows = documents.map(number).filter((row) => row !== undefined);
      // FTS5 wants rowids that go up, and theirs go down with time.
      rows.sort((a, b) => b.number - a.number);
      for (const row of rows) statements.addWords.run(-row.number, row.tokens);
      for (const { groupId, change } of cursors) statements.moveCursor.run(groupId, change);
    }),
    find(query) {
      if (query.groupIds.length === 0) return [];
      const { from, to } = boundsOf(query);
      if (query.keys.length === 0)
        return statements.newest.all(JSON.stringify(query.groupIds), from, to, query.limit);
      return statements.matching.all(matchOf(query), -to, -from, query.limit);
    },
    count(query) {
      if (query.groupIds.length === 0) return 0;
      const { from, to } = boundsOf(query);
      const counted =
        query.keys.length === 0
          ? statements.countNewest.get(JSON.stringify(query.groupIds), from, to, query.limit)
          : statements.countMatching.get(matchOf(query), -to, -from, query.limit);
      return counted?.count ?? 0;
    },
    tidy(isFirst) {
      const before = statements.changes.get()?.changes ?? 0;
      statements.merge.run(isFirst ? -MERGED_PAGES : MERGED_PAGES);
      return (statements.changes.get()?.changes ?? 0) - before >= 2;
    },
    cursors: () => statements.cursors.all(),
    forget: sqlite.transaction((groupId: number) => {
      for (const { number } of statements.ofGroup.all(groupId)) remove(number);
      statements.removeCursor.run(groupId);
    }),
    close() {
      sqlite.close();
    },
  };
}

function boundsOf({ after, before, below }: Query): { from: bigint; to: bigint } {
  return {
    from: BigInt((after ?? 0) * PER_MILLISECOND),
    to: BigInt(Math.min((before ?? MAX_TIME) * PER_MILLISECOND, below ?? Number.MAX_SAFE_INTEGER)),
  };
}

/** The last millisecond whose number is exact. */
const MAX_TIME = Math.floor(Number.MAX_SAFE_INTEGER / PER_MILLISECOND);
