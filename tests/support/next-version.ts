import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Ending, ROOT, temporaryFolder } from './hearth.ts';

const SOURCES = [
  'src',
  'views',
  'static',
  'scripts',
  'run.ts',
  'start.js',
  'command.js',
  'compile.js',
  'package.json',
  'tsconfig.json',
];

/**
 * A Hearth one version ahead: these sources, and one more migration of each database on each engine.
 * @param sql of the migration of the chat database; by default it adds a column and a table, as migrations do
 * @returns its folder, in which `start.js` starts it
 */
export function nextVersion(
  test: Ending,
  sql = 'ALTER TABLE groups ADD COLUMN of_next_version TEXT; CREATE TABLE of_next_version (id INTEGER PRIMARY KEY);',
): string {
  const folder = temporaryFolder(test);
  for (const name of SOURCES)
    cpSync(join(ROOT, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const engine of ['sqlite', 'postgres'])
    for (const name of ['users', 'chat']) {
      const migrations = join(folder, 'src/database/migrations', engine, name);
      mkdirSync(migrations, { recursive: true });
      const text = name === 'chat' ? sql : 'CREATE TABLE of_next_version (id INTEGER PRIMARY KEY);';
      writeFileSync(join(migrations, '9999-next-version.sql'), text);
    }
  return folder;
}
