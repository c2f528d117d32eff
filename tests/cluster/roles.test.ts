import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { type Ending, runToEnd, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { startPostgres } from '../support/postgres.ts';
import { startReceiver } from '../support/receiver.ts';
import { startRedis } from '../support/redis.ts';
import { recording, SAID } from '../support/speech.ts';
import { until } from '../support/until.ts';

/** What the processes of one Hearth have in common. */
async function environment(t: Ending): Promise<Record<string, string>> {
  const [postgres, redis] = await Promise.all([startPostgres(t), startRedis(t)]);
  return {
    DATABASE_URL: await postgres.database(),
    REDIS_URL: redis.url,
    FILES_FOLDER: temporaryFolder(t),
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
  };
}

test('one process serves people, another does what takes long; what waits for a killed one is done by the next', async (t) => {
  const env = await environment(t);
  const start = (role: string) => startHearthProcess(t, { env, flags: ['--role', role] });
  const web = await start('web');
  const ada = await newPerson(web.url, 'ada', 1);
  const joe = await newPerson(web.url, 'joe', 1);
  await ada.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' });
  const receiver = await startReceiver(t);
  const hook = { name: 'told', url: receiver.url, trigger: 'message' };
  assert.equal((await ada.post('/groups', { name: 'Garden' })).status, 303);
  assert.equal((await ada.post('/groups/3/webhooks/add-outgoing', hook)).status, 303);

  const { body } = await ada.upload('/groups/1/voice', [recording('ogg')], {}, { 'hx-request': 'true' });
  const file = /data-file="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
  await ada.post('/account/export');
  await ada.post('/groups/3/messages', { content: 'to be told of' });
  await joe.post('/account/delete', { messages: 'keep', password: PASSWORD, confirmation: 'joe' });
  await sleep(1_500);
  const transcript = async () => JSON.parse((await ada.get(`/media/${file}/transcript`)).body);
  assert.equal((await transcript()).transcript, 'waiting', 'a process for people does none of it');
  assert.equal((await ada.get('/account/export/archive')).status, 404);
  assert.equal(receiver.received.length, 0);

  const worker = await start('worker');
  await until(async () => (await transcript()).text === SAID, 'the recording has its text');
  await until(async () => (await ada.get('/account/export/archive')).status === 200, 'the archive is made');
  await until(async () => receiver.received.length === 1, 'the program is told');
  const isGone = async () =>
    !(await ada.get('/groups/1')).body.includes('>joe<') &&
    !(await ada.get('/admin/people')).body.includes('>joe<');
  await until(isGone, 'the account is deleted');

  const before = Date.now();
  await ada.post('/groups/3/messages', { content: 'while both are there' });
  await until(async () => receiver.received.length === 2, 'it is told of at once');
  assert.ok(Date.now() - before < 10_000, 'not only when the worker looks around by itself');
  await worker.kill();
  await ada.post('/groups/3/messages', { content: 'while none works' });
  await start('worker');
  await until(async () => receiver.received.length === 3, 'the next one does it');
});

test('with LOG_LEVEL=debug all that a request causes has its id in the log, at every process and in the background', async (t) => {
  const env = { ...(await environment(t)), LOG_LEVEL: 'debug' };
  const web = await startHearthProcess(t, { env, flags: ['--role', 'web'] });
  const worker = await startHearthProcess(t, { env, flags: ['--role', 'worker'] });
  const linesOf = (hearth: { output(): { stderr: string } }): Record<string, unknown>[] =>
    hearth
      .output()
      .stderr.split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  const ada = await newPerson(web.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'a secret canary' });
  await ada.post('/account/export');
  const socket = await ada.socket('/ws/chat/1');
  socket.send({ type: 'send', id: crypto.randomUUID(), content: 'by a socket' });
  const idOf = (path: string) => linesOf(web).find((line) => line.path === path)?.id ?? 'none';
  await until(
    async () => linesOf(worker).some(({ id, kind }) => id === idOf('/account/export') && kind === 'exports'),
    'the work of a request',
  );
  const told = () => linesOf(worker).filter(({ event }) => event === 'messages.committed');
  await until(async () => told().length === 2, 'both messages are told of');
  const [first, second] = told().map(({ id }) => id);
  assert.equal(first, idOf('/groups/1/messages'));
  assert.match(String(second), /^[0-9a-f]{6}-/, 'a command of a socket has one, too');
  assert.notEqual(second, first);
  for (const { output } of [web, worker]) assert.doesNotMatch(output().stderr, /canary/);
});

test('backups that a worker takes, and fails to take, are shown to administrators at the others', async (t) => {
  const env = await environment(t);
  const web = await startHearthProcess(t, { env, flags: ['--role', 'web'] });
  const ada = await newPerson(web.url, 'ada', 1);
  assert.match((await ada.get('/admin')).body, /not taken by this server/);
  const target = join(temporaryFolder(t), 'backups');
  const worker = (folder: string) =>
    startHearthProcess(t, { env, flags: ['--role', 'worker', '--backup-to', folder] });
  const first = await worker(target);
  await until(
    async () => (await ada.get('/admin')).body.includes('The last good one is of'),
    'the one that was taken',
  );
  assert.doesNotMatch((await ada.get('/groups')).body, /A backup failed/);
  await first.stop();
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  await worker(join(file, 'backups'));
  await until(
    async () => (await ada.get('/groups')).body.includes('A backup failed'),
    'the one that was not',
  );
  assert.match((await ada.get('/admin')).body, /The last try failed:/);
});

test('a worker serves nothing but its health, and a role needs Redis', async (t) => {
  const env = await environment(t);
  const worker = await startHearthProcess(t, { env, flags: ['--role', 'worker'] });
  assert.match(worker.output().stdout, /^It is a worker: it serves its health, and no pages\.$/m);
  assert.equal((await fetch(`${worker.url}/healthz`)).status, 200);
  assert.equal((await fetch(`${worker.url}/readyz`)).status, 200);
  for (const path of ['/', '/login', '/api/v1/groups', '/assets/x/css/main.css']) {
    const response = await fetch(worker.url + path);
    assert.deepEqual(
      [response.status, await response.text()],
      [404, 'This process of Hearth only works in the background.\n'],
      path,
    );
  }
  await assert.rejects(new Visitor(worker.url).socket('/ws'), /404/);
  const alone = await runToEnd(['--role', 'worker', '--port', '0', '--data', temporaryFolder(t)]);
  assert.match(alone.stderr, /^--role worker needs REDIS_URL/);
});
