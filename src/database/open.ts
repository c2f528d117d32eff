import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { sql } from 'drizzle-orm';
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3';
import { StartError } from '../errors.ts';
import { startCheckpoints } from './checkpoints.ts';
import { createWriteCheck } from './health.ts';
import { checkIntegrity, damaged, isDamage } from './integrity.ts';
import { migrate } from './migrate.ts';

/** One write, prepared and bound but not yet run. */
export type Statement<Result> = () => Result;

/** One of the two databases. Stores build their queries on `orm` and prepare them once. */
export type Database = {
  orm: BetterSQLite3Database;
  /**
   * Runs the statements in one transaction, in order, and resolves to their results once they are durable.
   * A list rather than a function of awaits: SQLite's transaction may not span a turn of the event loop.
   */
  atomically<Results extends readonly unknown[]>(
    statements: { [Index in keyof Results]: Statement<Results[Index]> },
  ): Promise<Results>;
  close(): Promise<void>;
};

export type Databases = {
  users: Database;
  chat: Database;
  /** Whether both can be written right now, durably. */
  canWrite(): Promise<boolean>;
  close(): Promise<void>;
};

/** Opens both databases of the data folder and brings their schema up to date. */
export function openDatabases(dataDir: string): Databases {
  const users = openDatabase(dataDir, 'users');
  const chat = openDatabase(dataDir, 'chat');
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

function noteHealth({ orm, atomically }: Database): Promise<unknown> {
  return atomically([
    () => orm.run(sql`INSERT OR REPLACE INTO health (id, checked_at) VALUES (1, ${Date.now()})`),
  ]);
}

/** @throws StartError when the file cannot be opened, is no database, or was written by a newer Hearth */
export function openDatabase(dataDir: string, name: 'users' | 'chat'): Database {
  const file = join(dataDir, `${name}.sqlite3`);
  const sqlite = connect(file, dataDir);
  try {
    migrate(sqlite, name, join(dataDir, 'snapshots'));
  } catch (error) {
    sqlite.close();
    throw isDamage(error) ? damaged(file, dataDir) : error;
  }
  const checkpoints = startCheckpoints(file, () => sqlite.pragma('wal_checkpoint(PASSIVE)'));
  const transaction = sqlite.transaction((statements: readonly Statement<unknown>[]) =>
    statements.map((statement) => statement()),
  ).immediate;

  return {
    orm: drizzle(sqlite),
    async atomically<Results extends readonly unknown[]>(
      statements: { [Index in keyof Results]: Statement<Results[Index]> },
    ) {
      // The results come back in the order of the statements, each of its statement's type.
      return transaction(statements) as unknown as Results;
    },
    async close() {
      await checkpoints.stop();
      sqlite.close();
    },
  };
}

function connect(file: string, dataDir: string): Sqlite.Database {
  let sqlite: Sqlite.Database | undefined;
  try {
    mkdirSync(join(file, '..'), { recursive: true });
    sqlite = new Sqlite(file, { timeout: 5_000 });
    checkIntegrity(sqlite, file, dataDir);
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('foreign_keys = ON');
    // A worker thread checkpoints; the thread that answers people never waits for it.
    sqlite.pragma('wal_autocheckpoint = 0');
    return sqlite;
  } catch (error) {
    sqlite?.close();
    if (error instanceof StartError) throw error;
    if (isDamage(error)) throw damaged(file, dataDir);
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(`The database ${file} cannot be opened: ${why}.`);
  }
}
