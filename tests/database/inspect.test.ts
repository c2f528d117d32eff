import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson, PASSWORD } from '../support/client.ts';
import { ROOT, startHearth, temporaryFolder } from '../support/hearth.ts';

function inspect(...args: string[]) {
  const script = join(ROOT, 'scripts', 'inspect.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('while Hearth runs, the tables are counted and rows are opened, without what could let somebody in', async (t) => {
  const { url, dataDir } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'the words \u001b[2J of a message' });
  await ada.post('/account/second-factor/set-up', { password: PASSWORD });
  await ada.upload('/groups/1/files', [{ name: 'a.txt', type: 'text/plain', bytes: Buffer.from('a') }]);
  const { stdout } = inspect(dataDir);
  assert.match(
    stdout,
    /^users\.sqlite3, schema \d+\n[\s\S]* accounts: 1 rows \(id INTEGER[\s\S]*^chat\.sqlite3[\s\S]* messages: 1 rows/m,
  );
  const messages = inspect(dataDir, 'messages', '5');
  assert.match(messages.stdout, /body: the words +\[2J of a message/);
  assert.ok(!messages.stdout.includes('\u001b'), 'what others wrote cannot move the cursor');
  const accounts = inspect(dataDir, 'accounts').stdout;
  assert.match(accounts, /name: ada[\s\S]*password_hash: \(secret\)/);
  for (const [table, column] of [
    ['secrets', 'value'],
    ['authenticators', 'secret'],
    ['session_list', 'details'],
    ['files', 'about'],
  ] as const)
    assert.match(inspect(dataDir, table).stdout, new RegExp(`${column}: \\(secret\\)`), table);
  assert.ok(!accounts.includes('$2') && !accounts.includes(PASSWORD));
  assert.equal((await ada.get('/groups/1')).status, 200);
});

test('a folder without data and a table that is not there are said in a sentence', async (t) => {
  const folder = temporaryFolder(t);
  assert.deepEqual(inspect(folder), {
    status: 2,
    stdout: '',
    stderr: `There is no data in ${folder}. Name its folder: npm run inspect -- FOLDER\n`,
  });
  const { dataDir } = await startHearth(t);
  assert.equal(inspect(dataDir, 'nothing').stderr, 'There is no table nothing.\n');
});
