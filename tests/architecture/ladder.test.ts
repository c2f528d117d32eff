import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';
import { ROOT } from '../support/hearth.ts';

/** design.md, section 1: a step imports itself and what stands before it. */
const LADDER: readonly (readonly string[])[] = [
  [
    'errors',
    'version',
    'setting-schemas',
    'flags',
    'storage-settings',
    'settings',
    'npm-parent',
    'config',
    'redis',
    'bus',
    'limits',
    'log',
    'metrics',
    'request-id',
    'time-zones',
    'tls',
  ],
  ['cache'],
  ['crypto', 'engines', 'mail', 'outgoing'],
  ['database'],
  ['operations'],
  ['http'],
  ['jobs', 'context'],
  ['site-settings', 'audit'],
  ['accounts'],
  ['trust'],
  ['second-factors'],
  ['tokens'],
  ['live'],
  ['groups'],
  ['invitations'],
  ['presence'],
  ['recordings'],
  ['files'],
  ['profiles'],
  // One model: what is written, and what each member has of it.
  ['messages', 'threads', 'drafts', 'bookmarks', 'receipts'],
  ['reports', 'inbox'],
  ['notifications'],
  ['bots', 'previews'],
  ['search'],
  ['voice'],
  ['exports', 'deletion', 'imports'],
  ['admin'],
  ['retention'],
  ['api'],
  ['other-clients'],
  ['stores'],
  ['prepare'],
  ['backups'],
  ['app'],
  ['listeners'],
  ['server'],
  ['lesson'],
];

const SRC = join(ROOT, 'src');
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const importsOf = new Map(files.map((file) => [file, readImports(file)]));

test('a file imports its own step of the ladder and those before it only', () => {
  const wrong: string[] = [];
  for (const [file, imports] of importsOf) {
    for (const imported of imports) {
      if (rung(imported) > rung(file)) wrong.push(`${file} imports ${imported}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('no two files import each other, by whatever way round', () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `a cycle: ${[...path, file].join(' → ')}`);
    if (done.has(file)) return;
    for (const imported of importsOf.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test('verbs and stores know nothing of the web', () => {
  const doors =
    /(?:^|\/)(?:(?:\w+-)?routes|upload|(?:[\w-]+-)?pages?|callbacks|composer|live|access|sessions|present|install)\.ts$/;
  const features =
    /^(?:accounts|groups|presence|files|profiles|messages|threads|drafts|bookmarks|receipts|notifications|search)\//;
  for (const file of files.filter(
    (file) => features.test(file) && !doors.test(file) && file !== 'accounts/session-store.ts',
  )) {
    const text = readFileSync(join(SRC, file), 'utf8');
    assert.doesNotMatch(text, /from '(?:express|ws)'/, `${file} imports the web`);
  }
});

test('only config.ts reads the environment', () => {
  const readers = files.filter((file) => readFileSync(join(SRC, file), 'utf8').includes('process.env'));
  assert.deepEqual(
    readers,
    ['config.ts'].filter((file) => readers.includes(file)),
  );
});

test('only stores and the database know SQL', () => {
  const allowed = /^database\/|\/(?:[\w-]+-)?(?:store|queries)\.ts$/;
  const users = files.filter((file) =>
    /from 'drizzle-orm|from 'better-sqlite3/.test(readFileSync(join(SRC, file), 'utf8')),
  );
  assert.deepEqual(
    users.filter((file) => !allowed.test(file)),
    [],
  );
});

test('stores keep nothing in memory, and run nothing but by an executor', () => {
  for (const file of files.filter((file) => /\/(?:[\w-]+-)?(?:store|queries)\.ts$/.test(file))) {
    // Each reads a database of its own: that of sessions is connect-sqlite3's, that of the search index a worker's.
    if (
      [
        'accounts/session-store.ts',
        'search/store.ts',
        'search/postgres-store.ts',
        'search/queries.ts',
        'search/open-store.ts',
        'files/blob-store.ts',
      ].includes(file)
    )
      continue;
    const text = readFileSync(join(SRC, file), 'utf8');
    const runs = [...text.matchAll(/([\w)]+)\s*\.(?:all|get|run)\(/g)].map((match) => match[1]);
    const others = runs.filter(
      (by) => !['db', 'tx', 'executor', 'messagesById', 'newByGroup', 'groups'].includes(String(by)),
    );
    assert.deepEqual(others, [], `${file} runs SQL by itself`);
    assert.doesNotMatch(
      text,
      /^ {2}(?:let |(?:const \w+|(?:readonly )?#\w+) = new (?:Map|Set|LRUCache))/m,
      `${file} keeps something`,
    );
  }
});

test('files are short: at most 250 lines, half of them at most 70', () => {
  const lengths = files.map((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length - 1);
  const long = files.filter((_file, index) => Number(lengths[index]) > 250);
  assert.deepEqual(long, []);
  assert.ok(Number(lengths.toSorted((a, b) => a - b)[Math.floor(lengths.length / 2)]) <= 70);
});

test('what is kept in memory stands in the list of caches', () => {
  const users = files.filter((file) => readFileSync(join(SRC, file), 'utf8').includes("'lru-cache'"));
  // The index is read in a worker thread, which has its own.
  assert.deepEqual(users, ['cache/caches.ts', 'cache/values.ts', 'search/tokens.ts']);
});

test('docs/design.md lists every cache, and no other', () => {
  const names = files.flatMap((file) => {
    const text = readFileSync(join(SRC, file), 'utf8');
    const named = text.matchAll(
      /(?:cached|memo)(?:<[^;(]*>)?\(\{\s*name: '([^']+)'|recent<[^(]*>\('([^']+)'/g,
    );
    return [...named].map((match) => match[1] ?? match[2] ?? '');
  });
  const page = readFileSync(join(ROOT, 'docs/design.md'), 'utf8');
  const [, table = ''] = page.split('## What is kept in memory');
  const listed = [...table.matchAll(/^\| (?!name \||---)([^|]+) \|/gm)].map((match) => match[1] ?? '');
  assert.deepEqual(listed.toSorted(), names.toSorted());
});

test('SQL that engines write differently stands with the engine', () => {
  const own = /json_each|INDEXED BY|INSERT OR |PRAGMA|BEGIN(?! PRIVATE)|sqlite_|\bmax\(\$\{|fts5/;
  const users = files.filter((file) => own.test(readFileSync(join(SRC, file), 'utf8')));
  const allowed =
    /^(?:database\/(?:driver|dialect|integrity|lock|migrate|checkpoint)|search\/(?:(?:open-|postgres-)?store|queries)|accounts\/session-store)/;
  assert.deepEqual(
    users.filter((file) => !allowed.test(file)),
    [],
  );
});

function readImports(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const found = [...text.matchAll(/(?:from|import\() ?'(\.[^']+)'|new URL\('(\.[^']+\.ts)'/g)];
  return found.map((match) => relative(SRC, join(SRC, dirname(file), match[1] ?? match[2] ?? '')));
}

function rung(file: string): number {
  const [name = ''] = file.split('/');
  const index = LADDER.findIndex((step) => step.includes(name.replace(/\.ts$/, '')));
  assert.ok(index >= 0, `${file} has no step on the ladder`);
  return index;
}
