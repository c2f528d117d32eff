import { EventEmitter } from 'node:events';
import { StartError } from '../errors.ts';
import { openSqlite } from './driver/sqlite.ts';
import type { Database } from './executor.ts';
import { createWriteCheck } from './health.ts';
import { isUpgrade, newestVersions, snapshotSqlite, sqliteVersions } from './snapshots.ts';
import { health } from './tables/sealing.ts';

export type Databases = {
  users: Database;
  chat: Database;
  /** Whether both can be written right now, durably. */
  canWrite(): Promise<boolean>;
  /** Whether no other process was connected to them when this one opened them: what others left can be taken up. */
  isFirst: boolean;
  /**
   * Runs work that only one process does at a time, such as an import; where another does it, resolves to undefined.
   * @param work is told where its turn is lost, with the connection that holds it: another process may begin the same
   * @param waits whether it waits for the other one instead, also for one that is killed
   */
  inTurn<Result>(
    name: string,
    work: (lost: AbortSignal) => Promise<Result>,
    waits?: boolean,
  ): Promise<Result | undefined>;
  /** Calls a listener after writes that got no answer: some may have been done, and nobody was told of them. */
  whenUncertain(listener: () => void): void;
  close(): Promise<void>;
};

const SETTLE_MS = 1_000;

const ALONE = {
  isFirst: true,
  inTurn: <Result>(_name: string, work: (lost: AbortSignal) => Promise<Result>) =>
    work(new AbortController().signal),
  async leave() {},
};

/**
 * Opens both databases and brings their schema up to date, after a snapshot of what is there: the files of the data folder, or two schemas of a PostgreSQL
 * database.
 * @param url of PostgreSQL
 * @param report takes what goes wrong with a connection that nobody uses
 * @throws StartError
 */
export async function openDatabases(
  dataDir: string,
  url?: string,
  report: (error: unknown) => void = () => {},
): Promise<Databases> {
  const uncertain = new EventEmitter();
  const listeners = { report, tellUncertain: debounced(() => uncertain.emit('writes')) };
  const { users, chat, processes } = url
    ? await (await import('./open-postgres.ts')).openBothInPostgres(url, dataDir, listeners)
    : await openBothInSqlite(dataDir);
  return {
    users,
    chat,
    ...processes,
    canWrite: createWriteCheck(dataDir, [() => noteHealth(users), () => noteHealth(chat)]),
    whenUncertain: (listener) => void uncertain.on('writes', listener),
    async close() {
      await processes.leave();
      await chat.close();
      await users.close();
    },
  };
}

async function openBothInSqlite(dataDir: string) {
  await snapshotSqlite(dataDir);
  // The lock of the data folder makes this process the only one.
  return { users: openSqlite(dataDir, 'users'), chat: openSqlite(dataDir, 'chat'), processes: ALONE };
}

/**
 * For commands: only a start, which keeps a snapshot and can be undone, brings the schema up to date.
 * @throws StartError where the databases are of an earlier version
 */
export async function refuseUpgrade(dataDir: string, url: string | undefined): Promise<void> {
  const versions = url
    ? await (await import('./migrate-postgres.ts')).postgresVersions(url)
    : sqliteVersions(dataDir);
  if (isUpgrade(versions, newestVersions(url ? 'postgres' : 'sqlite')))
    throw new StartError(
      'The databases are of an earlier version of Hearth. Start it once, which upgrades them, then run this command again.',
    );
}

/** Both databases notice an outage at about the same time, and by then the server has finished what it was doing. */
function debounced(tell: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      tell();
    }, SETTLE_MS).unref();
  };
}

function noteHealth(database: Database): Promise<unknown> {
  const checkedAt = Date.now();
  return database.run((orm) =>
    orm
      .insert(health)
      .values({ id: 1, checkedAt })
      .onConflictDoUpdate({ target: health.id, set: { checkedAt } }),
  );
}
