import pg from 'pg';
import { onNobodysBehalf } from '../../request-id.ts';
import { isAway } from './postgres-away.ts';
import { SERVER_KEEPALIVE } from './postgres-processes.ts';

/** Connections of each database that one process opens at most; what needs one more waits. */
const MAX_CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that has vanished from the network counts as away after this time. */
const ANSWER_MS = 20_000;
/** A transaction of a process that hangs must not keep all others waiting. */
const IDLE_TRANSACTION_MS = 15_000;

/** What needs no transaction to be repeated: whether it was done does not matter. */
const READING = /^\s*(?:select|with)\b/i;

type Statement = pg.QueryConfig & { rowMode?: 'array' };

/** Runs statements on one connection, or on any. */
export type Runner = (statement: Statement) => Promise<{ rows: unknown[]; rowCount: number | null }>;

export function openPool(url: string, schema: string, report: (error: unknown) => void): pg.Pool {
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
  pool.on('error', ({ message }) =>
    onNobodysBehalf(() => report(new Error(`A connection to PostgreSQL broke: ${message}`))),
  );
  return pool;
}

/** Statements outside of transactions, on whichever connection is free. */
export function onAnyOf(pool: pg.Pool, answered: ReturnType<typeof watchAnswers>): Runner {
  return async (statement) => {
    if (READING.test(statement.text)) return answered(pool.query(statement), false);
    // Apart, since what could not be sent was not done.
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      return await answered(client.query(statement));
    } catch (error) {
      broken = error as Error;
      throw error;
    } finally {
      client.release(broken);
    }
  };
}

/**
 * @returns a function that waits for an answer, and tells where one comes after a write that got none
 */
export function watchAnswers(tellUncertain: () => void) {
  /** Whether a write got no answer: it may have been done. */
  let isUncertain = false;
  return async <Answer>(answer: Promise<Answer>, isWrite = true): Promise<Answer> => {
    try {
      const result = await answer;
      if (isUncertain) tellUncertain();
      isUncertain = false;
      return result;
    } catch (error) {
      isUncertain ||= isWrite && isAway(error);
      throw error;
    }
  };
}
