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

/** Opens both databases of the data folder and brings their schema up to date. @throws StartError */
export function openDatabases(dataDir: string): Databases {
  const users = openSqlite(dataDir, 'users');
  const chat = openSqlite(dataDir, 'chat');
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
