import { openPostgres } from './driver/postgres.ts';
import { openSqlite } from './driver/sqlite.ts';
import type { Database } from './executor.ts';
import { createWriteCheck } from './health.ts';
import { health } from './tables/sealing.ts';

export type Databases = {
  users: Database;
  chat: Database;
  /** Whether both can be written right now, durably. */
  canWrite(): Promise<boolean>;
  close(): Promise<void>;
};

/**
 * Opens both databases and brings their schema up to date: the files of the data folder, or two schemas of a PostgreSQL
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
  const users = url ? await openPostgres(url, 'users', report) : openSqlite(dataDir, 'users');
  const chat = url ? await openPostgres(url, 'chat', report) : openSqlite(dataDir, 'chat');
  return {
    users,
    chat,
    canWrite: createWriteCheck(dataDir, [() => noteHealth(users), () => noteHealth(chat)]),
    async close() {
      await chat.close();
      await users.close();
    },
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
