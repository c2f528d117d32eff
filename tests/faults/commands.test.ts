import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { newPerson } from '../support/client.ts';
import { ON_SQLITE, ROOT, runCommand, startHearth, temporaryFolder } from '../support/hearth.ts';

const folder = temporaryFolder({ after });
const whole = join(folder, 'whole');
const hearth = await startHearth({ after }, { dataDir: whole });
await (await newPerson(hearth.url, 'ada', 1)).post('/groups/1/messages', { content: 'It is kept' });
await hearth.stop();

const COMMANDS = {
  'check-log': [],
  doctor: [],
  export: [join(folder, 'all.zip')],
  backup: ['--to', join(folder, 'backups')],
  rehearse: [],
  'rotate-keys': [],
  'reset-password': ['ada'],
} as const;

/** Runs each on a copy, and resolves to what it said. Nothing in the copy may be made or changed by it. */
async function said(name: string, change: (copy: string) => void, env: Record<string, string> = {}) {
  const copy = join(folder, name);
  cpSync(whole, copy, { recursive: true });
  change(copy);
  const before = stateOf(copy);
  const sentences: Record<string, string> = {};
  for (const [command, args] of Object.entries(COMMANDS)) {
    const { code, stdout, stderr } = await runCommand(command, [...args, '--data', copy], env);
    assert.notEqual(code, 0, `${command}: ${stdout}`);
    assert.doesNotMatch(stdout + stderr, /^\s+at |Hearth has what it needs/m, command);
    sentences[command] = command === 'doctor' ? stdout : stderr;
    assert.deepEqual(stateOf(copy), before, command);
  }
  return sentences;
}

/** The files, and how large they are; without what SQLite makes beside a database to read it. */
function stateOf(copy: string): string[] {
  const files = readdirSync(copy, { recursive: true, encoding: 'utf8' }).sort();
  const sizes = files.map((name) => ({ name, size: statSync(join(copy, name)).size }));
  return sizes
    .filter(({ name, size }) => !name.endsWith('-shm') && !(name.endsWith('-wal') && size === 0))
    .map(({ name, size }) => `${name} ${size}`);
}

test('no command makes a database in the place of one that is missing', ON_SQLITE, async () => {
  for (const database of ['users', 'chat']) {
    const sentences = await said(`no ${database}`, (copy) => {
      for (const name of readdirSync(copy))
        if (name.startsWith(`${database}.sqlite3`)) rmSync(join(copy, name));
    });
    for (const [command, sentence] of Object.entries(sentences))
      assert.match(sentence, new RegExp(`${database}\\.sqlite3 is missing, but .* holds the rest`), command);
  }
});

test('no command uses databases that were moved to PostgreSQL', ON_SQLITE, async () => {
  const sentences = await said('moved', (copy) => writeFileSync(join(copy, 'moved-to-postgresql'), ''));
  for (const [command, sentence] of Object.entries(sentences))
    assert.match(sentence, /were moved to PostgreSQL: set DATABASE_URL/, command);
  const undone = await runCommand('undo', ['--data', join(folder, 'moved')]);
  assert.match(undone.stderr, /were moved to PostgreSQL: set DATABASE_URL/);
});

test('a key that does not fit, and damage, are said in a sentence', ON_SQLITE, async () => {
  const keys = { ENCRYPTION_KEY: `${randomBytes(32).toString('hex')},${randomBytes(32).toString('hex')}` };
  const copy = join(folder, 'other key');
  cpSync(whole, copy, { recursive: true });
  for (const [command, args] of Object.entries(COMMANDS)) {
    const { code, stdout, stderr } = await runCommand(command, [...args, '--data', copy], keys);
    assert.notEqual(code, 0, command);
    assert.match(stdout + stderr, /key does not fit|cannot be opened with the keys/, command);
    assert.doesNotMatch(stdout + stderr, /^\s+at /m, command);
  }
  const damaged = await said('damaged', (copy) => {
    const file = join(copy, 'chat.sqlite3');
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(7, 4_096, bytes.length));
    for (const end of ['-wal', '-shm']) rmSync(file + end, { force: true });
  });
  for (const [command, sentence] of Object.entries(damaged))
    assert.match(sentence, /chat\.sqlite3 is damaged/, command);
  assert.ok(!existsSync(join(folder, 'all.zip')));
});

/** Only root can be somebody else, who has to be let into the folder of the project. */
const AS_OTHERS = { skip: process.getuid?.() === 0 && isOpen(ROOT) ? false : 'needs root' };

function isOpen(path: string): boolean {
  const isRoot = dirname(path) === path;
  return (statSync(path).mode & 0o005) === 0o005 && (isRoot || isOpen(dirname(path)));
}

test('whoever may not read the folder is told so, and not that nothing is in it', AS_OTHERS, async () => {
  const backups = join(folder, 'of root');
  assert.equal((await runCommand('backup', ['--to', backups, '--data', whole])).code, 0);
  const backup = join(backups, readdirSync(backups).find((name) => name.startsWith('2')) ?? '');
  const options = { uid: 65_534, gid: 65_534, cwd: ROOT };
  for (const [command, ...args] of [
    ['doctor', '--data', whole],
    ['inspect', whole],
    ['restore', backup, '--data', join(folder, 'restored')],
  ]) {
    const run = promisify(execFile)(process.execPath, ['command.js', command ?? '', ...args], options);
    const { stdout, stderr } = await run.catch((error) => error);
    assert.match(stdout + stderr, /cannot be read: run this as the user/, command);
    assert.doesNotMatch(stdout + stderr, /no key yet|no data in|no backup|database yet/, command);
  }
});
