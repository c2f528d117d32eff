import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { checkpoint, copyDatabase } from '../database/driver/copy.ts';
import { DUMP, dropSchemas, dumpPostgres, restorePostgres } from '../database/driver/postgres-copy.ts';
import { type Snapshot, snapshotsIn } from '../database/snapshots.ts';
import { StartError } from '../errors.ts';

const NAMES = ['users', 'chat'] as const;

export type Undone = Readonly<{
  snapshot: Snapshot;
  /** A data folder with all that there was, also what was written since the upgrade. */
  kept: string;
}>;

/**
 * Puts the databases back to what they were before the last upgrade. What was there is kept as a data folder, which the
 * version after the upgrade opens. Hearth must not run.
 * @throws StartError where there is no snapshot
 */
export async function undoUpgrade(
  dataDir: string,
  { databaseUrl, filesFolder }: { databaseUrl: string | undefined; filesFolder: string | undefined },
  now = new Date(),
): Promise<Undone> {
  const [snapshot] = snapshotsIn(dataDir);
  if (!snapshot)
    throw new StartError(
      `There is no snapshot in ${join(dataDir, 'snapshots')}: no upgrade to undo. A backup is restored with "npm run restore".`,
    );
  const isPostgres = existsSync(join(snapshot.folder, DUMP));
  if (isPostgres !== (databaseUrl !== undefined))
    throw new StartError(
      isPostgres
        ? 'The last snapshot is of PostgreSQL: set DATABASE_URL.'
        : 'The last snapshot is of SQLite: unset DATABASE_URL.',
    );
  const name = now.toISOString().slice(0, 19).replaceAll(':', '-');
  const kept = join(dataDir, 'undone', name);
  const unfinished = join(dataDir, 'undone', `.unfinished-${name}`);
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  if (filesFolder !== undefined) keepFiles(filesFolder, join(unfinished, 'media'));
  if (existsSync(join(dataDir, 'keys'))) symlinkSync(join('..', '..', 'keys'), join(unfinished, 'keys'));
  if (databaseUrl) await dumpPostgres(databaseUrl, join(unfinished, DUMP));
  else keepDatabases(dataDir, unfinished);
  renameSync(unfinished, kept);
  if (databaseUrl) {
    await dropSchemas(databaseUrl);
    await restorePostgres(databaseUrl, join(snapshot.folder, DUMP));
  } else putBack(snapshot.folder, dataDir);
  rmSync(snapshot.folder, { recursive: true });
  return { snapshot, kept };
}

/** Copies: a process that is killed leaves the databases where they are. */
function keepDatabases(dataDir: string, folder: string): void {
  for (const name of NAMES) copyDatabase(join(dataDir, `${name}.sqlite3`), join(folder, `${name}.sqlite3`));
}

function putBack(snapshot: string, dataDir: string): void {
  for (const name of NAMES) {
    const from = join(snapshot, `${name}.sqlite3`);
    const to = join(dataDir, `${name}.sqlite3`);
    if (!existsSync(from)) continue;
    cpSync(from, `${to}.part`);
    // Nothing of the log of the file before must be taken for one of this.
    checkpoint(to);
    renameSync(`${to}.part`, to);
  }
}

/** By hard links, which take no space: Hearth removes files that no message of its databases has. */
function keepFiles(from: string, to: string): void {
  if (!existsSync(from)) return;
  for (const path of readdirSync(from, { recursive: true, encoding: 'utf8', withFileTypes: true })) {
    if (!path.isFile()) continue;
    const file = join(path.parentPath, path.name);
    const target = join(to, relative(resolve(from), resolve(file)));
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    try {
      linkSync(file, target);
    } catch {
      // On another disk.
      cpSync(file, target);
    }
  }
}
