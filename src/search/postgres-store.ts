import pg from 'pg';
import type { Cursor, Hit } from './queries.ts';
import { boundsOf, type Document, PER_MILLISECOND, type Query, Tokens } from './tokens.ts';

/** Held while an index of another secret is emptied; "hear" and "sear" in ASCII. */
const LOCK = '0x68656172, 0x73656172';
/** Searches and the feed each take one. */
const MAX_CONNECTIONS = 3;

type HitRow = { number: string; group_id: string; seq: string };

/**
 * The blind index in PostgreSQL, which all processes share: a GIN index of the tokens of each message. It gives the answers
 * of `SearchStore`, and holds no more of what people wrote.
 */
export class PostgresSearchStore {
  readonly #pool: pg.Pool;
  readonly #tokens: Tokens;
  #ready: Promise<void> | undefined;

  constructor(url: string, secret: Uint8Array) {
    this.#pool = new pg.Pool({
      ...{
        connectionString: url,
        max: MAX_CONNECTIONS,
        options: '-c search_path=chat',
        keepAlive: true,
        pipeline: true,
      },
    });
    this.#pool.on('connect', (client) => client.on('error', () => {}));
    this.#pool.on('error', () => {});
    this.#tokens = new Tokens(secret);
  }

  /** Indexes documents, replacing existing ones, and moves the cursors of their groups. */
  async index(documents: readonly Document[], cursors: readonly Cursor[]): Promise<void> {
    await this.#inTransaction(async (client) => {
      // Two processes that index the same messages take them in the same order.
      const sorted = documents.toSorted((a, b) => a.groupId - b.groupId || a.seq - b.seq);
      await Promise.all(sorted.map((document) => this.#write(client, document)));
      for (const { groupId, change } of cursors)
        await client.query(
          `INSERT INTO search_cursors VALUES ($1, $2)
           ON CONFLICT (group_id) DO UPDATE SET change = greatest(search_cursors.change, excluded.change)`,
          [groupId, change],
        );
    });
  }

  /** Newest hits first. Different words may share a token, so hits have to be verified. */
  async find(query: Query): Promise<Hit[]> {
    if (query.groupIds.length === 0) return [];
    const { where, values } = this.#conditionOf(query);
    const { rows } = await this.#query<HitRow>(
      `SELECT number, group_id, seq FROM search_documents WHERE ${where}
       ORDER BY number DESC, group_id, seq LIMIT ${query.limit}`,
      values,
    );
    return rows.map((row) => ({
      number: Number(row.number),
      groupId: Number(row.group_id),
      seq: Number(row.seq),
    }));
  }

  /** Number of unverified hits, counted up to `limit`. */
  async count(query: Query): Promise<number> {
    if (query.groupIds.length === 0) return 0;
    const { where, values } = this.#conditionOf(query);
    const { rows } = await this.#query<{ hits: string }>(
      `SELECT count(*) AS hits FROM (SELECT 1 FROM search_documents WHERE ${where} LIMIT ${query.limit}) AS found`,
      values,
    );
    return Number(rows[0]?.hits ?? 0);
  }

  /** PostgreSQL merges what is new into the index by itself. */
  async tidy(): Promise<boolean> {
    return false;
  }

  async cursors(): Promise<Cursor[]> {
    const { rows } = await this.#query<{ group_id: string; change: string }>(
      'SELECT * FROM search_cursors',
      [],
    );
    return rows.map((row) => ({ groupId: Number(row.group_id), change: Number(row.change) }));
  }

  /** Forgets a group's documents, to begin anew, or those of its messages up to one. */
  async forget(groupId: number, upTo?: number): Promise<void> {
    await this.#inTransaction(async (client) => {
      const last = upTo ?? Number.MAX_SAFE_INTEGER;
      await client.query('DELETE FROM search_documents WHERE group_id = $1 AND seq <= $2', [groupId, last]);
      if (upTo === undefined) await client.query('DELETE FROM search_cursors WHERE group_id = $1', [groupId]);
    });
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  #write(client: pg.PoolClient, document: Document): Promise<unknown> {
    const { groupId, seq, createdAt } = document;
    const tokens = this.#tokens.ofDocument(document);
    if (!tokens)
      return client.query('DELETE FROM search_documents WHERE group_id = $1 AND seq = $2', [groupId, seq]);
    return client.query(
      `INSERT INTO search_documents (group_id, seq, number, tokens) VALUES ($1, $2, $3, $4)
       ON CONFLICT (group_id, seq) DO UPDATE SET tokens = excluded.tokens`,
      [groupId, seq, createdAt * PER_MILLISECOND + (seq % PER_MILLISECOND), tokens],
    );
  }

  #conditionOf(query: Query): { where: string; values: unknown[] } {
    const { from, to } = boundsOf(query);
    const values: unknown[] = [from.toString(), to.toString()];
    const time = 'number >= $1 AND number < $2';
    if (query.keys.length === 0) {
      values.push(query.groupIds);
      return { where: `${time} AND group_id = ANY($3)`, values };
    }
    const groups = query.groupIds.map((groupId) => {
      values.push(this.#tokens.of(groupId, query.keys));
      return `tokens @> $${values.length}::bigint[]`;
    });
    return { where: `${time} AND (${groups.join(' OR ')})`, values };
  }

  async #query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<pg.QueryResult<Row>> {
    await this.#begun();
    return this.#pool.query<Row>(text, values);
  }

  async #inTransaction(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
    await this.#begun();
    await this.#transaction(work);
  }

  async #transaction(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('BEGIN');
      await work(client);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Empties an index that was made with another secret or in another way. */
  #begun(): Promise<void> {
    this.#ready ??= this.#transaction(async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(${LOCK.split(', ').map(Number).join(', ')})`);
      const { rows } = await client.query('SELECT fingerprint FROM search_meta');
      if (rows[0]?.fingerprint === this.#tokens.fingerprint) return;
      await client.query('TRUNCATE search_documents, search_cursors, search_meta');
      await client.query('INSERT INTO search_meta VALUES ($1)', [this.#tokens.fingerprint]);
    }).catch((error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }
}
