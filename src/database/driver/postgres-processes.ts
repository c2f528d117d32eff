import { createHash } from 'node:crypto';
import pg from 'pg';

/** First numbers of the advisory locks here; those of `postgres.ts` come before them. */
const PRESENT = 0x68656174;
const IN_TURN = 0x68656175;
const RECONNECT_MS = 2_000;
const RETRY_MS = 100;
/** The server finds out within half a minute that a machine has vanished, and releases its locks. */
export const SERVER_KEEPALIVE =
  '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3';

/**
 * What the processes of one Hearth agree on by the locks of connections, which PostgreSQL releases when a process ends,
 * however it ends (postgresql.org/docs, "Advisory Locks").
 */
export async function joinProcesses(url: string, report: (error: unknown) => void) {
  let isLeaving = false;
  let present = await connect();

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: url, keepAlive: true, options: SERVER_KEEPALIVE });
    let isBroken = false;
    client.on('error', (error) => {
      // It says so twice: that the server ends it, and that it ended.
      if (isLeaving || isBroken) return;
      isBroken = true;
      report(new Error(`A connection to PostgreSQL broke: ${error.message}`));
      setTimeout(rejoin, RECONNECT_MS).unref();
    });
    await client.connect();
    return client;
  }

  async function rejoin(): Promise<void> {
    try {
      if (isLeaving) return;
      present = await connect();
      await present.query('SELECT pg_advisory_lock_shared($1, 0)', [PRESENT]);
    } catch {
      setTimeout(rejoin, RECONNECT_MS).unref();
    }
  }

  const { rows } = await present.query<{ is_first: boolean }>(
    'SELECT pg_try_advisory_lock($1, 0) AS is_first',
    [PRESENT],
  );
  const isFirst = rows[0]?.is_first === true;
  await present.query('SELECT pg_advisory_lock_shared($1, 0)', [PRESENT]);
  if (isFirst) await present.query('SELECT pg_advisory_unlock($1, 0)', [PRESENT]);

  return {
    isFirst,
    async inTurn<Result>(
      name: string,
      work: (lost: AbortSignal) => Promise<Result>,
      waits = false,
    ): Promise<Result | undefined> {
      const key = createHash('sha256').update(name).digest().readInt32BE();
      const client = new pg.Client({ connectionString: url, keepAlive: true, options: SERVER_KEEPALIVE });
      const turn = new AbortController();
      client.on('error', (error) => {
        turn.abort();
        report(error);
      });
      try {
        await client.connect();
        for (;;) {
          const { rows } = await client.query<{ is_mine: boolean }>(
            'SELECT pg_try_advisory_lock($1, $2) AS is_mine',
            [IN_TURN, key],
          );
          if (rows[0]?.is_mine) return await work(turn.signal);
          if (isLeaving || !waits) return undefined;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      } finally {
        await client.end().catch(() => {});
      }
    },
    async leave() {
      isLeaving = true;
      await present.end().catch(() => {});
    },
  };
}
