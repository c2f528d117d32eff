import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../errors.ts';

const fileIn = (dataDir: string) => join(dataDir, 'moved-to-postgresql');

/** Notes that the databases of a folder were copied into PostgreSQL, and are not used any more. */
export function noteMoved(dataDir: string, now = new Date()): void {
  writeFileSync(fileIn(dataDir), `${now.toISOString()}\n`, { mode: 0o600 });
}

/** The databases of the folder are those that count, again. */
export function noteMovedBack(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}

/** @throws StartError where the databases of a folder are out of date, since people write into PostgreSQL */
export function refuseMoved(dataDir: string): void {
  if (existsSync(fileIn(dataDir)))
    throw new StartError(
      `The databases of ${dataDir} were moved to PostgreSQL: set DATABASE_URL. To go on with what they had then, remove ${fileIn(dataDir)}.`,
    );
}
