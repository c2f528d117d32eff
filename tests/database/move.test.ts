import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { getTableConfig } from 'drizzle-orm/sqlite-core';
import pg from 'pg';
import { MOVED } from '../../src/database/move.ts';
import { newPerson } from '../support/client.ts';
import { ROOT, runCommand, runToEnd, startHearth, temporaryFolder } from '../support/hearth.ts';
import { startPostgres } from '../support/postgres.ts';
import { runSql } from '../support/rows.ts';
import { tablesOf } from '../support/tables.ts';
import { until } from '../support/until.ts';

const postgres = startPostgres({ after });

async function query(url: string, sql: string) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('no table is forgotten', () => {
  const BESIDE = ['encryption_keys', 'health'];
  for (const name of ['users', 'chat'] as const) {
    const names = (tables: readonly Parameters<typeof getTableConfig>[0][]) =>
      tables.map((table) => getTableConfig(table).name).sort();
    assert.deepEqual([...names(MOVED[name]), ...BESIDE].sort(), names(tablesOf(name)));
  }
});

test('an address that is none is refused without being shown', async () => {
  for (const address of ['postgres://me:pa/ss@127.0.0.1/x', 'postgres://me:secret@127.0.0.1:99999/x']) {
    const { code, stderr } = await runCommand('move', ['--to', address, '--data', 'data']);
    assert.deepEqual([code, stderr.split('\n').length], [1, 2], stderr);
    assert.match(stderr, /^--to is no address: write/);
    assert.doesNotMatch(stderr, /pa\/ss|secret/);
  }
});

test('a Hearth is moved into PostgreSQL and back; everybody and everything is there, and no number is given twice', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const gone = await newPerson(hearth.url, 'gone', 1);
  for (let count = 0; count < 30; count++)
    await ada.post('/groups/1/messages', { content: `message ${count}` });
  await ada.upload(
    '/groups/1/messages',
    [{ name: 'x.txt', type: 'text/plain', bytes: Buffer.from('a file') }],
    { content: 'with a file' },
  );
  await ada.post('/groups/1/messages/2/edit', { content: 'message 1, edited' });
  await ada.post('/groups/1/messages/3/reactions', { emoji: '👍' });
  await ada.post('/groups/1/messages/4/save');
  await ada.post('/groups/1/draft', { content: 'a draft' });
  await gone.post('/groups/1/messages', { content: 'of somebody who leaves' });
  assert.equal(
    (
      await gone.post('/account/delete', {
        password: 'correct horse battery',
        messages: 'keep',
        confirmed: 'yes',
      })
    ).status < 400,
    true,
  );
  const other = await (await postgres).database();
  const running = await runCommand('move', ['--to', other, '--data', hearth.dataDir]);
  assert.match(running.stderr, /^Another Hearth is using the data folder/);
  await until(
    async () => (await runSql(hearth.dataDir, 'users', 'SELECT id FROM accounts')).length === 1,
    'the account is deleted',
  );
  await hearth.stop();

  const url = await (await postgres).database();
  const moved = await runCommand('move', ['--to', url, '--data', hearth.dataDir]);
  assert.deepEqual([moved.code, moved.stderr], [0, '']);
  assert.match(
    moved.stdout,
    /^\d+ rows were copied, and each is the same in both\. Start Hearth with DATABASE_URL/,
  );
  for (const command of [undefined, 'backup', 'check-log', 'move']) {
    const flags = ['--data', hearth.dataDir, ...(command === 'move' ? ['--to', url] : [])];
    const old = await (command ? runCommand(command, flags) : runToEnd(flags));
    assert.notEqual(old.code, 0);
    assert.match(old.stderr, /were moved to PostgreSQL: set DATABASE_URL/, 'what is out of date is not used');
  }
  renameSync(join(hearth.dataDir, 'moved-to-postgresql'), join(hearth.dataDir, 'moved'));
  const again = await runCommand('move', ['--to', url, '--data', hearth.dataDir]);
  renameSync(join(hearth.dataDir, 'moved'), join(hearth.dataDir, 'moved-to-postgresql'));
  assert.deepEqual(
    [again.code, again.stderr],
    [1, 'There is data already where this is to be moved; name an empty database or folder.\n'],
  );

  const next = await startHearth(t, { dataDir: hearth.dataDir, env: { DATABASE_URL: url } });
  Object.assign(ada, { url: next.url });
  const page = (await ada.get('/groups/1')).body;
  for (const part of [
    'message 29',
    'with a file',
    'message 1, edited',
    '👍',
    'a draft',
    'of somebody who leaves',
  ])
    assert.ok(page.includes(part), part);
  const [, file = ''] = /href="(\/media\/[\w-]+)"/.exec(page) ?? [];
  assert.equal((await ada.get(file)).body, 'a file');
  const bob = await newPerson(next.url, 'bob', 1);
  const [{ id }] = await query(url, 'SELECT max(id)::int AS id FROM users.accounts');
  assert.equal(id, 3, 'the number of an account that was deleted is not given again');
  await bob.post('/groups/1/messages', { content: 'on PostgreSQL' });
  await next.stop();

  for (const name of ['users', 'chat'])
    for (const ending of ['', '-wal', '-shm'])
      rmSync(join(hearth.dataDir, `${name}.sqlite3${ending}`), { force: true });
  const back = await runCommand('move', ['--from', url, '--data', hearth.dataDir]);
  assert.deepEqual([back.code, back.stderr], [0, '']);
  const last = await startHearth(t, { dataDir: hearth.dataDir });
  Object.assign(ada, { url: last.url });
  assert.match((await ada.get('/groups/1')).body, /message 29[\s\S]*on PostgreSQL/);
  const kim = await newPerson(last.url, 'kim', 1);
  assert.match((await kim.get('/groups')).body, /data-account-id="4"/);
});

test('a move that is killed goes on where it was, and nobody starts on half of it', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (let count = 0; count < 1_500; count += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        ada.post('/groups/1/messages', { content: `message ${count + index}` }),
      ),
    );
  await hearth.stop();
  const url = await (await postgres).database();
  const child = spawn(process.execPath, ['command.js', 'move', '--to', url, '--data', hearth.dataDir], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  const count = () =>
    query(url, 'SELECT count(*)::int AS rows FROM chat.messages').then(
      ([row]) => row.rows,
      () => 0,
    );
  await until(count, 'it has begun');
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
  assert.equal((await query(url, 'SELECT key_id FROM users.encryption_keys')).length, 1);
  const refused = await runToEnd(['--port', '0', '--data', hearth.dataDir], { DATABASE_URL: url });
  if ((await query(url, "SELECT 1 FROM users.encryption_keys WHERE key_id = 'unfinished move'")).length > 0)
    assert.deepEqual(
      [refused.code, refused.stderr],
      [2, 'Data is being moved here, and not all of it is: run npm run move again until it says so.\n'],
    );
  const again = await runCommand('move', ['--to', url, '--data', hearth.dataDir]);
  assert.deepEqual([again.code, again.stderr], [0, '']);
  assert.equal(await count(), 1_500);

  // A row that is another one is found and named.
  for (const name of ['users', 'chat'])
    await query(url, `UPDATE ${name}.encryption_keys SET key_id = 'unfinished move'`);
  await query(url, 'UPDATE chat.messages SET created_at = created_at + 1 WHERE seq = 700');
  const moved = await runCommand('move', ['--to', url, '--data', hearth.dataDir]);
  assert.deepEqual([moved.code, /were moved to PostgreSQL/.test(moved.stderr)], [1, true]);
  rmSync(join(hearth.dataDir, 'moved-to-postgresql'));
  const wrong = await runCommand('move', ['--to', url, '--data', hearth.dataDir]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /^A row of messages differs after it was moved: groupId 1, seq 700\./);
});

test('nothing is moved from where there is no Hearth, or not all of one, and nothing is made there', async (t) => {
  const url = await (await postgres).database();
  const folder = temporaryFolder(t);
  const none = await runCommand('move', ['--from', url, '--data', folder]);
  assert.deepEqual(
    [none.code, /^There is no Hearth in this PostgreSQL database/.test(none.stderr)],
    [1, true],
  );
  assert.deepEqual(readdirSync(folder), []);
  const schemas = await query(url, "SELECT 1 FROM pg_namespace WHERE nspname IN ('users', 'chat')");
  assert.equal(schemas.length, 0);
  const hearth = await startHearth(t);
  await hearth.stop();
  for (const end of ['', '-wal', '-shm']) rmSync(join(hearth.dataDir, `chat.sqlite3${end}`), { force: true });
  const half = await runCommand('move', ['--to', url, '--data', hearth.dataDir]);
  assert.deepEqual([half.code, /chat\.sqlite3 is missing/.test(half.stderr)], [1, true]);
  assert.equal(existsSync(join(hearth.dataDir, 'chat.sqlite3')), false);
});
