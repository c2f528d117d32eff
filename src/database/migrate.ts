import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Sqlite from 'better-sqlite3';
import { StartError } from '../errors.ts';

const KEPT_SNAPSHOTS = 3;

/**
 * Applies the numbered files of `migrations/sqlite/<name>/` that this database has not seen, each in a transaction.
 * `user_version` says how many it has seen. A database that holds something is snapshot first.
 */
export function migrate(sqlite: Sqlite.Database, name: 'users' | 'chat', snapshots: string): void {
  const folder = fileURLToPath(new URL(`./migrations/sqlite/${name}/`, import.meta.url));
  const files = migrationFiles(folder);
  const seen = Number(sqlite.pragma('user_version', { simple: true }));
  if (seen > files.length) {
    throw new StartError(
      `The ${name} database was written by a newer Hearth; start that version, or restore a snapshot.`,
    );
  }
  if (seen > 0 && seen < files.length) snapshot(sqlite, snapshots, `${name}-v${seen}`);

  files.slice(seen).forEach((file, index) => {
    sqlite.transaction(() => {
      sqlite.exec(readFileSync(join(folder, file), 'utf8'));
      sqlite.pragma(`user_version = ${seen + index + 1}`);
    })();
  });
}

/** In the order in which they are applied. */
export function migrationFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort();
}

function snapshot(sqlite: Sqlite.Database, folder: string, name: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${name}-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}.sqlite3`);
  if (existsSync(file)) rmSync(file);
  sqlite.prepare('VACUUM INTO ?').run(file);
  const kind = name.split('-')[0];
  const old = readdirSync(folder)
    .filter((name) => name.startsWith(`${kind}-`))
    .sort()
    .reverse()
    .slice(KEPT_SNAPSHOTS);
  for (const name of old) rmSync(join(folder, name));
}
