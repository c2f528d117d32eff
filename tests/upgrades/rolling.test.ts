import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import test from 'node:test';
import pg from 'pg';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { type Ending, runCommand, runToEnd, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { nextVersion } from '../support/next-version.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';

async function engines(t: Ending) {
  const [postgres, redis] = await Promise.all([startPostgres(t), startRedis(t)]);
  const DATABASE_URL = await postgres.database();
  const FILES_FOLDER = temporaryFolder(t);
  const ENCRYPTION_KEY = randomBytes(32).toString('hex');
  return { DATABASE_URL, REDIS_URL: redis.url, FILES_FOLDER, ENCRYPTION_KEY };
}

const signedIn = async (url: string, username: string) => {
  const visitor = new Visitor(url);
  await visitor.post('/login', { username, password: PASSWORD });
  return visitor;
};

test('a version and the next one serve one Hearth while processes are replaced, and people talk on', async (t) => {
  const env = await engines(t);
  const script = join(nextVersion(t), 'start.js');
  const old = await startHearthProcess(t, { env });
  const ada = await newPerson(old.url, 'ada', 1);
  const joe = await newPerson(old.url, 'joe', 1);
  const adaHears = await ada.socket('/ws/chat/1');
  let isWriting = true;
  const acknowledged: string[] = [];
  const writing = (async () => {
    for (let number = 1; isWriting; number++) {
      const content = `joe ${number}`;
      if ((await joe.post('/groups/1/messages', { content })).status === 303) acknowledged.push(content);
    }
  })();

  const next = await startHearthProcess(t, { env, script });
  const [upgraded] = await query(
    env.DATABASE_URL,
    "SELECT to_regclass('chat.of_next_version') IS NOT NULL AS is_there",
  );
  assert.ok(upgraded?.is_there, 'the schema is the next one, and the old version still serves');
  const mina = await newPerson(next.url, 'mina', 1);
  const minaHears = await mina.socket('/ws/chat/1');
  await minaHears.nextJson('hello');
  assert.equal((await mina.post('/groups/1/messages', { content: 'from the next version' })).status, 303);
  acknowledged.push('from the next version');
  await adaHears.nextJson('message', ({ content }) => content === 'from the next version');
  assert.equal((await joe.post('/groups/1/messages', { content: 'from the old one' })).status, 303);
  acknowledged.push('from the old one');
  await minaHears.nextJson('message', ({ content }) => content === 'from the old one');
  await ada.post('/groups/1/messages/1/edit', { content: 'nobody else’s' });
  isWriting = false;
  await writing;
  assert.equal(await old.stop(), 0);
  const refused = await runToEnd(['--data', old.dataDir, '--port', '0'], env);
  assert.match(
    refused.stderr,
    /was written by a newer Hearth/,
    'the old version does not come back by itself',
  );

  const later = await signedIn(next.url, 'ada');
  await later.post('/groups/1/messages', { content: 'on the next one' });
  acknowledged.push('on the next one');
  await minaHears.nextJson('message', ({ content }) => content === 'on the next one');
  const reader = await later.socket('/ws/chat/1?after=0');
  const seen: string[] = [];
  const seqs = new Set<unknown>();
  while (seen.at(-1) !== 'on the next one') {
    const { content, seq } = await reader.nextJson('message');
    seen.push(String(content));
    seqs.add(seq);
  }
  assert.deepEqual(seen.toSorted(), acknowledged.toSorted(), 'each acknowledged message once');
  assert.equal(seqs.size, acknowledged.length);
});

test('an upgrade of PostgreSQL is rehearsed on a copy, keeps a snapshot, and is undone', async (t) => {
  const { DATABASE_URL, ENCRYPTION_KEY } = await engines(t);
  const env = { DATABASE_URL, ENCRYPTION_KEY };
  const next = nextVersion(t);
  const script = join(next, 'start.js');
  const old = await startHearthProcess(t, { env });
  const { dataDir } = old;
  const ada = await newPerson(old.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'before the upgrade' });
  const rehearsal = await runCommand('rehearse', ['--data', dataDir], env, next);
  assert.match(
    rehearsal.stdout,
    /The upgrade works on a copy.*1 account and 1 message are/,
    rehearsal.stderr,
  );
  await old.stop();
  const upgraded = await startHearthProcess(t, { env, dataDir, script });
  await (await signedIn(upgraded.url, 'ada')).post('/groups/1/messages', { content: 'after the upgrade' });
  const undo = () => runCommand('undo', ['--data', dataDir], env, next);
  await upgraded.stop();
  const done = await undo();
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /with its database as pg_dump wrote it/);
  const back = await startHearthProcess(t, { env, dataDir });
  const page = (await (await signedIn(back.url, 'ada')).get('/groups/1')).body;
  assert.match(page, /before the upgrade/);
  assert.doesNotMatch(page, /after the upgrade/);
  assert.match((await undo()).stderr, /Another Hearth is using|is running on this PostgreSQL/);
});

async function query(url: string, sql: string) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
