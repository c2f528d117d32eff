// npm run inspect -- [FOLDER]                   what the databases of a data folder have: tables, counts, columns
// npm run inspect -- [FOLDER] TABLE [COUNT]     the newest rows of a table, opened with the key; reads only
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { getTableColumns, getTableName } from 'drizzle-orm';
import { type Config, readCommand } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { BetterSqlite } from '../src/database/driver/better-sqlite3.ts';
import { refuseUnreadable, refuseUnusable } from '../src/database/integrity.ts';
import type { SealedColumn } from '../src/database/sealed-column.ts';
import { createSealer, SEALED, type Sealer } from '../src/database/sealed-columns.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { runCommand } from './command.ts';

const DATABASES = ['users', 'chat'] as const;
const ROWS = 10;
const MAX_ROWS = 1_000;
const LONGEST_TEXT = 200;
/** Never shown, however they are stored: with them somebody could sign in, or open what is sealed. */
const SECRET =
  /^(?:secrets\.value|accounts\.password_hash|authenticators\.secret|account_exports\.key|face_templates\.template|files\.about|invitations\.code|push_subscriptions\.subscription|session_list\.details|passkeys\.details|webhooks\.details|imports\.key)$/;

type Row = Record<string, unknown>;

await runCommand(async () => inspect(process.argv.slice(2)), 2);

function inspect(args: readonly string[]): void {
  const [first = ''] = args;
  const isFolder = first.includes('/') || existsSync(join(first || '.', 'users.sqlite3'));
  const folder = isFolder ? first : 'data';
  const [table, count = `${ROWS}`, more] = isFolder ? args.slice(1) : args;
  const wrong = args.find((arg) => arg.startsWith('-')) ?? more;
  if (wrong !== undefined)
    throw new StartError(`It does not know ${wrong}. Use it as: npm run inspect -- [FOLDER] [TABLE] [COUNT]`);
  if (!/^\d+$/.test(count)) throw new StartError(`${count} is no number of rows. Write one such as ${ROWS}.`);
  refuseUnreadable(folder);
  if (!existsSync(join(folder, 'users.sqlite3'))) throw new StartError(noDataIn(folder));
  refuseUnusable(folder);
  const databases = DATABASES.map((name) => ({
    name,
    sqlite: new BetterSqlite(join(folder, `${name}.sqlite3`), { readonly: true }),
  }));
  const owner = databases.find(({ sqlite }) => table !== undefined && tablesOf(sqlite).includes(table));
  if (table !== undefined && !owner) throw new StartError(`There is no table ${table}.`);
  if (table === undefined || !owner) for (const { name, sqlite } of databases) describe(name, sqlite);
  else showRows(owner.sqlite, table, Math.min(MAX_ROWS, Number(count)), sealerOf(folder));
  for (const { sqlite } of databases) sqlite.close();
}

function tablesOf(sqlite: Sqlite.Database): string[] {
  const named = sqlite.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
  );
  return named.pluck().all() as string[];
}

function describe(name: string, sqlite: Sqlite.Database): void {
  const { user_version: schema } = sqlite.prepare('PRAGMA user_version').get() as { user_version: number };
  print(`${name}.sqlite3, schema ${schema}`);
  for (const table of tablesOf(sqlite)) {
    const rows = sqlite.prepare(`SELECT count(*) FROM "${table}"`).pluck().get();
    const columns = sqlite.prepare(`PRAGMA table_info("${table}")`).all() as { name: string; type: string }[];
    print(
      `  ${table}: ${rows} rows (${columns.map((column) => `${column.name} ${column.type}`).join(', ')})`,
    );
  }
}

function showRows(sqlite: Sqlite.Database, table: string, count: number, sealer: Sealer): void {
  const columns = sqlite.prepare(`PRAGMA table_info("${table}")`).all() as { name: string; pk: number }[];
  const newest = columns.filter(({ pk }) => pk > 0).map(({ name }) => `"${name}" DESC`);
  const order = newest.length > 0 ? `ORDER BY ${newest.join(', ')}` : '';
  const rows = sqlite.prepare(`SELECT * FROM "${table}" ${order} LIMIT ?`);
  for (const row of rows.iterate(count)) {
    const shown = Object.entries(opened(table, row as Row, sealer)).map(
      ([name, value]) => `${name}: ${value}`,
    );
    print(shown.join('\n'), '');
  }
}

/** The columns of a row as text. */
function opened(table: string, row: Row, sealer: Sealer): Record<string, string> {
  const sealed = Object.values(SEALED).find((entry) => getTableName(entry.table) === table);
  const names = sealed ? Object.entries(getTableColumns(sealed.table)) : [];
  const keyOf = (column: string) => names.find(([, { name }]) => name === column)?.[0] ?? column;
  // What a value was sealed with is made of the row as the stores have it.
  const asStored = Object.fromEntries(Object.entries(row).map(([column, value]) => [keyOf(column), value]));
  const columns = (sealed?.columns ?? {}) as Record<string, SealedColumn<never>>;
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null) return [name, '–'];
      if (SECRET.test(`${table}.${name}`)) return [name, '(secret)'];
      const column = columns[keyOf(name)];
      if (!(value instanceof Buffer)) return [name, shortened(String(value))];
      if (!column) return [name, `${value.length} bytes: ${value.toString('hex').slice(0, 16)}`];
      return [name, shortened(sealer.open(column, asStored as never, value))];
    }),
  );
}

function noDataIn(folder: string): string {
  return configOf(folder).databaseUrl
    ? 'The data is in PostgreSQL, as DATABASE_URL says. This reads the SQLite databases of a folder: name one, or use psql.'
    : `There is no data in ${folder}. Name its folder: npm run inspect -- FOLDER`;
}

function sealerOf(folder: string): Sealer {
  return createSealer(loadKeyring(configOf(folder).encryptionKey, folder, false));
}

function configOf(folder: string): Config {
  const command = readCommand(['--data', folder], process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  return command.config;
}

/** One line; what others wrote must not move the cursor of a terminal. */
function shortened(text: string): string {
  const line = text.replaceAll(/\p{Cc}/gu, ' ');
  return line.length > LONGEST_TEXT ? `${line.slice(0, LONGEST_TEXT)}… (${text.length} characters)` : line;
}

function print(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
