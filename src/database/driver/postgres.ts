import pg from 'pg';
import type { Database, Executor, Orm } from '../executor.ts';
import { rethrow } from './postgres-away.ts';
import { onAnyOf, openPool, type Runner, watchAnswers } from './postgres-pool.ts';
import { createPostgresOrm, prepareStatements, statementOf } from './postgres-statements.ts';

/** PostgreSQL takes this many parameters in one statement. */
const MAX_PARAMS = 65_535;

/** The first number of the advisory locks here, of two: "hear" in ASCII, so that no other program has the same. */
const LOCKS = 0x68656172;
const LOCK_OF_DATABASE = { users: 1, chat: 2 } as const;

const BOOL = 16;
const INT8 = 20;
const NUMERIC = 1700;

export type Listeners = {
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
      const result = await work(executorOn((statement) => client.query(statement), orm));
      // Where a statement failed and `work` went on, PostgreSQL rolls back and says so.
      const { command } = await answered(client.query('COMMIT')).catch(rethrow);
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

  return {
    ...executorOn(onAnyOf(pool, answered), orm),
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

/** In one message, so that a transaction begins with one journey to the server. Ids in order, so that no two wait for each other. */
function beginning(name: 'users' | 'chat', groupIds: readonly number[] | undefined): string {
  const key = `${LOCKS}, ${LOCK_OF_DATABASE[name]}`;
  if (!groupIds) return `BEGIN; SELECT pg_advisory_xact_lock(${key})`;
  const ids = [...new Set(groupIds)].sort((a, b) => a - b);
  const locks = ids.map((id) => `; SELECT pg_advisory_xact_lock(${LOCKS + 1}, ${Number(id)})`);
  return `BEGIN; SELECT pg_advisory_xact_lock_shared(${key})${locks.join('')}`;
}

function executorOn(send: Runner, orm: Orm): Executor {
  async function run(query: unknown, values?: Record<string, unknown>) {
    const statement = statementOf(query, orm);
    const { text, name } = statement;
    const params = statement.params(values);
    // Safe cast: with this mode each row is an array.
    const rowMode = 'array' as const;
    const { rows, rowCount } = await send({ name, text, values: params, rowMode, types }).catch(rethrow);
    return { statement, rows: rows as unknown[][], written: rowCount ?? 0 };
  }
  // Safe casts: what a statement gives is typed where it was built.
  return {
    async all<Row>(query: unknown, values?: Record<string, unknown>) {
      const { statement, rows } = await run(query, values);
      return statement.map(rows) as Row[];
    },
    async get<Row>(query: unknown, values?: Record<string, unknown>) {
      const { statement, rows } = await run(query, values);
      return statement.map(rows.slice(0, 1))[0] as Row | undefined;
    },
    async run(write, values) {
      return (await run(write, values)).written;
    },
    async runEach(write, rows) {
      const statement = statementOf(write, orm);
      const perStatement = Math.floor(MAX_PARAMS / Math.max(1, statement.width));
      let written = 0;
      for (let from = 0; from < rows.length; from += perStatement) {
        const part = rows.slice(from, from + perStatement);
        const joined = part.length > 1 ? statement.forRows(part) : undefined;
        if (joined) written += (await send(joined).catch(rethrow)).rowCount ?? 0;
        else for (const values of part) written += (await run(statement, values)).written;
      }
      return written;
    },
  };
}
