import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { io, type Socket } from 'socket.io-client';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

// A client of ChatSphere, as it talks to its own server: JSON over HTTP with a bearer token, then Socket.IO.

const shared = await startHearth({ after });
const root = await newPerson(shared.url, 'root');

function call(method: 'GET' | 'POST', path: string, token?: string, body?: object) {
  return new Visitor(shared.url).request(method, path, body && JSON.stringify(body), {
    ...(body && { 'content-type': 'application/json' }),
    ...(token && { authorization: `Bearer ${token}` }),
  });
}

async function signUp(username: string): Promise<string> {
  const registered = await call('POST', '/api/registry', undefined, { username, password: PASSWORD });
  assert.equal(registered.status, 201, registered.body);
  const { body } = await call('POST', '/api/login', undefined, { username, password: PASSWORD });
  return JSON.parse(body).token;
}

/** Resolves to the reason. */
function disconnected(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('disconnect', resolve);
  });
}

type ChatMessage = { chatId: number; message: string; user: { username: string } };

function connect(t: { after(end: () => void): void }, transports = ['websocket']) {
  const socket: Socket = io(shared.url, { transports, reconnection: false, forceNew: true });
  t.after(() => socket.disconnect());
  const messages: ChatMessage[] = [];
  let wake = () => {};
  socket.on('chat-message', (message: ChatMessage) => {
    messages.push(message);
    wake();
  });
  const ask = (event: string, given?: unknown): Promise<Record<string, unknown>> =>
    socket.timeout(5_000).emitWithAck(event, given);
  return {
    socket,
    ask,
    messages,
    async next(): Promise<ChatMessage> {
      for (;;) {
        const message = messages.shift();
        if (message) return message;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

test('it registers, signs in, makes a chat, invites, and reads what was written', async () => {
  const token = await signUp('sphere');
  const again = await call('POST', '/api/registry', undefined, { username: 'sphere', password: PASSWORD });
  assert.deepEqual([again.status, JSON.parse(again.body)], [409, { detail: 'User already exists' }]);
  const wrong = await call('POST', '/api/login', undefined, { username: 'sphere', password: 'no' });
  assert.deepEqual([wrong.status, JSON.parse(wrong.body)], [401, { detail: 'Invalid credentials' }]);
  const chat = JSON.parse((await call('POST', '/api/chat/', token, { name: 'Planets' })).body);
  assert.equal(chat.name, 'Planets');
  const invitation = JSON.parse((await call('POST', '/api/invitations', token, { chatId: chat.id })).body);
  const guest = await newPerson(shared.url, 'moon');
  assert.equal((await guest.post(invitation.link)).location, `/groups/${chat.id}`);
  await guest.post(`/groups/${chat.id}/messages`, { content: 'I orbit' });
  const [message] = JSON.parse((await call('GET', `/api/messages?chatId=${chat.id}`, token)).body);
  assert.deepEqual([message.message, message.user.username, message.seq], ['I orbit', 'moon', 1]);
  const other = await signUp('comet');
  assert.equal((await call('GET', `/api/messages?chatId=${chat.id}`, other)).status, 403);
  assert.equal((await call('POST', '/api/invitations', other, { chatId: chat.id })).status, 400);
  for (const path of ['/api/chat/', '/api/invitations'])
    assert.equal((await call('POST', path, 'wrong', { name: 'x', chatId: 1 })).status, 401);
});

test('sockets talk once they have said who they are, by the token and nothing else', async (t) => {
  const [ada, joe] = [await signUp('sphere-ada'), await signUp('sphere-joe')];
  const { id: chatId } = JSON.parse((await call('POST', '/api/chat/', ada, { name: 'Sockets' })).body);
  const { link } = JSON.parse((await call('POST', '/api/invitations', ada, { chatId })).body);
  const joePage = new Visitor(shared.url);
  await joePage.post('/login', { username: 'sphere-joe', password: PASSWORD });
  await joePage.post(link);
  for (const transports of [['websocket'], ['polling', 'websocket']]) {
    const first = connect(t, transports);
    const second = connect(t, transports);
    assert.match(String((await first.ask('join-room', { chatId })).error), /Sign in first/);
    assert.match(String((await first.ask('identify', 'wrong')).error), /Sign in first/);
    assert.deepEqual(await first.ask('identify', { token: ada, username: 'root' }), {
      user: { id: 5, username: 'sphere-ada' },
    });
    await second.ask('identify', joe);
    assert.equal((await first.ask('join-room', { chatId })).name, 'Sockets');
    await second.ask('join-room', chatId);
    const id = crypto.randomUUID();
    for (let tries = 0; tries < 2; tries++)
      await first.ask('chat-message', { chatId, message: 'hello', id, user: 'root', username: 'root' });
    const heard = await second.next();
    assert.deepEqual([heard.message, heard.user.username], ['hello', 'sphere-ada']);
    await joePage.post(`/groups/${chatId}/messages`, { content: `from a page by ${transports[0]}` });
    assert.equal(
      (await second.next()).message,
      `from a page by ${transports[0]}`,
      'the second try was no message',
    );
    assert.match(
      String((await first.ask('chat-message', { chatId, message: ' ' })).error),
      /Write something first/,
    );
    assert.match(
      String((await first.ask('chat-message', { chatId: 1, message: 'x' })).error),
      /Join General/,
    );
    first.socket.disconnect();
    second.socket.disconnect();
  }
});

test('a token that was revoked, and a member who was removed, hear nothing more', async (t) => {
  const [owner, member] = [await signUp('sun'), await signUp('mars')];
  const { id: chatId } = JSON.parse((await call('POST', '/api/chat/', owner, { name: 'Revoked' })).body);
  const { link } = JSON.parse((await call('POST', '/api/invitations', owner, { chatId })).body);
  const mars = new Visitor(shared.url);
  await mars.post('/login', { username: 'mars', password: PASSWORD });
  await mars.post(link);
  const sun = new Visitor(shared.url);
  await sun.post('/login', { username: 'sun', password: PASSWORD });
  const client = connect(t);
  await client.ask('identify', member);
  await client.ask('join-room', { chatId });
  await sun.post(`/groups/${chatId}/messages`, { content: 'heard' });
  assert.equal((await client.next()).message, 'heard');
  const id = /mars[\s\S]*?name="accountId" value="(\d+)"/.exec(
    (await sun.get(`/groups/${chatId}/members`)).body,
  )?.[1];
  await sun.post(`/groups/${chatId}/remove-member`, { accountId: id ?? '' });
  await sun.post(`/groups/${chatId}/messages`, { content: 'not for mars' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(client.messages, []);
  assert.match(String((await client.ask('chat-message', { chatId, message: 'x' })).error), /closed/);

  const listener = connect(t);
  await listener.ask('identify', owner);
  await listener.ask('join-room', { chatId });
  const closed = disconnected(listener.socket);
  await call(
    'POST',
    '/api/v1/account/sessions/end-others',
    JSON.parse((await call('POST', '/api/login', undefined, { username: 'sun', password: PASSWORD })).body)
      .token,
    {},
  );
  await sun.post('/login', { username: 'sun', password: PASSWORD });
  await sun.post(`/groups/${chatId}/messages`, { content: 'not for a revoked token' });
  assert.equal(await closed, 'io server disconnect');
  assert.deepEqual(listener.messages, []);
});

test('an account has a hundred sockets at most, and all of them close when it is suspended', async (t) => {
  const token = await signUp('venus');
  const clients = await Promise.all(
    Array.from({ length: 101 }, async () => {
      const client = connect(t);
      return { ...client, answer: await client.ask('identify', token) };
    }),
  );
  assert.equal(clients.filter(({ answer }) => 'user' in answer).length, 100);
  const refused = clients.find(({ answer }) => 'error' in answer);
  assert.match(String(refused?.answer.error), /at most 100 sockets/);
  const [first] = clients.filter((client) => client !== refused);
  assert.ok(first);
  const { user } = first.answer as { user: { id: number } };
  const closed = disconnected(first.socket);
  await root.post(`/admin/people/${user.id}/suspend`, {});
  assert.equal(await closed, 'io server disconnect');
});

test('a client that polls no more is cut off once a million characters wait for it', async () => {
  const writer = await newPerson(shared.url, 'writer');
  const { location } = await writer.post('/groups', { name: 'Novels' });
  await (await newPerson(shared.url, 'sleeper')).post(`${location}/join`);
  const login = await call('POST', '/api/login', undefined, { username: 'sleeper', password: PASSWORD });
  const { token } = JSON.parse(login.body);
  const visitor = new Visitor(shared.url);
  const { body } = await visitor.get('/socket.io/?EIO=4&transport=polling');
  const path = `/socket.io/?EIO=4&transport=polling&sid=${JSON.parse(body.slice(1)).sid}`;
  const post = (packet: string) =>
    visitor.request('POST', path, packet, { 'content-type': 'text/plain;charset=UTF-8' });
  for (const packet of [
    '40',
    `420["identify","${token}"]`,
    `421["join-room",${location.split('/').at(-1)}]`,
  ]) {
    assert.equal((await post(packet)).status, 200);
    await visitor.get(path);
  }
  const content = 'ж'.repeat(8_000);
  for (let sent = 0; sent < 120; sent++) await writer.post(`${location}/messages`, { content });
  assert.equal((await post('3')).status, 200, 'it may still come');
  for (let sent = 0; sent < 15; sent++) await writer.post(`${location}/messages`, { content });
  await until(async () => (await post('3')).status === 400);
});

test('a stranger who sends many packets at once is cut off, and each handshake counts', async (t) => {
  const { url } = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const stranger = new Visitor(url);
  const { body } = await stranger.get('/socket.io/?EIO=4&transport=polling');
  const path = `/socket.io/?EIO=4&transport=polling&sid=${JSON.parse(body.slice(1)).sid}`;
  const many = Array(10_000).fill('40/a,').join('\x1e');
  const post = () => stranger.request('POST', path, many, { 'content-type': 'text/plain;charset=UTF-8' });
  await post();
  assert.equal((await post()).status, 400, 'there is no such session any more');
  let refused = 0;
  for (let tries = 0; tries < 130; tries++)
    if ((await stranger.get('/socket.io/?EIO=4&transport=polling&sid=')).status === 429) refused += 1;
  assert.ok(refused > 0);
});
