import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Sqlite from 'better-sqlite3';
import { StartError } from '../errors.ts';

/**
 * Applies the numbered files of `migrations/sqlite/<name>/` that this database has not seen, all in one transaction.
 * `user_version` says how many it has seen.
 */
export function migrate(sqlite: Sqlite.Database, name: 'users' | 'chat'): void {
  const folder = fileURLToPath(new URL(`./migrations/sqlite/${name}/`, import.meta.url));
  const files = migrationFiles(folder);
  const seen = Number(sqlite.pragma('user_version', { simple: true }));
  if (seen > files.length) {
    throw new StartError(
      `The ${name} database was written by a newer Hearth; start that version, or take the upgrade back with its "npm run undo".`,
    );
  }
  if (seen === files.length) return;
  sqlite.transaction(() => {
    for (const file of files.slice(seen)) sqlite.exec(readFileSync(join(folder, file), 'utf8'));
    sqlite.pragma(`user_version = ${files.length}`);
  })();
}

/** In the order in which they are applied. */
export function migrationFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
}
