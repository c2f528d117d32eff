import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { closeLog, copyDatabase } from '../database/driver/copy.ts';
import { DUMP, dumpPostgres, isSetAside, replacePostgres } from '../database/driver/postgres-copy.ts';
import { isDamage, UNDOING } from '../database/integrity.ts';
import { postgresVersions } from '../database/migrate-postgres.ts';
import { isBetween, type Snapshot, snapshotsIn, sqliteVersions } from '../database/snapshots.ts';
import { StartError } from '../errors.ts';
import { copyFile } from './copy-file.ts';

const NAMES = ['users', 'chat'] as const;
/** In what was kept: the snapshot that was gone back to, once it was. */
const UNDONE = 'undone.txt';
export type Undoing = Readonly<{
  databaseUrl: string | undefined;
  filesFolder: string | undefined;
  /** Of the snapshot; by default that of the last upgrade. */
  name?: string | undefined;
}>;

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
  { databaseUrl, filesFolder, name }: Undoing,
  now = new Date(),
): Promise<Undone> {
  const begun = begunIn(dataDir);
  // On PostgreSQL only schemas that are set aside tell: other processes may have started since.
  const isGoingOn = databaseUrl ? await isSetAside(databaseUrl) : begun !== undefined;
  const snapshot = chosen(dataDir, isGoingOn ? begun?.snapshot : name, isGoingOn);
  const isPostgres = existsSync(join(snapshot.folder, DUMP));
  if (isPostgres !== (databaseUrl !== undefined))
    throw new StartError(
      isPostgres
        ? 'The last snapshot is of PostgreSQL: set DATABASE_URL.'
        : 'The last snapshot is of SQLite: unset DATABASE_URL.',
    );
  const versions = databaseUrl ? await postgresVersions(databaseUrl) : sqliteVersions(dataDir);
  if (!isGoingOn && !isBetween(versions, snapshot))
    throw new StartError(
      `The last snapshot is not of an upgrade of these databases (users ${versions.users}, chat ${versions.chat}). Name the data folder of the process that upgraded them, or restore a backup.`,
    );
  // Before anything is changed: something else may have them open.
  if (!databaseUrl)
    for (const file of NAMES.map((name) => join(dataDir, `${name}.sqlite3`)))
      if (existsSync(file)) closeLog(file);
  // What a call before this one has kept, and was killed after that.
  const kept = isGoingOn
    ? join(dataDir, 'undone', begun?.kept ?? readdirSync(join(dataDir, 'undone')).sort().at(-1) ?? '')
    : await keep(dataDir, { databaseUrl, filesFolder }, now);
  noteBegun(dataDir, snapshot, kept);
  if (databaseUrl) await replacePostgres(databaseUrl, join(snapshot.folder, DUMP));
  else await putBack(snapshot.folder, dataDir);
  writeFileSync(join(kept, UNDONE), basename(snapshot.folder), { mode: 0o600 });
  rmSync(join(dataDir, UNDOING));
  rmSync(snapshot.folder, { recursive: true });
  return { snapshot, kept };
}

function noteBegun(dataDir: string, snapshot: Snapshot, kept: string): void {
  const note = join(dataDir, UNDOING);
  const text = JSON.stringify({ snapshot: basename(snapshot.folder), kept: basename(kept) });
  writeFileSync(`${note}.part`, text, { mode: 0o600, flush: true });
  renameSync(`${note}.part`, note);
}

/** What a call was broken off with. */
function begunIn(dataDir: string): { snapshot: string; kept: string } | undefined {
  const note = join(dataDir, UNDOING);
  return existsSync(note) ? JSON.parse(readFileSync(note, 'utf8')) : undefined;
}

/**
 * The snapshot that is gone back to: the one that is named, or that of the last upgrade.
 * @throws StartError where there is none, or the last upgrade was undone already
 */
function chosen(dataDir: string, name: string | undefined, isGoingOn: boolean): Snapshot {
  const all = join(dataDir, 'snapshots');
  const snapshots = snapshotsIn(dataDir);
  if (name !== undefined) {
    const named = snapshots.find(({ folder }) => basename(folder) === name);
    if (!named) throw new StartError(`There is no snapshot ${name} in ${all}.`);
    return named;
  }
  const [last] = snapshots;
  if (!last)
    throw new StartError(
      `There is no snapshot in ${all}: no upgrade to undo. A backup is restored with "npm run restore".`,
    );
  const undone = existsSync(join(dataDir, 'undone')) ? readdirSync(join(dataDir, 'undone')) : [];
  const isLater = (folder: string) =>
    folder > basename(last.folder) && existsSync(join(dataDir, 'undone', folder, UNDONE));
  if (!isGoingOn && undone.some(isLater))
    throw new StartError(
      `The last upgrade is undone already. To go back one more, name its snapshot: npm run undo -- ${basename(last.folder)}`,
    );
  return last;
}

/** Keeps what there is as a data folder. Sessions do not stay behind: a number of an account may be given again. */
async function keep(dataDir: string, { databaseUrl, filesFolder }: Undoing, now: Date): Promise<string> {
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
