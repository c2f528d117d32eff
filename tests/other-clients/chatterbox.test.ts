import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import WebSocket from 'ws';
import { guestOf, newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

// A client of Chatterbox, as it talks to its own server: JSON over HTTP, then one socket.

const shared = await startHearth({ after });

function ask(url: string, path: string, body: object) {
  return new Visitor(url).request('POST', path, JSON.stringify(body), { 'content-type': 'application/json' });
}

async function signIn(url: string, username: string): Promise<string> {
  const { status, body } = await ask(url, '/login', { username, password: PASSWORD });
  assert.equal(status, 200, body);
  return JSON.parse(body).token;
}

type Frame = {
  type: string;
  messages?: object[];
  username?: string;
  content?: string;
  timestamp?: string;
  detail?: string;
};

async function connect(url: string, token: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?token=${token}`, { headers });
  const frames: Frame[] = [];
  let wake = () => {};
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)));
    wake();
  });
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    closed,
    close: () => socket.close(),
    say: (text: string) => socket.send(text),
    async next(): Promise<Frame> {
      for (;;) {
        const frame = frames.shift();
        if (frame) return frame;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

test('it asks whether the server runs, registers, signs in, and is told what went wrong', async () => {
  const { url } = shared;
  const root = await new Visitor(url).get('/', { accept: 'application/json' });
  assert.deepEqual(JSON.parse(root.body), { status: 'Server is running' });
  assert.equal(
    (await new Visitor(url).get('/', { accept: 'text/html,application/json' })).location,
    '/login',
  );
  const ada = { username: 'ada', password: PASSWORD };
  const made = await ask(url, '/register', ada);
  assert.deepEqual([made.status, JSON.parse(made.body)], [200, { message: 'User registered successfully' }]);
  const again = await ask(url, '/register', ada);
  assert.deepEqual([again.status, JSON.parse(again.body)], [400, { detail: 'User already exists' }]);
  const wrong = await ask(url, '/login', { ...ada, password: 'wrong' });
  assert.deepEqual([wrong.status, JSON.parse(wrong.body)], [401, { detail: 'Invalid credentials' }]);
  assert.match(await signIn(url, 'ada'), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const short = await ask(url, '/register', { username: 'x', password: PASSWORD });
  assert.deepEqual([short.status, Object.keys(JSON.parse(short.body))], [400, ['detail']]);
  assert.equal((await new Visitor(url).post('/login', ada)).status, 303, 'the form is still there');
});

test('it reads the last 50 messages of General, then each new one, and sends', async () => {
  const { url } = shared;
  const joe = await newPerson(url, 'joe', 1);
  for (let number = 1; number <= 55; number++)
    await joe.post('/groups/1/messages', { content: `m${number}` });
  await newPerson(url, 'mary');
  const mary = await connect(url, await signIn(url, 'mary'));
  const { type, messages = [] } = await mary.next();
  assert.deepEqual([type, messages.length], ['history', 50]);
  assert.deepEqual(Object.keys(messages[0] ?? {}), ['username', 'content', 'timestamp']);
  mary.say(JSON.stringify({ content: 'hello from Chatterbox' }));
  const own = await mary.next();
  assert.deepEqual([own.type, own.username, own.content], ['message', 'mary', 'hello from Chatterbox']);
  assert.ok(Date.parse(own.timestamp ?? '') > 0);
  assert.match((await joe.get('/groups/1')).body, /hello from Chatterbox/);
  await joe.post('/groups/1/messages', { content: 'and from a page' });
  assert.equal((await mary.next()).content, 'and from a page');
  for (const nonsense of ['hello', '{"text":"x"}', '{"content":3}', '[]', '{"content":"  "}']) {
    mary.say(nonsense);
    assert.deepEqual(await mary.next(), { type: 'error', detail: 'Invalid message format' }, nonsense);
  }
  mary.say(JSON.stringify({ content: 'x'.repeat(8_001) }));
  assert.match((await mary.next()).detail ?? '', /at most 8,000/);
});

test('a token opens General at its one address, and neither shows nor posts anything elsewhere', async (t) => {
  const { url } = await startHearth(t);
  const owner = await newPerson(url, 'owner', 1);
  await owner.post('/groups', { name: 'Secret', closed: 'yes' });
  await newPerson(url, 'eve');
  const token = await signIn(url, 'eve');
  for (const [path, headers] of [
    [`/ws/chat/3?token=${token}`, {}],
    ['/ws/chat/3', { authorization: `Bearer ${token}` }],
    ['/ws', { authorization: `Bearer ${token}` }],
  ] as const) {
    const socket = new WebSocket(url.replace('http', 'ws') + path, { headers });
    assert.equal(await new Promise((resolve) => socket.once('close', resolve)), 4400, path);
  }
  const here = async (group: number) =>
    JSON.parse((await owner.get(`/api/groups/${group}/active_users`)).body);
  assert.deepEqual(await here(3), []);
  const eve = await connect(url, token);
  assert.equal((await eve.next()).type, 'history');
  assert.deepEqual(
    (await here(1)).map(({ username }: { username: string }) => username),
    ['eve'],
  );
});

test('a page of an origin that is named signs in, and no other', async (t) => {
  const origin = 'https://app.example';
  const { url } = await startHearth(t, { env: { CORS_ALLOW_ORIGINS: origin } });
  const wanted = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  };
  const allowed = async (from: string) => {
    const { headers } = await new Visitor(url).request('OPTIONS', '/login', undefined, {
      origin: from,
      ...wanted,
    });
    return headers['access-control-allow-origin'];
  };
  assert.deepEqual([await allowed(origin), await allowed('https://evil.example')], [origin, undefined]);
});

test('a wrong token is refused, and a right one reads General only as long as its owner may', async (t) => {
  const hearth = await startHearth(t);
  const { url } = hearth;
  const owner = await newPerson(url, 'owner', 1);
  await assert.rejects(connect(url, 'nonsense'), /403/);
  await newPerson(url, 'joe');
  const joe = await connect(url, await signIn(url, 'joe'), { origin: 'https://elsewhere.example' });
  assert.equal((await joe.next()).type, 'history');
  const page = new Visitor(url);
  await page.post('/login', { username: 'joe', password: PASSWORD });
  await page.post('/groups/1/leave');
  await owner.post('/groups/1/messages', { content: 'not for those who left' });
  assert.equal(await joe.closed, 4403);
  await owner.post('/groups', { name: 'Elsewhere' });
  await guestOf(url, owner, 'visitor', 3);
  const visitor = await connect(url, await signIn(url, 'visitor'));
  assert.equal(await visitor.closed, 4403, 'a guest is in the groups of the invitation only');
  const back = await connect(url, await signIn(url, 'joe'));
  assert.equal((await back.next()).type, 'history');
  await page.post('/account/password', { current: PASSWORD, password: 'another battery staple' });
  assert.equal(await back.closed, 4401);
});

test('what a client says before its history has come is written, too', async () => {
  const { url } = shared;
  await newPerson(url, 'hasty');
  const client = await connect(url, await signIn(url, 'hasty'));
  client.say(JSON.stringify({ content: 'first words' }));
  assert.equal((await client.next()).type, 'history');
  const said = await client.next();
  assert.deepEqual([said.type, said.content], ['message', 'first words']);
  client.close();
});
