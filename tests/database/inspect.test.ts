import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson, PASSWORD } from '../support/client.ts';
import { runCommand, startHearth, temporaryFolder } from '../support/hearth.ts';

const inspect = (...args: string[]) => runCommand('inspect', args);

test('while Hearth runs, the tables are counted and rows are opened, without what could let somebody in', async (t) => {
  const { url, dataDir } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'the words \u001b[2J of a message' });
  await ada.post('/account/second-factor/set-up', { password: PASSWORD });
  await ada.upload('/groups/1/files', [{ name: 'a.txt', type: 'text/plain', bytes: Buffer.from('a') }]);
  const { stdout } = await inspect(dataDir);
  assert.match(
    stdout,
    /^users\.sqlite3, schema \d+\n[\s\S]* accounts: 1 rows \(id INTEGER[\s\S]*^chat\.sqlite3[\s\S]* messages: 1 rows/m,
  );
  const messages = await inspect(dataDir, 'messages', '5');
  assert.match(messages.stdout, /body: the words +\[2J of a message/);
  assert.ok(!messages.stdout.includes('\u001b'), 'what others wrote cannot move the cursor');
  const accounts = (await inspect(dataDir, 'accounts')).stdout;
  assert.match(accounts, /name: ada[\s\S]*password_hash: \(secret\)/);
  for (const [table, column] of [
    ['secrets', 'value'],
    ['authenticators', 'secret'],
    ['session_list', 'details'],
    ['files', 'about'],
  ] as const)
    assert.match((await inspect(dataDir, table)).stdout, new RegExp(`${column}: \\(secret\\)`), table);
  assert.ok(!accounts.includes('$2') && !accounts.includes(PASSWORD));
  assert.equal((await ada.get('/groups/1')).status, 200);
});

test('a folder without data and a table that is not there are said in a sentence', async (t) => {
  const folder = temporaryFolder(t);
  assert.deepEqual(await inspect(folder), {
    code: 2,
    stdout: '',
    stderr: `There is no data in ${folder}. Name its folder: npm run inspect -- FOLDER\n`,
  });
  const { dataDir } = await startHearth(t);
  const moved = join(dataDir, 'moved-to-postgresql');
  writeFileSync(moved, '');
  assert.match((await inspect(dataDir, 'messages')).stderr, /were moved to PostgreSQL: set DATABASE_URL/);
  rmSync(moved);
  assert.equal((await inspect(dataDir, 'nothing')).stderr, 'There is no table nothing.\n');
  assert.equal(
    (await inspect('--data', dataDir)).stderr,
    'It does not know --data. Use it as: npm run inspect -- [FOLDER] [TABLE] [COUNT]\n',
  );
  assert.equal(
    (await inspect(dataDir, 'messages', 'all')).stderr,
    'all is no number of rows. Write one such as 10.\n',
  );
  const elsewhere = await runCommand('inspect', [folder], { DATABASE_URL: 'postgres://127.0.0.1/hearth' });
  assert.match(elsewhere.stderr, /^The data is in PostgreSQL, as DATABASE_URL says\./);
});
