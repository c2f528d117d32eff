import pg from 'pg';
import { SERVER_KEEPALIVE } from '../database/driver/postgres-processes.ts';
import { conditionOf, INSERT, MAX_READERS } from './postgres-queries.ts';
import type { Claim, Cursor, Hit } from './queries.ts';
import { type Document, PER_MILLISECOND, type Query, Tokens } from './tokens.ts';

/** The advisory lock of the process that writes: "hear" and "sear" in ASCII. */
const LOCK = [0x68656172, 0x73656172];
const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_MS = 20_000;
/** To remove what there is of millions of messages. */
const LONG_MS = 6 * 3_600_000;
/** A connection that is silent is not waited for longer at the end. */
const END_MS = 2_000;

/** TRUNCATE would wait for a copy of the database that is under way, and all searches for it. */
const EMPTY = ['search_documents', 'search_cursors', 'search_meta'].map(
  (table) => `DELETE FROM chat.${table}`,
);

type HitRow = { number: string; group_id: string; seq: string };

/**
 * The blind index in PostgreSQL, which all processes share: a GIN index of the tokens of each message. It gives the answers
 * of `SearchStore`, and holds no more of what people wrote. One process writes; its lock is held by the connection with which
 * it writes, so that another one writes as soon as that is gone, and never both.
 */
export class PostgresSearchStore {
  readonly #config: pg.PoolConfig;
  readonly #readers: pg.Pool;
  readonly #tokens: Tokens;
  /** The connection with which this process writes, or waits to be the one that does. */
  #connection: pg.Client | undefined;
  #isWriter = false;

  /** @param secret 32 bytes; an index with another secret or version is replaced by the process that writes */
  constructor(url: string, secret: Uint8Array) {
    this.#config = {
      connectionString: url,
      options: `-c search_path=chat ${SERVER_KEEPALIVE}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: ANSWER_MS,
      keepAlive: true,
      pipeline: true,
    };
    this.#readers = new pg.Pool({ ...this.#config, max: MAX_READERS });
    this.#readers.on('connect', (client) => client.on('error', () => {}));
    this.#readers.on('error', () => {});
    this.#tokens = new Tokens(secret);
  }

  /** Makes this process the one that writes the index, where there is no other. */
  async claim(): Promise<Claim> {
    if (this.#isWriter) return 'kept';
    this.#connection ??= await this.#connect();
    try {
      const { rows } = await this.#connection.query('SELECT pg_try_advisory_lock($1, $2) AS is_mine', LOCK);
      if (!rows[0].is_mine) return 'refused';
      await this.#emptyOthers(this.#connection);
    } catch (error) {
      this.#disconnect();
      throw error;
    }
    this.#isWriter = true;
    return 'new';
  }

  /** Indexes documents, replacing existing ones, and moves the cursors of their groups. */
  async index(documents: readonly Document[], cursors: readonly Cursor[]): Promise<void> {
    await this.#write((client) => [
      this.#replace(client, documents),
      client.query(
        `INSERT INTO search_cursors SELECT * FROM unnest($1::bigint[], $2::bigint[])
         ON CONFLICT (group_id) DO UPDATE SET change = excluded.change`,
        [cursors.map(({ groupId }) => groupId), cursors.map(({ change }) => change)],
      ),
    ]);
  }

  /** Newest hits first. Different words may share a token, so hits have to be verified. */
  async find(query: Query): Promise<Hit[]> {
    if (query.groupIds.length === 0) return [];
    const { where, values } = conditionOf(query, this.#tokens);
    const { rows } = await this.#readers.query<HitRow>(
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
    const { where, values } = conditionOf(query, this.#tokens);
    const { rows } = await this.#readers.query<{ hits: string }>(
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
    const { rows } = await this.#readers.query<{ group_id: string; change: string }>(
      'SELECT * FROM search_cursors',
    );
    return rows.map((row) => ({ groupId: Number(row.group_id), change: Number(row.change) }));
  }

  /** Forgets a group's documents, to begin anew, or those up to one whose messages are gone. */
  async forget(groupId: number, upTo?: number): Promise<void> {
    const ofGroup = 'DELETE FROM search_documents WHERE group_id = $1';
    const isGone = `AND NOT EXISTS (SELECT 1 FROM messages
      WHERE messages.group_id = search_documents.group_id AND messages.seq = search_documents.seq)`;
    await this.#write((client) =>
      upTo === undefined
        ? [
            client.query(patiently(ofGroup, [groupId])),
            client.query('DELETE FROM search_cursors WHERE group_id = $1', [groupId]),
          ]
        : [client.query(`${ofGroup} AND seq <= $2 ${isGone}`, [groupId, upTo])],
    );
  }

  async close(): Promise<void> {
    const ended = Promise.all([this.#connection?.end(), this.#readers.end()]);
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_MS).unref())]);
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config);
    client.on('error', () => {
      if (this.#connection === client) this.#disconnect();
    });
    await client.connect();
    return client;
  }

  /** The lock is gone with its connection: by now another process may write. */
  #disconnect(): void {
    this.#connection?.end().catch(() => {});
    this.#connection = undefined;
    this.#isWriter = false;
  }

  async #replace(client: pg.Client, documents: readonly Document[]): Promise<void> {
    const rows = documents.map((document) => ({ ...document, tokens: this.#tokens.ofDocument(document) }));
    const indexed = rows.flatMap((row) => (row.tokens ? [{ ...row, tokens: row.tokens }] : []));
    const columns = (of: readonly Document[]) => [of.map(({ groupId }) => groupId), of.map(({ seq }) => seq)];
    await Promise.all([
      client.query(
        `DELETE FROM search_documents WHERE (group_id, seq) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[]))`,
        columns(rows.filter(({ tokens }) => !tokens)),
      ),
      client.query(INSERT, [
        ...columns(indexed),
        indexed.map(({ createdAt }) => createdAt * PER_MILLISECOND),
        indexed.map(({ tokens }) => `{${tokens.join(',')}}`),
      ]),
    ]);
  }

  /** @param statements sent at once, and done in order */
  async #write(statements: (client: pg.Client) => Promise<unknown>[]): Promise<void> {
    if (!this.#connection || !this.#isWriter) throw new Error('Another process writes the search index.');
    try {
      await transaction(this.#connection, statements);
    } catch (error) {
      this.#disconnect();
      throw error;
    }
  }

  /** Empties an index that was made with another secret or in another way. */
  async #emptyOthers(client: pg.Client): Promise<void> {
    const { fingerprint } = this.#tokens;
    const { rows } = await client.query('SELECT fingerprint FROM search_meta');
    if (rows[0]?.fingerprint === fingerprint) return;
    await transaction(client, () => [
      ...EMPTY.map((text) => client.query(patiently(text))),
      client.query('INSERT INTO search_meta VALUES ($1)', [fingerprint]),
    ]);
  }
}

/** `pg` takes a timeout of one statement, which its types lack. */
function patiently(text: string, values: unknown[] = []): pg.QueryConfig {
  return Object.assign({ text, values }, { query_timeout: LONG_MS });
}

/** Of a connection that is given up where it fails. */
async function transaction(
  client: pg.Client,
  statements: (client: pg.Client) => Promise<unknown>[],
): Promise<void> {
  await client.query('BEGIN');
  await Promise.all(statements(client));
  await client.query('COMMIT');
}

/** For a Hearth that keeps no index; where another process does, that one's stays. */
export async function emptyPostgresIndex(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query('SELECT pg_try_advisory_lock($1, $2) AS is_mine', LOCK);
    if (rows[0].is_mine) await transaction(client, () => EMPTY.map((statement) => client.query(statement)));
  } finally {
    await client.end();
  }
}
