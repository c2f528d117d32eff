import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { StartError } from '../errors.ts';

/**
 * Makes the data folder, and holds it for this process. The lock is SQLite's own on a file of its own: the
 * system lets go of it when the process ends, however it ends, so that there is no stale lock to clear.
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
  let lock: Sqlite.Database | undefined;
  try {
    lock = new Sqlite(join(dataDir, 'lock.sqlite3'), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    const held = lock;
    return { release: () => held.close() };
  } catch (error) {
    lock?.close();
    const busy = error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY');
    throw new StartError(
      busy
        ? `Another Hearth is using the data folder ${dataDir}; stop it first or choose another with --data.`
        : `The data folder ${dataDir} cannot be locked; check that its disk is writable and not full.`,
    );
  }
}
