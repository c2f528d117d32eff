import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { drizzle } from 'drizzle-orm/better-sqlite3';
import { StartError } from '../../errors.ts';
import { startCheckpoints } from '../checkpoints.ts';
import { SQLITE } from '../dialect/sqlite.ts';
import type { Database, Executor } from '../executor.ts';
import { checkIntegrity, damaged, isDamage } from '../integrity.ts';
import { migrate } from '../migrate.ts';
import { BetterSqlite, isTooOld } from './better-sqlite3.ts';
import { bindWrites } from './bind.ts';

/** @throws StartError when the file cannot be opened, is no database, or was written by a newer Hearth */
export function openSqlite(dataDir: string, name: 'users' | 'chat'): Database {
  const file = join(dataDir, `${name}.sqlite3`);
  if (isTooOld()) throw new StartError('Node.js 24 needs better-sqlite3 13: run npm ci --omit=dev.');
  const sqlite = connect(file, dataDir);
  try {
    migrate(sqlite, name);
  } catch (error) {
    sqlite.close();
    throw isDamage(error) ? damaged(file, dataDir) : Object.assign(error as Error, { path: file });
  }
  // Secrets, codes and templates that are deleted are overwritten.
  if (name === 'users') sqlite.pragma('secure_delete = ON');
  const checkpoints = startCheckpoints(file, () => sqlite.pragma('wal_checkpoint(PASSIVE)'));
  const orm = Object.assign(drizzle(sqlite), { syntax: SQLITE });

  // better-sqlite3 is synchronous: within a transaction, each statement takes only a few microtasks.
  const inTransaction: Executor = {
    all: async (query, values) => (typeof query === 'function' ? query(orm) : query).all(values),
    get: async (query, values) => (typeof query === 'function' ? query(orm) : query).all(values)[0],
    run: async (write, values) => (typeof write === 'function' ? write(orm) : write).run(values).changes,
    runEach: async (write, rows) => rows.reduce((sum, values) => sum + write.run(values).changes, 0),
  };
  const begin = sqlite.prepare('BEGIN IMMEDIATE');
  const commit = sqlite.prepare('COMMIT');
  /** The transaction that is open. Nothing else may run on this connection until it has ended. */
  let open: Promise<void> | undefined;

  return {
    prepare: (build) => bindWrites(sqlite, build(orm)),
    async all(query, values) {
      while (open) await open;
      return inTransaction.all(query, values);
    },
    async get(query, values) {
      while (open) await open;
      return inTransaction.get(query, values);
    },
    async run(write, values) {
      while (open) await open;
      return inTransaction.run(write, values);
    },
    runEach(write, rows) {
      return this.transaction((tx) => tx.runEach(write, rows));
    },
    async transaction(work) {
      while (open) await open;
      const { promise, resolve } = withResolver();
      open = promise;
      try {
        begin.run();
        const result = await work(inTransaction);
        commit.run();
        return result;
      } finally {
        try {
          // A full disk ends a transaction by itself.
          if (sqlite.inTransaction) sqlite.exec('ROLLBACK');
        } finally {
          // Release the waiting callers even if the rollback fails.
          open = undefined;
          resolve();
        }
      }
    },
    ...generatedKeys(sqlite),
    async compact() {
      while (open) await open;
      sqlite.exec('VACUUM');
    },
    async close() {
      while (open) await open;
      await checkpoints.stop();
      sqlite.close();
    },
  };
}

/** What AUTOINCREMENT has given (sqlite.org/autoinc.html). */
function generatedKeys(sqlite: Sqlite.Database): Pick<Database, 'lastKey' | 'setLastKey'> {
  return {
    async lastKey(table) {
      const row = sqlite.prepare('SELECT seq FROM sqlite_sequence WHERE name = ?').get(table);
      return (row as { seq: number } | undefined)?.seq ?? 0;
    },
    async setLastKey(table, key) {
      sqlite.prepare('DELETE FROM sqlite_sequence WHERE name = ?').run(table);
      sqlite.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, key);
    },
  };
}

/** `Promise.withResolvers` is not in Node 20. */
function withResolver(): { promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

function connect(file: string, dataDir: string): Sqlite.Database {
  let sqlite: Sqlite.Database | undefined;
  try {
    mkdirSync(join(file, '..'), { recursive: true });
    sqlite = new BetterSqlite(file, { timeout: 5_000 });
    checkIntegrity(sqlite, file, dataDir);
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('foreign_keys = ON');
    // Checkpoints run in a worker thread, so that this thread never waits for them.
    sqlite.pragma('wal_autocheckpoint = 0');
    return sqlite;
  } catch (error) {
    sqlite?.close();
    if (error instanceof StartError) throw error;
    if (isDamage(error)) throw damaged(file, dataDir);
    if (isOfOtherNode(error))
      throw new StartError('better-sqlite3 was compiled for another version of Node.js: run npm ci.');
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(`The database ${file} cannot be opened: ${why}.`);
  }
}

function isOfOtherNode(error: unknown): boolean {
  return (error as { code?: string }).code === 'ERR_DLOPEN_FAILED';
}
