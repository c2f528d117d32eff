import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../errors.ts';
import { backupsIn } from './back-up.ts';
import { MANIFEST, MEDIA, readManifest } from './manifest.ts';
import { keyFileOf } from './sealed-file.ts';

const DAY_MS = 86_400_000;

/** How many days and weeks keep their last backup. */
export type Keep = Readonly<{ days: number; weeks: number }>;

/**
 * The backups that a rule does not keep: it keeps the last one of each of the newest days and weeks that have one.
 * @param names as `backUp` gives them, in any order; the newest always stays
 */
export function expired(names: readonly string[], { days, weeks }: Keep): string[] {
  const newestFirst = names.toSorted().reverse();
  const kept = new Set(newestFirst.slice(0, 1));
  const keepLast = (count: number, periodOf: (day: number) => number) => {
    const periods = new Set<number>();
    for (const name of newestFirst) {
      const period = periodOf(Math.floor(Date.parse(`${name.slice(0, 10)}T00:00:00Z`) / DAY_MS));
      if (periods.has(period) || periods.size >= count) continue;
      periods.add(period);
      kept.add(name);
    }
  };
  keepLast(days, (day) => day);
  // 1 January 1970 was a Thursday: weeks begin on Monday.
  keepLast(weeks, (day) => Math.floor((day + 3) / 7));
  return newestFirst.filter((name) => !kept.has(name));
}

/**
 * Removes the backups that the rule does not keep, with their keys, so that nobody opens a copy of them elsewhere; then
 * the files that no other one has. Those dated in the future stay, unless only the last backup is kept.
 * @param taken the name of the last backup, which stays
 * @returns the names of those that were removed, and of those dated in the future
 */
export function prune(
  target: string,
  keep: Keep,
  taken: string,
  keyFolder?: string,
): { removed: string[]; later: string[] } {
  const names = backupsIn(target);
  const later = names.filter((name) => name > taken);
  const isOnly = keep.days === 0 && keep.weeks === 0;
  const removed = expired(
    names.filter((name) => name <= taken),
    keep,
  );
  if (isOnly) removed.push(...later.splice(0));
  remove(target, removed, keyFolder);
  return { removed, later };
}

function remove(target: string, names: readonly string[], keyFolder: string | undefined): void {
  if (names.length === 0) return;
  for (const name of names) {
    if (keyFolder !== undefined) rmSync(keyFileOf(keyFolder, name), { force: true });
    rmSync(join(target, name), { recursive: true });
  }
  const folders = readdirSync(target).filter(
    (name) => existsSync(join(target, name, 'chat.sqlite3')) || existsSync(join(target, name, MANIFEST)),
  );
  let used: ReadonlySet<string>;
  try {
    used = new Set(
      // Of whatever name: somebody may have set one aside.
      folders.flatMap((name) => readManifest(join(target, name)).media.map(({ path }) => path)),
    );
  } catch (error) {
    // Of one that cannot be read nobody knows what it needs: nothing is removed.
    if (error instanceof StartError) return;
    throw error;
  }
  // There is none where nobody has sent a file.
  const media = existsSync(join(target, MEDIA)) ? readdirSync(join(target, MEDIA)) : [];
  for (const folder of media.filter((name) => !name.startsWith('.')))
    for (const name of readdirSync(join(target, MEDIA, folder)))
      if (!used.has(`${folder}/${name}`)) rmSync(join(target, MEDIA, folder, name));
}
