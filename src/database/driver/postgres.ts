import pg from 'pg';
import { ChatError } from '../../errors.ts';
import type { Database, Executor, Orm } from '../executor.ts';
import { SERVER_KEEPALIVE } from './postgres-processes.ts';
import { createPostgresOrm, prepareStatements, statementOf } from './postgres-statements.ts';

/** Connections of each database that one process opens at most; what needs one more waits. */
const MAX_CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that has vanished from the network counts as away after this time. */
const ANSWER_MS = 20_000;
/** A transaction of a process that hangs must not keep all others waiting. */
const IDLE_TRANSACTION_MS = 15_000;
/** PostgreSQL takes this many parameters in one statement. */
const MAX_PARAMS = 65_535;

/** The first number of the advisory locks here, of two: "hear" in ASCII, so that no other program has the same. */
const LOCKS = 0x68656172;
const LOCK_OF_DATABASE = { users: 1, chat: 2 } as const;

/** Errors of the network, and those of PostgreSQL when it stops, starts or has no connection left. */
const AWAY_CODE = /^(?:ECONN|EPIPE|ETIMEDOUT|EHOST|ENOTFOUND|EAI_AGAIN|57P0[1-3]|08|53300)/;
/** What `pg` says without a code. */
const AWAY_MESSAGE =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

const BOOL = 16;
const INT8 = 20;
const NUMERIC = 1700;

type Listeners = {
  /** Takes what goes wrong with a connection that nobody uses. */
  report(error: unknown): void;
  /** Called where a write that got no answer may have been done, once there are answers again: nobody was told of it. */
  tellUncertain(): void;
};

/** Numbers as SQLite gives them; no count, time or size here is beyond 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8 || oid === NUMERIC) return Number;
    if (oid === BOOL) return (text: string) => (text === 't' ? 1 : 0);
    return pg.types.getTypeParser(oid, format as 'text');
  },
};

/**
 * Opens one of the two schemas of a PostgreSQL database.
 *
 * Transactions run one after another as on SQLite, here with an advisory lock that processes have in common. Those that
 * name the groups that they write share it, and wait only for those that name the same group: two messages in two groups
 * are committed at the same time. All of them read committed data, which after the wait is what the one before wrote.
 *
 * @param url postgres://name:password@host:port/database
 */
export function openPostgres(
  url: string,
  name: 'users' | 'chat',
  { report, tellUncertain }: Listeners,
): Database {
  const pool = openPool(url, name, report);
  const orm = createPostgresOrm();
  const answered = watchAnswers(tellUncertain);

  async function transaction<Result>(
    work: (tx: Executor) => Promise<Result>,
    groupIds?: readonly number[],
  ): Promise<Result> {
    const client = await pool.connect().catch(rethrow);
    let broken: Error | undefined;
    try {
      await client.query(beginning(name, groupIds)).catch(rethrow);
      const result = await work(executorOn(client, orm));
      // Where a statement failed and `work` went on, PostgreSQL rolls back and says so.
      const { command } = await answered(client.query('COMMIT').catch(rethrow));
      if (command !== 'COMMIT') throw new Error('A statement of a transaction failed.');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  const executor = executorOn(pool, orm);
  return {
    ...executor,
    run: (write, values) => answered(executor.run(write, values)),
    prepare: (build) => prepareStatements(build(orm)),
    runEach: (write, rows) => transaction((tx) => tx.runEach(write, rows)),
    transaction,
    async lastKey(table) {
      const { rows } = await pool.query(
        'SELECT pg_sequence_last_value(pg_get_serial_sequence($1, $2)) AS key',
        [`${name}.${table}`, 'id'],
      );
      return Number(rows[0]?.key ?? 0);
    },
    async setLastKey(table, key) {
      if (key > 0)
        await pool.query("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", [`${name}.${table}`, key]);
    },
    async compact() {
      // It takes as long as it takes.
      const client = new pg.Client({ connectionString: url, options: `-c search_path=${name}` });
      await client.connect();
      await client.query('VACUUM FULL').finally(() => client.end());
    },
    close: () => pool.end(),
  };
}

function openPool(url: string, schema: string, report: (error: unknown) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    options: `-c search_path=${schema} -c idle_in_transaction_session_timeout=${IDLE_TRANSACTION_MS} ${SERVER_KEEPALIVE}`,
    query_timeout: ANSWER_MS,
    keepAlive: true,
    // What a transaction asks at once is sent at once, and answered in order.
    pipeline: true,
  });
  // Without a listener, a connection that breaks between two statements of a transaction would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  // A connection that breaks while nobody uses it; the pool opens another.
  pool.on('error', ({ message }) => report(new Error(`A connection to PostgreSQL broke: ${message}`)));
  return pool;
}

/** @returns a function that waits for the answer to a write, and tells when there are answers again after one that did not come */
function watchAnswers(tellUncertain: () => void) {
  /** Whether a write got no answer: it may have been done. */
  let isUncertain = false;
  return async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    try {
      const result = await answer;
      if (isUncertain) tellUncertain();
      isUncertain = false;
      return result;
    } catch (error) {
      isUncertain ||= error instanceof ChatError && error.status === 503;
      throw error;
    }
  };
}

/** In one message, so that a transaction begins with one journey to the server. Ids in order, so that no two wait for each other. */
function beginning(name: 'users' | 'chat', groupIds: readonly number[] | undefined): string {
  const key = `${LOCKS}, ${LOCK_OF_DATABASE[name]}`;
  if (!groupIds) return `BEGIN; SELECT pg_advisory_xact_lock(${key})`;
  const ids = [...new Set(groupIds)].sort((a, b) => a - b);
  const locks = ids.map((id) => `; SELECT pg_advisory_xact_lock(${LOCKS + 1}, ${Number(id)})`);
  return `BEGIN; SELECT pg_advisory_xact_lock_shared(${key})${locks.join('')}`;
}

/** @throws ChatError 503 where PostgreSQL is away, starts or stops; else what it was */
function rethrow(error: unknown): never {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (!AWAY_CODE.test(code) && !AWAY_MESSAGE.test(message)) throw error;
  const away = new ChatError(
    'unavailable',
    503,
    'The database does not answer. Try again in a moment.',
    undefined,
    2,
  );
  away.cause = error;
  throw away;
}

/** Runs statements on one connection, or on whichever is free. */
function executorOn(runner: pg.Pool | pg.PoolClient, orm: Orm): Executor {
  async function run(query: unknown, values?: Record<string, unknown>) {
    const statement = statementOf(query, orm);
    const { text, name } = statement;
    const params = statement.params(values);
    const result = await runner
      .query<unknown[]>({ name, text, values: params, rowMode: 'array', types })
      .catch(rethrow);
    return { statement, result };
  }
  // Safe casts: what a statement gives is typed where it was built.
  return {
    async all<Row>(query: unknown, values?: Record<string, unknown>) {
      const { statement, result } = await run(query, values);
      return statement.map(result.rows) as Row[];
    },
    async get<Row>(query: unknown, values?: Record<string, unknown>) {
      const { statement, result } = await run(query, values);
      return statement.map(result.rows.slice(0, 1))[0] as Row | undefined;
    },
    async run(write, values) {
      return (await run(write, values)).result.rowCount ?? 0;
    },
    async runEach(write, rows) {
      const statement = statementOf(write, orm);
      const perStatement = Math.floor(MAX_PARAMS / Math.max(1, statement.width));
      let written = 0;
      for (let from = 0; from < rows.length; from += perStatement) {
        const part = rows.slice(from, from + perStatement);
        const joined = part.length > 1 ? statement.forRows(part) : undefined;
        if (joined) written += (await runner.query(joined).catch(rethrow)).rowCount ?? 0;
        else for (const values of part) written += (await run(statement, values)).result.rowCount ?? 0;
      }
      return written;
    },
  };
}
