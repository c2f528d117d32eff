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
import { closeLog, copyDatabase } from '../database/driver/copy.ts';
import { DUMP, dumpPostgres, isSetAside, replacePostgres } from '../database/driver/postgres-copy.ts';
import { isDamage } from '../database/integrity.ts';
import { postgresVersions } from '../database/migrate-postgres.ts';
import { isBetween, type Snapshot, snapshotsIn, sqliteVersions } from '../database/snapshots.ts';
import { StartError } from '../errors.ts';
import { copyFile } from './copy-file.ts';

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
  const versions = databaseUrl ? await postgresVersions(databaseUrl) : sqliteVersions(dataDir);
  if (!isBetween(versions, snapshot))
    throw new StartError(
      `The last snapshot is not of an upgrade of these databases (users ${versions.users}, chat ${versions.chat}). Name the data folder of the process that upgraded them, or restore a backup.`,
    );
  // Before anything is changed: something else may have them open.
  if (!databaseUrl)
    for (const file of NAMES.map((name) => join(dataDir, `${name}.sqlite3`)))
      if (existsSync(file)) closeLog(file);
  // What a call before this one has kept, and was killed after that.
  const isGoingOn = databaseUrl !== undefined && (await isSetAside(databaseUrl));
  const kept = isGoingOn
    ? join(dataDir, 'undone', readdirSync(join(dataDir, 'undone')).sort().at(-1) ?? '')
    : await keep(dataDir, { databaseUrl, filesFolder }, now);
  if (databaseUrl) await replacePostgres(databaseUrl, join(snapshot.folder, DUMP));
  else await putBack(snapshot.folder, dataDir);
  rmSync(snapshot.folder, { recursive: true });
  return { snapshot, kept };
}

/** Keeps what there is as a data folder. Sessions do not stay behind: a number of an account may be given again. */
async function keep(
  dataDir: string,
  { databaseUrl, filesFolder }: { databaseUrl: string | undefined; filesFolder: string | undefined },
  now: Date,
): Promise<string> {
  const name = now.toISOString().slice(0, 19).replaceAll(':', '-');
  const kept = join(dataDir, 'undone', name);
  const unfinished = join(dataDir, 'undone', `.unfinished-${name}`);
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  if (filesFolder !== undefined) keepFiles(filesFolder, join(unfinished, 'media'));
  if (existsSync(join(dataDir, 'keys'))) symlinkSync(join('..', '..', 'keys'), join(unfinished, 'keys'));
  if (databaseUrl) await dumpPostgres(databaseUrl, join(unfinished, DUMP));
  else keepDatabases(dataDir, unfinished);
  for (const file of readdirSync(dataDir).filter((each) => each.startsWith('sessions.sqlite3')))
    renameSync(join(dataDir, file), join(unfinished, file));
  renameSync(unfinished, kept);
  return kept;
}

/** Copies: a process that is killed leaves the databases where they are. One that is damaged is kept as it is. */
function keepDatabases(dataDir: string, folder: string): void {
  for (const name of NAMES) {
    const from = join(dataDir, `${name}.sqlite3`);
    const to = join(folder, `${name}.sqlite3`);
    try {
      copyDatabase(from, to);
    } catch (error) {
      if (!isDamage(error)) throw error;
      for (const ending of ['', '-wal']) if (existsSync(from + ending)) cpSync(from + ending, to + ending);
    }
  }
}

async function putBack(snapshot: string, dataDir: string): Promise<void> {
  for (const name of NAMES)
    await copyFile(join(snapshot, `${name}.sqlite3`), join(dataDir, `${name}.sqlite3`));
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
