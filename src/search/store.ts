import type Sqlite from 'better-sqlite3';
import { connect } from './open-store.ts';
import { type Claim, type Cursor, type Hit, prepare } from './queries.ts';
import { boundsOf, type Document, PER_MILLISECOND, type Query, Tokens } from './tokens.ts';

/** Pages that one merge step writes: about ten milliseconds of work. */
const MERGED_PAGES = 400;

/**
 * The blind index in a file: an FTS5 table of keyed hashes that holds no content and no positions. It is made from the
 * messages and can be made again at any time.
 */
export class SearchStore {
  readonly #sqlite: Sqlite.Database;
  readonly #tokens: Tokens;
  readonly #statements: ReturnType<typeof prepare>;

  /** @param secret 32 bytes; an index with another secret or version is replaced by a new one */
  constructor(file: string, secret: Uint8Array) {
    this.#tokens = new Tokens(secret);
    this.#sqlite = connect(file, this.#tokens.fingerprint);
    this.#statements = prepare(this.#sqlite);
  }

  /** A file has no other process. */
  claim(): Claim {
    return 'kept';
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

  #matchOf({ groupIds, keys }: Query): string {
    return groupIds
      .map(
        (groupId) =>
          `(${this.#tokens
            .of(groupId, keys)
            .map((token) => `"${digitsOf(token)}"`)
            .join(' AND ')})`,
      )
      .join(' OR ');
  }

  #remove(number: number): void {
    this.#statements.remove.run(number);
    this.#statements.removeWords.run(-number);
  }

  /** The last number of a time; where all of them are taken, as an import can have it, those after it are used, too. */
  #lastFrom(first: number): number | undefined {
    for (let span = PER_MILLISECOND; ; span *= 2) {
      const last = this.#statements.lastOf.get(first, first + span)?.number ?? undefined;
      if (last === undefined || last < first + span - 1) return last;
    }
  }

  /** Assigns a document its number and computes its tokens; undefined for a removed message. */
  #number(document: Document): { number: number; tokens: string } | undefined {
    const { groupId, seq, createdAt } = document;
    const indexed = this.#statements.byMessage.get(groupId, seq);
    if (indexed) this.#remove(indexed.number);
    const tokens = this.#tokens.ofDocument(document);
    if (!tokens) return undefined;
    const first = createdAt * PER_MILLISECOND;
    const last = indexed ? indexed.number - 1 : this.#lastFrom(first);
    const number = (last ?? first - 1) + 1;
    this.#statements.add.run(number, groupId, seq);
    return { number, tokens: tokens.map(digitsOf).join(' ') };
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
