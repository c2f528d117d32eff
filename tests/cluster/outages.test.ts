import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { io } from 'socket.io-client';
import { signInProgram } from '../support/api.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startCluster, startGate } from '../support/cluster.ts';
import { atEnd } from '../support/hearth.ts';
import { at, Reader } from '../support/reader.ts';
import { startReceiver } from '../support/receiver.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

test('the people of a process that is killed are gone within ten seconds, and come back elsewhere', async (t) => {
  const cluster = await startCluster(t, { size: 2 });
  const ada = await newPerson(cluster.urls[0] ?? '', 'ada', 1);
  const bob = await newPerson(cluster.urls[1] ?? '', 'bob', 1);
  const readers = [new Reader([ada], 1), new Reader([bob], 1)];
  for (const reader of readers) atEnd(t, () => reader.stop());
  const isHere = async (count: number) =>
    (await ada.get('/groups/1')).body.includes(`2 members, ${count} here now`);
  await until(() => isHere(2));
  await cluster.process(1).kill();
  await until(() => isHere(1), 'gone within ten seconds', 10_000);
  const again = new Reader([at(bob, cluster.urls[0])], 1);
  atEnd(t, () => again.stop());
  await until(() => isHere(2));
  await again.stop();
  await cluster.startAgain(1);
  assert.equal((await bob.get('/groups/1')).status, 200, 'signed in still');
  await until(() => isHere(2));
  await cluster.process(1).stop();
  await until(() => isHere(1));
});

test('while Redis is away each process goes on, and when it is back everybody has everything', async (t) => {
  const cluster = await startCluster(t, { size: 2 });
  const [first = '', second = ''] = cluster.urls;
  const ada = await newPerson(first, 'ada', 1);
  const bob = await newPerson(second, 'bob', 1);
  const kim = await newPerson(first, 'kim', 1);
  assert.equal((await at(kim, second).get('/groups/1')).status, 200);
  const readers = [new Reader([ada], 1), new Reader([bob], 1)];
  for (const reader of readers) atEnd(t, () => reader.stop());
  const says = async (visitor: Visitor, content: string) =>
    assert.equal((await visitor.post('/groups/1/messages', { content, id: randomUUID() })).status, 303);
  await says(ada, 'one');
  await until(async () => readers.every(({ contents }) => contents.size === 1));
  await cluster.redis.kill();
  await says(ada, 'two');
  await says(bob, 'three');
  // Two changes of a message, of which only the second is listed.
  for (const emoji of ['👍', '🎉'])
    assert.equal((await ada.post('/groups/1/messages/2/reactions', { emoji, on: 'yes' })).status, 303);
  await until(async () => [...(readers[0]?.contents.values() ?? [])].includes('two'));
  const late = await newPerson(first, 'late', 1);
  assert.equal((await late.get('/groups/1')).status, 200, 'who signs in is served by that process');
  assert.equal((await at(late, second).get('/groups/1')).status, 503, 'and told so by the others');
  await kim.post('/logout');
  await cluster.redis.start();
  for (const { contents } of readers) {
    await until(async () => contents.size === 3);
    assert.deepEqual([...contents].sort(), [
      [1, 'one'],
      [2, 'two'],
      [3, 'three'],
    ]);
  }
  // A page that is told of an older change than it gets next connects again and again.
  for (const url of [first, second])
    await until(async () => {
      const socket = await at(bob, url)
        .socket('/ws/chat/1')
        .catch(() => undefined);
      const hello = await socket?.nextJson('hello').catch(() => undefined);
      socket?.close();
      return hello?.change === 5;
    });
  await until(async () => (await at(late, second).get('/groups/1')).status === 200);
  await until(async () => (await at(kim, second).get('/groups/1')).status !== 200);
  await says(bob, 'four');
  await until(async () => readers.every(({ contents }) => contents.size === 4));
});

test('what is taken away at one process while Redis is away is gone at the others within seconds', async (t) => {
  const cluster = await startCluster(t, { size: 2 });
  const [first = '', second = ''] = cluster.urls;
  const ada = await newPerson(first, 'ada', 1);
  const names = ['suspended', 'removed', 'admin', 'ended', 'left'] as const;
  const people = new Map<string, Visitor>();
  for (const name of names) people.set(name, await newPerson(first, name, 1));
  const there = (name: (typeof names)[number]) => at(people.get(name) ?? assert.fail(), second);
  await ada.post('/admin/people/4/make-admin');
  await ada.post('/groups', { name: 'Camp' });
  await people.get('removed')?.post('/groups/3/join');
  const sockets = [await there('suspended').socket('/ws'), await there('removed').socket('/ws/chat/3')];
  assert.equal((await there('removed').get('/groups/3')).status, 200);
  assert.equal((await there('admin').get('/admin/people')).status, 200);
  for (const name of ['suspended', 'ended', 'left'] as const)
    assert.equal((await there(name).get('/groups/1')).status, 200);

  assert.equal((await at(ada, second).get('/admin/people')).status, 200);

  await cluster.redis.kill();
  await ada.post('/admin/people/2/suspend');
  await ada.post('/groups/3/remove-member', { accountId: '3' });
  await ada.post('/admin/people/4/remove-admin');
  await ada.post('/admin/people/5/end-sessions');
  await people.get('left')?.post('/logout');
  const refusals = async () => [
    (await there('suspended').post('/groups/1/messages', { content: 'still here' })).status,
    (await there('removed').post('/groups/3/messages', { content: 'still here' })).status,
    (await there('admin').post('/admin/people/6/make-guest')).status,
    (await there('ended').get('/groups/1')).location.split('?')[0],
    (await there('left').get('/groups/1')).location.split('?')[0],
  ];
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  assert.deepEqual(await refusals(), [401, 403, 403, '/login', '/login']);
  for (const socket of sockets) await socket.closed;
  assert.equal((await at(ada, second).get('/admin/people')).status, 200, 'the others go on');
});

test('a process that the network cuts off from Redis knows everything once it is connected again', async (t) => {
  const redis = await startRedis(t);
  const gate = await startGate(t, redis.port);
  const cluster = await startCluster(
    t,
    { size: 2, redisUrls: ['', gate.url].map((url) => url || redis.url) },
    redis,
  );
  const ada = await newPerson(cluster.urls[0] ?? '', 'ada', 1);
  const bob = await newPerson(cluster.urls[1] ?? '', 'bob', 1);
  const reader = new Reader([bob], 1);
  const near = new Reader([ada], 1);
  for (const each of [reader, near]) atEnd(t, () => each.stop());
  const says = (visitor: Visitor, content: string) => visitor.post('/groups/1/messages', { content });
  await says(ada, 'one');
  await until(async () => reader.contents.size === 1);
  gate.shut();
  await says(ada, 'two');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(reader.contents.size, 1);
  gate.open();
  await until(async () => reader.contents.size === 2);
  await says(bob, 'three');
  await until(async () => near.contents.size === 3);
});

test('what a process that is killed right after its answer had not told, the others tell', async (t) => {
  const cluster = await startCluster(t, { size: 2 });
  const [first = '', second = ''] = cluster.urls;
  const ada = await newPerson(first, 'ada', 1);
  const bob = await newPerson(second, 'bob');
  const receiver = await startReceiver(t);
  await ada.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' });
  const { location } = await ada.post('/groups', { name: 'Hooked' });
  const groupId = Number(location.split('/')[2]);
  await bob.post(`${location}/join`);
  const hook = { name: 'listener', url: receiver.url, trigger: 'message' };
  assert.equal((await ada.post(`${location}/webhooks/add-outgoing`, hook)).status, 303);
  const said: string[] = [];
  const client = io(second, { transports: ['websocket'], reconnection: false, forceNew: true });
  atEnd(t, () => client.disconnect());
  client.on('chat-message', ({ message }: { message: string }) => said.push(message));
  await client.emitWithAck('identify', (await signInProgram(second, 'bob')).token);
  await client.emitWithAck('join-room', groupId);
  const socket = await ada.socket(`/ws/chat/${groupId}`);
  await socket.nextJson('hello');
  const id = randomUUID();
  socket.send({ type: 'send', id, content: 'last words @bob' });
  await socket.nextJson('ack');
  await cluster.process(0).kill();
  // A page that is open is connected again meanwhile.
  const notified = async (): Promise<void> => {
    const page = await bob.socket('/ws');
    const isOver = await Promise.race([
      page.nextJson('notify').then(() => true),
      page.closed.then(() => false),
    ]);
    if (!isOver) await notified();
  };
  await Promise.all([
    notified(),
    until(
      () => receiver.received.some(({ body }) => body.includes('last words')),
      'the webhook is told',
      30_000,
    ),
    until(() => said.includes('last words @bob'), 'clients of ChatSphere, too', 30_000),
  ]);

  await cluster.startAgain(0);
  const told = receiver.received.length;
  receiver.behave(() => {});
  await ada.post(`${location}/messages`, { content: 'once more' });
  await until(() => receiver.received.length > told);
  receiver.behave((response) => response.end());
  await cluster.process(0).kill();
  await until(() => receiver.received.length > told + 1, 'what was under way is told again', 40_000);
});

test('who signed out while Redis was away stays signed out when the process that knew it is started again', async (t) => {
  const cluster = await startCluster(t, { size: 2 });
  const [first = '', second = ''] = cluster.urls;
  const ada = await newPerson(first, 'ada', 1);
  const kim = await newPerson(first, 'kim', 1);
  const { cookie } = kim;
  for (const visitor of [ada, kim]) assert.equal((await at(visitor, second).get('/groups/1')).status, 200);
  await cluster.redis.kill();
  await kim.post('/logout');
  await cluster.process(0).stop();
  await cluster.redis.start();
  await cluster.startAgain(0);
  for (const url of [second, cluster.urls[0] ?? '']) {
    const stranger = new Visitor(url);
    await until(async () => (await stranger.get('/readyz')).body.includes('"redis":"ok"'));
    assert.equal((await stranger.get('/groups/1', { cookie })).location, '/login?next=%2Fgroups%2F1');
    assert.equal((await at(ada, url).get('/groups/1')).status, 200);
  }
});

test('a Redis that takes everything and answers nothing counts as away', async (t) => {
  const cluster = await startCluster(t, { size: 2 });
  const [first = '', second = ''] = cluster.urls;
  const ada = await newPerson(first, 'ada', 1);
  const ofRedis = async () => JSON.parse((await new Visitor(first).get('/readyz')).body).redis;
  cluster.redis.pause();
  const [own, unseen] = await Promise.all([
    ada.post('/groups/1/messages', { content: 'meanwhile' }),
    at(ada, second).get('/groups/1'),
  ]);
  assert.deepEqual([own.status, unseen.status], [303, 503], 'each is answered');
  await until(async () => (await ofRedis()) === 'unavailable');
  cluster.redis.resume();
  await until(async () => (await ofRedis()) === 'ok');
  assert.match((await at(ada, second).get('/groups/1')).body, /meanwhile/);
});

test('rates are counted together, and who types is seen at every process all the same', async (t) => {
  const cluster = await startCluster(t, { size: 2, env: { RATE_LIMITS: 'on' } });
  const visitors = cluster.urls.map((url) => new Visitor(url));
  let refused = 0;
  for (let round = 0; round < 40; round++) {
    const { status } =
      (await visitors[round % 2]?.post('/login', { username: 'nobody', password: PASSWORD })) ?? {};
    if (status === 429) refused += 1;
  }
  const ada = await newPerson(cluster.urls[0] ?? '', 'ada', 1);
  const bob = await newPerson(cluster.urls[1] ?? '', 'bob', 1);
  const [near, far] = [await ada.socket('/ws/chat/1'), await bob.socket('/ws/chat/1')];
  for (const socket of [near, far]) await socket.nextJson('hello');
  // Who has just connected is told of what was missed before of what is new.
  await new Promise((resolve) => setTimeout(resolve, 500));
  near.send({ type: 'typing' });
  await far.nextJson('typing');
  assert.ok(refused >= 20, `${refused} of 40 sign-ins were refused`);
});
