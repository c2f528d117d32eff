import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after } from 'node:test';
import { type Frame, newPerson, PASSWORD, type Socket, Visitor } from '../support/client.ts';
import { startCluster } from '../support/cluster.ts';
import { at } from '../support/reader.ts';
import { until } from '../support/until.ts';

/** Three processes for the tests of this file that harm none of them. */
const shared = startCluster({ after });

const isMessage = (content: string) => (frame: Frame) => frame.content === content;

async function group(visitor: Visitor, name: string): Promise<string> {
  const { location } = await visitor.post('/groups', { name });
  return location;
}

async function send(socket: Socket, frame: object): Promise<Frame> {
  const id = randomUUID();
  socket.send({ ...frame, id });
  return JSON.parse(await socket.next((text) => JSON.parse(text).id === id && /"(ack|error)"/.test(text)));
}

test('people at different processes talk: messages, edits, reactions, removals, typing, unread counts', async () => {
  const { urls } = await shared;
  const ada = await newPerson(urls[0] ?? '', 'ada', 1);
  const bob = await newPerson(urls[1] ?? '', 'bob', 1);
  const here = await ada.socket('/ws/chat/1');
  const there = await bob.socket('/ws/chat/1');
  const overview = await at(bob, urls[2]).socket('/ws');
  await Promise.all([here, there].map((socket) => socket.nextJson('hello')));
  await overview.nextJson('unread');
  const { seq } = await send(here, { type: 'send', content: 'hello' });
  const first = await there.nextJson('message', isMessage('hello'));
  assert.deepEqual([first.seq, (first.author as { name: string }).name], [seq, 'ada']);
  await overview.nextJson('unread', (frame) => frame.groupId === 1 && Number(frame.unread) >= 1);
  await send(here, { type: 'edit', seq, content: 'hello all' });
  await there.nextJson('message', isMessage('hello all'));
  await send(there, { type: 'react', seq, emoji: '👍', on: true });
  await here.nextJson('message', (frame) => JSON.stringify(frame).includes('👍'));
  there.send({ type: 'typing' });
  await here.nextJson('typing', (frame) => (frame.user as { username: string }).username === 'bob');
  const answer = await send(there, { type: 'send', content: 'and back' });
  assert.equal(answer.seq, Number(seq) + 1);
  await here.nextJson('message', isMessage('and back'));
  await send(here, { type: 'remove', seq });
  await there.nextJson('message', (frame) => frame.seq === seq && frame.removedAt !== null);
  assert.match((await at(ada, urls[2]).get('/groups/1')).body, /and back/);
  for (const socket of [here, there, overview]) socket.close();
});

test('who is here is seen at every process, with addresses, and goes with the last page', async () => {
  const { urls } = await shared;
  const kim = await newPerson(urls[0] ?? '', 'kim', 2);
  const lea = await newPerson(urls[1] ?? '', 'lea', 2);
  const near = await kim.socket('/ws/chat/2');
  const far = await lea.socket('/ws/chat/2');
  const names = (frame: Frame) =>
    (frame.users as { username: string; ip?: string }[]).map((user) => user.username);
  await near.nextJson('presence', (frame) => names(frame).join() === 'kim,lea');
  const seen = await far.nextJson('presence', (frame) => names(frame).join() === 'kim,lea');
  assert.ok((seen.users as { ip?: string }[]).every(({ ip }) => ip === '127.0.0.1'));
  assert.match((await at(lea, urls[2]).get('/groups/2')).body, /kim/);
  far.close();
  await near.nextJson('presence', (frame) => names(frame).join() === 'kim');
  near.close();
});

test('a session is one at all processes, behind the balancer too, and ends at all of them at once', async () => {
  const { url, urls } = await shared;
  const mia = await newPerson(url, 'mia');
  const path = await group(mia, 'Balcony');
  for (let round = 0; round < 6; round++) assert.equal((await mia.get(path)).status, 200);
  const sockets = await Promise.all(urls.map((each) => at(mia, each).socket('/ws')));
  await Promise.all(sockets.map((socket) => socket.nextJson('presence')));
  await at(mia, urls[1]).post('/logout');
  for (const socket of sockets) assert.equal((await socket.closed).code, 4401);
  for (const each of urls) assert.equal((await at(mia, each).get(path)).status, 303);
});

test('what an administrator or owner takes away is gone at every process at once', async () => {
  const { urls } = await shared;
  const [first, second] = [urls[0] ?? '', urls[1] ?? ''];
  const admin = new Visitor(first);
  await admin.post('/login', { username: 'ada', password: PASSWORD });
  const noa = await newPerson(second, 'noa');
  const path = await group(admin, 'Cellar');
  await noa.post(`${path}/join`);
  const socket = await noa.socket(path.replace('/groups/', '/ws/chat/'));
  await socket.nextJson('hello');
  const [, id = ''] = /data-account-id="(\d+)"/.exec((await noa.get('/groups')).body) ?? [];
  assert.equal((await admin.post(`${path}/remove-member`, { accountId: id })).status, 303);
  assert.equal((await socket.closed).code, 4403);
  const overview = await noa.socket('/ws');
  await overview.nextJson('presence');
  assert.equal((await admin.post(`/admin/people/${id}/suspend`)).status, 303);
  assert.equal((await overview.closed).code, 4401);
  assert.equal((await noa.get('/groups')).status, 303);
});

test('administrators see on which engines it is, and how many other processes there are', async () => {
  const { urls } = await shared;
  const admin = new Visitor(urls[2] ?? '');
  await admin.post('/login', { username: 'ada', password: PASSWORD });
  const { body } = await admin.get('/admin');
  assert.match(body, /<dd>PostgreSQL, can be written<\/dd>/);
  assert.match(body, /<dt>Other processes<\/dt><dd>2, by way of Redis<\/dd>/);
});

test('a file is uploaded at one process and read at another', async () => {
  const { urls } = await shared;
  const ora = await newPerson(urls[0] ?? '', 'ora', 1);
  const bytes = Buffer.from('a small file');
  const uploaded = await ora.upload(
    '/groups/1/messages',
    [{ name: 'small.txt', type: 'text/plain', bytes }],
    { content: 'file' },
  );
  assert.equal(uploaded.status, 303);
  // Another process hears of it within milliseconds, not at once.
  const path = await until(async () => {
    const page = (await at(ora, urls[2]).get('/groups/1')).body;
    return /href="(\/media\/[\w-]+)"/.exec(page)?.[1];
  }, 'the file is on the page');
  assert.equal((await at(ora, urls[1]).get(path)).body, 'a small file');
});
