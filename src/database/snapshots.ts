import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BetterSqlite } from './driver/better-sqlite3.ts';
import { copyDatabase } from './driver/copy.ts';
import { isDamage } from './integrity.ts';
import { migrationFiles } from './migrate.ts';

/** How many migrations each database has seen. */
export type Versions = Readonly<{ users: number; chat: number }>;

/** Both databases as they were before an upgrade. */
export type Snapshot = Readonly<{ folder: string; from: Versions; to: Versions }>;

const NAMES = ['users', 'chat'] as const;
const KEPT = 3;
const NAME = /^\d{4}-\d\d-\d\dT[\d-]+-users(\d+)-chat(\d+)-to-users(\d+)-chat(\d+)$/;

/** The versions that this Hearth brings databases to. */
export function newestVersions(engine: 'sqlite' | 'postgres'): Versions {
  const count = (name: string) =>
    migrationFiles(fileURLToPath(new URL(`./migrations/${engine}/${name}/`, import.meta.url))).length;
  return { users: count('users'), chat: count('chat') };
}

/** Whether there is something that an upgrade would change; not in databases that are new, or of which one cannot be read. */
export function isUpgrade(from: Versions, to: Versions): boolean {
  return from.users > 0 && from.chat > 0 && (from.users < to.users || from.chat < to.chat);
}

/** The versions of the files of a data folder; 0 for one that is not there, or that cannot be read. */
export function sqliteVersions(dataDir: string): Versions {
  const versionOf = (name: string) => {
    const file = join(dataDir, `${name}.sqlite3`);
    if (!existsSync(file)) return 0;
    const sqlite = new BetterSqlite(file);
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
  const to = newestVersions('sqlite');
  await keepSnapshot(dataDir, { from: sqliteVersions(dataDir), to }, now, async (folder) => {
    for (const name of NAMES) copyDatabase(join(dataDir, `${name}.sqlite3`), join(folder, `${name}.sqlite3`));
  });
}

/**
 * Makes a snapshot where there is something to upgrade; it is there once it is whole, and all but the newest three go.
 * What a broken upgrade has left in between is no state to go back to: then the snapshot before it stays the newest.
 */
export async function keepSnapshot(
  dataDir: string,
  { from, to }: { from: Versions; to: Versions },
  now: Date,
  write: (folder: string) => Promise<void>,
): Promise<void> {
  const [last] = snapshotsIn(dataDir);
  const isGoingOn = last && isSame(last.to, to) && !isSame(last.from, from) && isBetween(from, last);
  if (!isUpgrade(from, to) || isGoingOn) return;
  const all = join(dataDir, 'snapshots');
  const unfinished = join(all, `.unfinished-${process.pid}`);
  // In a container every process has the same number: what a killed one left of its snapshot is in the way.
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  await write(unfinished);
  const time = now.toISOString().slice(0, 19).replaceAll(':', '-');
  renameSync(unfinished, join(all, `${time}-${inWords(from)}-to-${inWords(to)}`));
  for (const { folder } of snapshotsIn(dataDir).slice(KEPT)) rmSync(folder, { recursive: true });
  for (const name of readdirSync(all))
    if (name.startsWith('.unfinished')) rmSync(join(all, name), { recursive: true, force: true });
}

/** Whether databases are those that an upgrade began with, or came to, or anything in between; 0 is one that is damaged. */
export function isBetween(versions: Versions, { from, to }: Pick<Snapshot, 'from' | 'to'>): boolean {
  return NAMES.every(
    (name) => versions[name] === 0 || (versions[name] >= from[name] && versions[name] <= to[name]),
  );
}

function isSame(a: Versions, b: Versions): boolean {
  return NAMES.every((name) => a[name] === b[name]);
}

function inWords({ users, chat }: Versions): string {
  return `users${users}-chat${chat}`;
}

/** The newest first. */
export function snapshotsIn(dataDir: string): Snapshot[] {
  const all = join(dataDir, 'snapshots');
  if (!existsSync(all)) return [];
  return readdirSync(all)
    .sort()
    .reverse()
    .flatMap((name) => {
      const [users = 0, chat = 0, toUsers = 0, toChat = 0] = (NAME.exec(name) ?? []).slice(1).map(Number);
      return users > 0
        ? [{ folder: join(all, name), from: { users, chat }, to: { users: toUsers, chat: toChat } }]
        : [];
    });
}
