import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { after } from 'node:test';
import { documentOf, Program, signInProgram } from '../support/api.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

const hearth = await startHearth({ after });
const { url } = hearth;
const ada = await newPerson(url, 'ada', 1);
await newPerson(url, 'joe', 1);
const admin = await signInProgram(url, 'ada');
const member = await signInProgram(url, 'joe');
const bare = new Visitor(url, { authorization: `Bearer ${admin.token}` });

/** Everything that a token with one scope may do. */
async function tokenFor(scope: string): Promise<Program> {
  const { body } = await ada.post('/account/tokens', {
    ...{ label: 'test', scopes: scope, validFor: 'week', password: PASSWORD },
  });
  const [token = ''] = /hearth_[\w-]{43}/.exec(body) ?? [];
  assert.notEqual(token, '', body);
  return new Program(url, token, await documentOf(url));
}

test('pages of a search and of a thread go on by their cursor to the first message', async () => {
  for (let number = 1; number <= 45; number++)
    await admin.post('/groups/1/messages', { content: `needle ${number}` });
  await until(async () => (await admin.get('/search?q=needle')).json.total === 45);
  const found: string[] = [];
  for (let below = ''; ; ) {
    const { status, json } = await admin.get(`/search?q=needle${below}`);
    assert.equal(status, 200, JSON.stringify(json));
    found.push(...json.items.map(({ content }: { content: string }) => content));
    if (json.next === null) break;
    below = `&below=${json.next}`;
  }
  assert.deepEqual(
    found,
    Array.from({ length: 45 }, (_, index) => `needle ${45 - index}`),
  );

  for (let number = 1; number <= 230; number++)
    await admin.post('/groups/1/messages', { content: `reply ${number}`, thread: 1, replyTo: 1 });
  const { json: newest } = await admin.get('/groups/1/threads/1');
  const { json: earlier } = await admin.get(`/groups/1/threads/1?before=${newest.before}`);
  const replies = [...earlier.replies, ...newest.replies].map(({ content }: { content: string }) => content);
  assert.deepEqual(
    replies,
    Array.from({ length: 230 }, (_, index) => `reply ${index + 1}`),
  );
  assert.equal(earlier.before, null);
});

test('days of a search are counted in a zone that is known, and no other', async () => {
  const asked = (zone: string) => admin.get(`/search?q=after:2026-01-01&zone=${encodeURIComponent(zone)}`);
  assert.equal((await asked('Europe/Berlin')).status, 200);
  for (const zone of ['Nowhere/Town', '../etc', '', 'x'.repeat(5_000)]) {
    const { status, json } = await asked(zone);
    assert.deepEqual([status, json.field], [400, 'zone'], zone);
    assert.equal(json.detail, 'This time zone is not known here. Send one such as Europe/Berlin.');
  }
});

test('an empty body is none, and what is no JSON is refused with what to send', async () => {
  const form = 'application/x-www-form-urlencoded';
  for (const headers of [{ 'content-type': form }, {}])
    assert.equal((await bare.request('POST', '/api/v1/groups/1/typing', '', headers)).status, 200);
  const asForm = await bare.post('/api/v1/groups/1/messages', { content: 'a form' });
  assert.equal(asForm.status, 415);
  const multipart = await bare.upload('/api/v1/groups/1/messages', [], { content: 'a multipart form' });
  assert.equal(multipart.status, 415);
  const broken = await bare.request('POST', '/api/v1/groups/1/messages', '{"content":', {
    'content-type': 'application/json',
  });
  assert.deepEqual(
    [broken.status, JSON.parse(broken.body).detail],
    [400, 'This body is not a JSON object in UTF-8.'],
  );
  const bytes = Buffer.from('x');
  const wrongField = await bare.upload('/api/v1/groups/1/files', [
    { field: 'file', name: 'a', type: '', bytes },
  ]);
  assert.equal(JSON.parse(wrongField.body).detail, 'Send files as the field "files".');
});

test('an address says which methods it takes', async () => {
  for (const [method, path, allowed] of [
    ['POST', '/me', 'GET, HEAD'],
    ['GET', '/groups/1/rename', 'POST'],
    ['DELETE', '/groups/1/messages', 'GET, HEAD, POST'],
    ['PUT', '/groups/1/files', 'GET, HEAD, POST'],
    ['PUT', '/groups/1/recordings', 'POST'],
    ['GET', '/token', 'POST, DELETE'],
    ['POST', '/account/export/archive', 'GET, HEAD'],
  ] as const) {
    const { status, headers } = await admin.request(method, path);
    assert.deepEqual([status, headers.allow], [405, allowed], `${method} ${path}`);
  }
  assert.equal((await admin.get('/nothing-here')).status, 404);
});

test('what has not changed is not sent, however the client says what it has', async () => {
  const file = await bare.upload('/api/v1/groups/1/files', [
    { name: 'a.txt', type: 'text/plain', bytes: Buffer.from('0123456789') },
  ]);
  const [{ id }] = JSON.parse(file.body).items;
  const led = await bare.get(`/media/${id}`);
  assert.deepEqual(
    [led.status, led.location],
    [307, `/api/v1/files/${id}`],
    'the address that messages name',
  );
  for (const path of ['/api/v1/me', `/api/v1/files/${id}`]) {
    const etag = String((await bare.get(path)).headers.etag);
    for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*'])
      assert.equal((await bare.get(path, { 'if-none-match': header })).status, 304, `${path} ${header}`);
    assert.equal((await bare.get(path, { 'if-none-match': '"other"' })).status, 200);
    // As fetch of Node.js asks.
    const fetched = { 'if-none-match': etag, 'cache-control': 'no-cache', pragma: 'no-cache' };
    assert.equal((await bare.get(path, fetched)).status, 304, path);
  }
  for (const [range, status, body] of [
    ['bytes=2-4', 206, '234'],
    ['bytes=-3', 206, '789'],
    ['bytes=-99999', 200, '0123456789'],
    ['items=0-1', 200, '0123456789'],
    ['items=50-51', 200, '0123456789'],
    ['bytes=10-', 416, ''],
  ] as const) {
    const answer = await bare.get(`/api/v1/files/${id}`, { range });
    assert.deepEqual([answer.status, answer.body], [status, body], range);
  }
});

test('a file that was sent is not discarded, and whoever asks is told', async () => {
  const upload = async () => {
    const { body } = await bare.upload('/api/v1/groups/1/files', [
      { name: 'a.txt', type: 'text/plain', bytes: Buffer.from('x') },
    ]);
    return JSON.parse(body).items[0].id as string;
  };
  const [sent, unsent] = [await upload(), await upload()];
  await admin.post('/groups/1/messages', { content: 'a file', files: [sent] });
  assert.deepEqual(
    [
      (await member.post(`/media/${unsent}/discard`)).status,
      (await member.post(`/media/${sent}/discard`)).status,
    ],
    [404, 409],
  );
  assert.equal((await admin.post(`/media/${sent}/discard`)).json.code, 'sent');
  assert.equal((await bare.get(`/api/v1/files/${sent}`)).status, 200);
  assert.equal((await admin.post(`/media/${unsent}/discard`)).status, 200);
  assert.equal((await bare.get(`/api/v1/files/${unsent}`)).status, 404);
});

test('who makes an invitation gets its code, which lets somebody in', async () => {
  const writer = await tokenFor('write');
  const { json } = await writer.post('/invitations', { groups: [1], uses: 1 });
  const guest = new Visitor(url);
  assert.match((await guest.get(`/join/${json.code}`)).body, /invite/i);
  const { json: listed } = await admin.get('/invitations');
  assert.deepEqual(
    listed.items.map(({ id, code }: { id: number; code: string }) => [id, code]),
    [[json.invitationId, json.code]],
  );
});

test('a language is taken with its region, as browsers name it', async () => {
  for (const spokenLanguage of ['de', 'de-DE', 'EN-us', 'zh-Hant-TW', 'none', ''])
    assert.equal((await member.post('/account/language', { spokenLanguage })).status, 200, spokenLanguage);
  for (const spokenLanguage of ['xx-XX', 'german', 'de-', 7])
    assert.equal((await member.post('/account/language', { spokenLanguage })).status, 400);
});

test('drafts and the archive are read by their own account only', async () => {
  await member.post('/groups/1/draft', { content: 'begun' });
  assert.deepEqual((await member.get('/drafts')).json.items, [{ groupId: 1, thread: null, text: 'begun' }]);
  assert.deepEqual((await admin.get('/drafts')).json.items, []);
  assert.equal((await member.get('/account/export')).status, 404);
  const own = new Visitor(url, { authorization: `Bearer ${member.token}` });
  assert.equal((await own.get('/api/v1/account/export/archive')).status, 404);
  await member.post('/account/export');
  await until(async () => (await member.get('/account/export')).json.state === 'ready');
  const archive = await own.get('/api/v1/account/export/archive');
  assert.deepEqual([archive.status, archive.bytes.subarray(0, 2).toString()], [200, 'PK']);
  assert.equal((await bare.get('/api/v1/account/export/archive')).status, 404);
  const reader = new Visitor(url, { authorization: `Bearer ${(await tokenFor('read')).token}` });
  assert.equal((await reader.get('/api/v1/account/export/archive')).status, 403);
  const owner = new Visitor(url, { authorization: `Bearer ${(await tokenFor('account')).token}` });
  assert.equal((await owner.get('/api/v1/account/export/archive')).status, 403, 'it has what is read');
});

test('a group’s commands are read by its members, its archive by its owners', async () => {
  const { json: made } = await member.post('/groups', { name: 'Garden', access: 'closed' });
  const { groupId } = made;
  const details = { name: 'Weather', trigger: 'command', command: 'weather', hint: '[town]' };
  const webhook = { ...details, url: 'https://bot.example/' };
  assert.equal((await member.post(`/groups/${groupId}/webhooks/add-outgoing`, webhook)).status, 200);
  const { json } = await member.get(`/groups/${groupId}/commands`);
  assert.deepEqual(json, { items: [{ command: 'weather', hint: '[town]' }], next: null });
  const archive = (token: string) =>
    new Visitor(url, { authorization: `Bearer ${token}` }).get(`/api/v1/groups/${groupId}/archive`);
  const { status, bytes, headers } = await archive(member.token);
  assert.deepEqual([status, bytes.subarray(0, 2).toString()], [200, 'PK']);
  assert.match(String(headers['content-disposition']), /Garden\.zip/);
  assert.equal((await archive((await tokenFor('account')).token)).status, 403, 'it takes the scope read');
  assert.equal((await member.get('/groups/1/archive')).status, 403, 'General is not theirs');
});

test('a socket command with an id that cannot come back is refused, and nothing is written', async () => {
  const socket = await ada.socket('/ws/chat/1');
  await socket.nextJson('hello');
  for (const id of [7, null, true, {}, '', 'x'.repeat(65)]) {
    socket.send({ type: 'send', id, content: 'not written' });
    const { detail, ...error } = await socket.nextJson('error');
    assert.deepEqual([detail, 'id' in error], ['"id" takes a text of 1 to 64 characters.', false]);
  }
  const id = randomUUID();
  socket.send({ type: 'send', id, content: 'written' });
  await socket.nextJson('ack', (frame) => frame.id === id);
  socket.send({ type: 'send', id: 'mine', content: '' });
  assert.equal((await socket.nextJson('error')).id, 'mine');
  const { json } = await admin.get('/groups/1/messages');
  assert.ok(!json.items.some(({ content }: { content: string }) => content === 'not written'));
  socket.close();
});
