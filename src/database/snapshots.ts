import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Sqlite from 'better-sqlite3';
import { copyDatabase } from './driver/copy.ts';
import { isDamage } from './integrity.ts';
import { migrationFiles } from './migrate.ts';

/** How many migrations each database has seen. */
export type Versions = Readonly<{ users: number; chat: number }>;

/** Both databases as they were before an upgrade. */
export type Snapshot = Readonly<{ folder: string; versions: Versions }>;

const NAMES = ['users', 'chat'] as const;
const KEPT = 3;
const NAME = /^\d{4}-\d\d-\d\dT[\d-]+-users(\d+)-chat(\d+)$/;

/** The versions that this Hearth brings databases to. */
export function newestVersions(engine: 'sqlite' | 'postgres'): Versions {
  const count = (name: string) =>
    migrationFiles(fileURLToPath(new URL(`./migrations/${engine}/${name}/`, import.meta.url))).length;
  return { users: count('users'), chat: count('chat') };
}

/** Whether there is something that an upgrade would change. */
export function isUpgrade(from: Versions, to: Versions): boolean {
  return from.users + from.chat > 0 && (from.users < to.users || from.chat < to.chat);
}

/** The versions of the files of a data folder; 0 for one that is not there, or that cannot be read. */
export function sqliteVersions(dataDir: string): Versions {
  const versionOf = (name: string) => {
    const file = join(dataDir, `${name}.sqlite3`);
    if (!existsSync(file)) return 0;
    const sqlite = new Sqlite(file);
    try {
      return Number(sqlite.pragma('user_version', { simple: true }));
    } catch (error) {
      // Opening it says so in words.
      if (isDamage(error)) return 0;
      throw error;
    } finally {
      sqlite.close();
    }
  };
  return { users: versionOf('users'), chat: versionOf('chat') };
}

/** Keeps both files of a data folder as they are, where this Hearth is about to change their schema. */
export async function snapshotSqlite(dataDir: string, now = new Date()): Promise<void> {
  const versions = sqliteVersions(dataDir);
  if (!isUpgrade(versions, newestVersions('sqlite'))) return;
  await keepSnapshot(dataDir, versions, now, async (folder) => {
    for (const name of NAMES)
      if (versions[name] > 0) copyDatabase(join(dataDir, `${name}.sqlite3`), join(folder, `${name}.sqlite3`));
  });
}

/** Makes a snapshot that is there once it is whole, and removes all but the newest three. */
export async function keepSnapshot(
  dataDir: string,
  { users, chat }: Versions,
  now: Date,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const all = join(dataDir, 'snapshots');
  const unfinished = join(all, '.unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  await write(unfinished);
  const time = now.toISOString().slice(0, 19).replaceAll(':', '-');
  renameSync(unfinished, join(all, `${time}-users${users}-chat${chat}`));
  for (const { folder } of snapshotsIn(dataDir).slice(KEPT)) rmSync(folder, { recursive: true });
}

/** The newest first. */
export function snapshotsIn(dataDir: string): Snapshot[] {
  const all = join(dataDir, 'snapshots');
  if (!existsSync(all)) return [];
  return readdirSync(all)
    .sort()
    .reverse()
    .flatMap((name) => {
      const [, users, chat] = NAME.exec(name) ?? [];
      return users && chat
        ? [{ folder: join(all, name), versions: { users: Number(users), chat: Number(chat) } }]
        : [];
    });
}
