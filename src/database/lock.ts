import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../errors.ts';
import { BetterSqlite } from './driver/better-sqlite3.ts';
import { isDamage } from './integrity.ts';

/**
 * Creates the data folder and locks it for this process. SQLite holds the lock on a separate file: the operating
 * system releases it when the process ends, however it ends, so a stale lock is impossible.
 * @throws StartError when the folder cannot be written or another Hearth holds it
 */
export function lockDataFolder(dataDir: string): { release(): void } {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch {
    throw new StartError(
      `The data folder ${dataDir} cannot be written; choose another with --data or change its owner.`,
    );
  }
  const file = join(dataDir, 'lock.sqlite3');
  try {
    return takeLock(file);
  } catch (error) {
    if (isDamage(error)) {
      // The lock file holds no data, and no process can hold a lock on a file that is not a database.
      rmSync(file);
      return takeLock(file);
    }
    const busy = error instanceof BetterSqlite.SqliteError && error.code.startsWith('SQLITE_BUSY');
    throw new StartError(
      busy
        ? `Another Hearth is using the data folder ${dataDir}; stop it first or choose another with --data.`
        : `The data folder ${dataDir} cannot be locked; check that its disk is writable and not full.`,
    );
  }
}

function takeLock(file: string): { release(): void } {
  const lock = new BetterSqlite(file, { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return { release: () => lock.close() };
  } catch (error) {
    lock.close();
    throw error;
  }
}
