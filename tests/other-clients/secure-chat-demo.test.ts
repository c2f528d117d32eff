import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import WebSocket from 'ws';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

// The pages of Secure Chat Demo, as their scripts talk to their own server: a session cookie, JSON, and text over sockets.

const { url } = await startHearth({ after });

const ask = async (visitor: Visitor, method: string, path: string) => {
  const { status, body } = await visitor.request(method, path, undefined, { accept: 'application/json' });
  return { status, json: JSON.parse(body) };
};

async function connect(visitor: Visitor, path: string) {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers: { cookie, origin: url } });
  const texts: string[] = [];
  let wake = () => {};
  socket.on('message', (data) => {
    texts.push(String(data));
    wake();
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    closed,
    close: () => socket.close(),
    say: (text: string) => socket.send(text),
    async next(): Promise<string> {
      for (;;) {
        const text = texts.shift();
        if (text !== undefined) return text;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

test('groups are listed, made and joined', async () => {
  const ada = await newPerson(url, 'ada');
  const listening = await connect(ada, '/ws');
  const { json: groups } = await ask(ada, 'GET', '/api/groups');
  assert.deepEqual(groups.slice(0, 2), [
    { id: 1, name: 'General' },
    { id: 2, name: 'Random' },
  ]);
  const made = await ask(ada, 'POST', '/api/groups?name=Garden%20club');
  assert.deepEqual(made, { status: 200, json: { id: 3, name: 'Garden club' } });
  assert.equal(await listening.next(), 'new_group:Garden club');
  assert.deepEqual(await ask(ada, 'POST', '/api/groups?name=Garden%20club'), {
    status: 400,
    json: { detail: 'Group exists' },
  });
  assert.equal((await ask(ada, 'POST', '/api/groups?name=')).status, 400);
  const joe = await newPerson(url, 'joe');
  assert.deepEqual((await ask(joe, 'POST', '/api/groups/join?group_id=3')).json, { ok: true });
  assert.equal((await ask(joe, 'POST', '/api/groups/join?group_id=99')).status, 404);
});

test('text goes in, JSON comes out, with who joined and left; history has the same messages', async () => {
  const mary = await newPerson(url, 'mary', 1);
  const rosa = await newPerson(url, 'rosa', 1);
  const first = await connect(mary, '/ws/chat/1');
  assert.equal(await first.next(), '[system] mary joined');
  const second = await connect(rosa, '/ws/chat/1');
  assert.equal(await first.next(), '[system] rosa joined');
  assert.equal(await second.next(), '[system] rosa joined');
  second.say('  hello  ');
  for (const socket of [first, second]) {
    const { author, content, created_at } = JSON.parse(await socket.next());
    assert.deepEqual([author, content], ['rosa', 'hello']);
    assert.ok(Date.parse(created_at) > 0);
  }
  await mary.post('/groups/1/messages', { content: 'from a page' });
  assert.equal(JSON.parse(await second.next()).content, 'from a page');
  const { json } = await ask(mary, 'GET', '/api/messages?group_id=1');
  assert.deepEqual(
    json.map(({ author, content, group_id }: Record<string, unknown>) => [author, content, group_id]),
    [
      ['rosa', 'hello', 1],
      ['mary', 'from a page', 1],
    ],
  );
  const active = await ask(mary, 'GET', '/api/groups/1/active_users');
  assert.deepEqual(active.json.map(({ username }: { username: string }) => username).toSorted(), [
    'mary',
    'rosa',
  ]);
  const everywhere = (await ask(mary, 'GET', '/api/users/active')).json;
  assert.ok(everywhere.some(({ username }: { username: string }) => username === 'rosa'));
  second.close();
  assert.equal(await first.next().then(() => first.next()), '[system] rosa left');
});

test('membership is checked, unlike in the original', async () => {
  const stranger = new Visitor(url);
  for (const [method, path] of [
    ['GET', '/api/users/active'],
    ['GET', '/api/groups'],
    ['POST', '/api/groups?name=X'],
    ['POST', '/api/groups/join?group_id=1'],
    ['GET', '/api/groups/1/active_users'],
    ['GET', '/api/messages?group_id=1'],
  ] as const)
    assert.deepEqual(
      await ask(stranger, method, path),
      { status: 401, json: { detail: 'Unauthorized' } },
      path,
    );
  assert.equal(await (await connect(stranger, '/ws/chat/1')).closed, 4401);
  assert.equal(await (await connect(stranger, '/ws')).closed, 4401);

  const owner = await newPerson(url, 'owner');
  const outsider = await newPerson(url, 'outsider');
  const listening = await connect(outsider, '/ws');
  await owner.post('/groups', { name: 'Secret', closed: 'yes' });
  await owner.post('/groups', { name: 'Seen' });
  assert.equal(await listening.next(), 'new_group:Seen', 'and not that of the closed one');
  const secret = (await ask(owner, 'GET', '/api/groups')).json.find(
    ({ name }: { name: string }) => name === 'Secret',
  );
  assert.ok(!JSON.stringify((await ask(outsider, 'GET', '/api/groups')).json).includes('Secret'));
  assert.equal((await ask(outsider, 'GET', `/api/messages?group_id=${secret.id}`)).status, 403);
  assert.equal((await ask(outsider, 'POST', `/api/groups/join?group_id=${secret.id}`)).status, 403);
  assert.equal(await (await connect(outsider, `/ws/chat/${secret.id}`)).closed, 4403);
  const { status } = await outsider.request('POST', '/api/groups?name=Planted', undefined, {
    'sec-fetch-site': 'cross-site',
  });
  assert.equal(status, 403, 'another site cannot use the cookie');
});
