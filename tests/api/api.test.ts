import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import WebSocket from 'ws';
import { apiReads } from '../../src/api/install.ts';
import { conversationOperations } from '../../src/messages/conversation-operations.ts';
import { messageOperations } from '../../src/messages/operations.ts';
import { documentOf, Program, signInProgram } from '../support/api.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { ROOT, startHearth, temporaryFolder } from '../support/hearth.ts';
import { ACCOUNT_OPERATIONS, GROUP_OPERATIONS } from '../support/operations.ts';
import { until } from '../support/until.ts';

const hearth = await startHearth({ after });
const { url } = hearth;
const ada = await newPerson(url, 'ada', 1);
await newPerson(url, 'joe', 1);
const admin = await signInProgram(url, 'ada');
const member = await signInProgram(url, 'joe');
await newPerson(url, 'eve');
const outsider = await signInProgram(url, 'eve');
const nobody = new Program(url, '', await documentOf(url));

test('every operation and every read of the tables is in the document, under its address', async () => {
  const { openapi, paths } = await documentOf(url);
  assert.equal(openapi, '3.1.0');
  type Body = { requestBody: { content: Record<string, { schema: { properties: object } }> } };
  const fieldsOf = (path: string) => {
    const described = paths[path]?.post as unknown as Body | undefined;
    return Object.keys(described?.requestBody.content['application/json']?.schema.properties ?? {});
  };
  assert.deepEqual(fieldsOf('/notifications/quiet'), ['off', 'from', 'to', 'zone']);
  assert.deepEqual(fieldsOf('/admin/imports/{importId}/start'), ['zone', 'dates']);
  const described = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map((route) => route.operationId),
  );
  const tables: { name: string }[] = [
    ...Object.values(ACCOUNT_OPERATIONS).flat(),
    ...conversationOperations,
    ...GROUP_OPERATIONS,
    ...messageOperations,
  ];
  const ofTokens = tables.filter((operation) => !('scope' in operation && operation.scope === 'session'));
  const expected = [...ofTokens, ...apiReads].map(({ name }) => name);
  const byHand = [
    'get-archive',
    'get-file',
    'get-group-archive',
    'get-thumbnail',
    'upload-files',
    'upload-recording',
    'get-token',
    'revoke-this-token',
  ];
  assert.deepEqual(described.toSorted(), [...expected, ...byHand].toSorted());
  assert.equal(new Set(described).size, described.length, 'no two have a name');
});

test('every read answers an administrator in its shape, and refuses whoever has no token', async () => {
  const sent = await admin.post('/groups/1/messages', { content: 'first', id: randomUUID() });
  assert.deepEqual([sent.status, sent.json.seq], [200, 1]);
  await admin.post('/groups/1/messages/1/pin', { on: true });
  await admin.post('/groups/1/messages/1/save', { on: true });
  await member.post('/groups/1/messages', { content: 'a reply', replyTo: 1 });
  await admin.post('/groups/1/messages/2/report', { reason: 'a test' });
  await admin.post('/invitations', { groups: [1], validFor: 'week' });
  await member.post('/line');
  await admin.post('/account/export');
  await admin.post('/groups/1/draft', { content: 'begun' });
  await admin.post('/admin/people/2/make-guest');
  await admin.post('/admin/people/2/make-member');
  const samples: Record<string, string> = { groupId: '1', seq: '1', personId: '2', fileId: randomUUID() };
  for (const { name, path } of apiReads) {
    const address = path.replaceAll(/:(\w+)/g, (_match, parameter: string) => samples[parameter] ?? '');
    const { status, json } = await admin.get(name === 'search' ? `${address}?q=first` : address);
    assert.equal(status, name === 'get-transcript' ? 404 : 200, `${name}: ${JSON.stringify(json)}`);
    if (
      /^list-(drafts|groups|members|messages|changes|pins|saved|threads|reports|invitations|log|inbox)$/.test(
        name,
      )
    )
      assert.ok(json.items.length > 0, `${name} has something to show`);
    const refused = await nobody.get(address);
    assert.deepEqual([refused.status, refused.json.code], [401, 'not_signed_in'], name);
    assert.equal(refused.headers['www-authenticate'], 'Bearer realm="Hearth"');
  }
});

test('who is no member reads nothing of a group, and who is no administrator nothing of administration', async () => {
  for (const { name, path } of apiReads) {
    const address = path.replace(':groupId', '1').replace(':seq', '1').replace(':personId', '1');
    if (path.startsWith('/groups/:groupId/')) assert.equal((await outsider.get(address)).status, 403, name);
    if (path.startsWith('/admin') || path === '/inbox')
      assert.equal((await member.get(address)).status, 403, name);
  }
  await admin.post('/groups', { name: 'Closed', closed: true });
  const { json } = await admin.get('/groups');
  const closed = json.items.find(({ name }: { name: string }) => name === 'Closed').id;
  assert.equal((await outsider.get(`/groups/${closed}`)).status, 404);
  assert.equal((await outsider.get(`/groups/${closed}/messages`)).status, 403);
  assert.ok(!(await outsider.get('/groups')).body.includes('Closed'));
});

test('pages of history go on by their cursor, changes by theirs, and neither leaves a message out', async () => {
  const { json: made } = await admin.post('/groups', { name: 'Long' });
  const group = `/groups/${made.groupId}`;
  for (let number = 1; number <= 120; number++)
    await admin.post(`${group}/messages`, { content: `m${number}` });
  await admin.post(`${group}/messages/7/edit`, { content: 'edited' });
  const seqs: number[] = [];
  let before = '';
  for (;;) {
    const { json } = await admin.get(`${group}/messages${before}`);
    seqs.unshift(...json.items.map(({ seq }: { seq: number }) => seq));
    if (json.before === null) break;
    before = `?before=${json.before}`;
  }
  assert.deepEqual(
    seqs,
    Array.from({ length: 120 }, (_, index) => index + 1),
  );
  const changes = await admin.get(`${group}/changes?after=100`);
  assert.deepEqual([changes.json.isComplete, changes.json.items.at(-1).content], [true, 'edited']);
  assert.equal(
    (await admin.get(`${group}/messages?before=x`)).json.detail,
    '"before" takes the number of a message.',
  );
});

test('a repeated send is the same message, refusals are problem details, and what has not changed is not sent', async () => {
  const message = { content: 'once', id: randomUUID() };
  const [first, second] = [
    await admin.post('/groups/1/messages', message),
    await admin.post('/groups/1/messages', message),
  ];
  assert.equal(first.json.seq, second.json.seq);
  const refused = await admin.post('/groups/1/messages', { content: 'x'.repeat(8_001) });
  assert.deepEqual(
    [refused.status, refused.json.field, refused.headers['content-type']?.split(';')[0]],
    [400, 'content', 'application/problem+json'],
  );
  const form = await admin.request('POST', '/groups/1/messages', 'content=form', {
    'content-type': 'application/x-www-form-urlencoded',
  });
  assert.deepEqual([form.status, form.json.code], [415, 'not_json']);
  const broken = await admin.request('POST', '/groups/1/messages', '{"content":', {
    'content-type': 'application/json',
  });
  assert.equal(broken.status, 400);
  assert.equal((await admin.get('/nowhere')).json.code, 'not_found');

  const { headers } = await admin.get('/groups/1/messages');
  const etag = String(headers.etag);
  assert.equal((await admin.get('/groups/1/messages', { 'if-none-match': etag })).status, 304);
  await admin.post('/groups/1/messages/1/reactions', { emoji: '👍', on: true });
  assert.equal((await admin.get('/groups/1/messages', { 'if-none-match': etag })).status, 200);
});

test('a file is uploaded, sent and read again, by members only', async () => {
  const program = new Visitor(url, { authorization: `Bearer ${admin.token}` });
  const bytes = Buffer.from('the bytes of a file');
  const uploaded = await program.upload('/api/v1/groups/1/files', [
    { name: 'a.txt', type: 'text/plain', bytes },
  ]);
  admin.validate('POST', '/groups/1/files', uploaded);
  const [file] = JSON.parse(uploaded.body).items;
  await admin.post('/groups/1/messages', { content: '', files: [file.id] });
  const read = await program.get(`/api/v1/files/${file.id}`, { range: 'bytes=4-8' });
  assert.deepEqual([read.status, read.body], [206, 'bytes']);
  const { json } = await admin.get('/groups/1/files');
  assert.equal(json.items[0].name, 'a.txt');
  const { json: history } = await admin.get('/groups/1/messages');
  const sent = history.items.at(-1).files[0];
  assert.equal((await program.get(sent.url)).body, 'the bytes of a file', 'with the same token');
  const again = `/api/v1/groups/1/files?upload=${randomUUID()}`;
  const tries = [];
  for (let count = 0; count < 2; count++)
    tries.push(JSON.parse((await program.upload(again, [{ name: 'a', type: '', bytes }])).body).items[0].id);
  const [lost, kept] = tries;
  assert.equal((await program.get(`/api/v1/files/${lost}`)).status, 404);
  assert.equal((await program.get(`/api/v1/files/${kept}`)).status, 200);
  const other = new Visitor(url, { authorization: `Bearer ${outsider.token}` });
  assert.equal((await other.get(`/api/v1/files/${file.id}`)).status, 404);
  assert.equal((await other.upload('/api/v1/groups/1/files', [{ name: 'a', type: '', bytes }])).status, 403);
});

test('earlier versions of a message are read, and a recording becomes a voice message, by members only', async () => {
  const { json: sent } = await admin.post('/groups/1/messages', { content: 'the first version' });
  await admin.post(`/groups/1/messages/${sent.seq}/edit`, { content: 'the second' });
  const { json: versions } = await member.get(`/groups/1/messages/${sent.seq}/versions`);
  assert.deepEqual(
    versions.items.map(({ content, writerId }: { content: string; writerId: number | null }) => [
      content,
      writerId,
    ]),
    [['the first version', null]],
  );
  assert.equal((await outsider.get(`/groups/1/messages/${sent.seq}/versions`)).status, 403);
  const program = new Visitor(url, { authorization: `Bearer ${admin.token}` });
  const bytes = readFileSync(join(ROOT, 'tests/voice/recordings/monkeys.ogg'));
  const recording = { name: 'a.ogg', type: 'audio/ogg', bytes };
  const uploaded = await program.upload('/api/v1/groups/1/recordings', [recording], { language: 'none' });
  admin.validate('POST', '/groups/1/recordings', uploaded);
  const [file] = JSON.parse(uploaded.body).items;
  assert.equal(file.type, 'audio/mpeg');
  const { json: spoken } = await admin.post('/groups/1/messages', { content: '', files: [file.id] });
  assert.ok((await member.get(`/groups/1/messages/${spoken.seq}`)).json.voice.length > 0);
  const notAudio = { name: 'a.ogg', type: 'audio/ogg', bytes: Buffer.from('no audio') };
  assert.equal((await program.upload('/api/v1/groups/1/recordings', [notAudio])).status, 400);
  const other = new Visitor(url, { authorization: `Bearer ${outsider.token}` });
  assert.equal((await other.upload('/api/v1/groups/1/recordings', [recording])).status, 403);
});

test('a program talks over a socket with its token, whatever its origin, until the token is revoked', async () => {
  const program = await signInProgram(url, 'ada');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat/1`, 'hearth.json', {
    headers: { authorization: `Bearer ${program.token}`, origin: 'https://elsewhere.example' },
  });
  const frames: { type: string; content?: string }[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(JSON.stringify({ type: 'send', content: 'over a socket' }));
  await until(() => frames.some(({ content }) => content === 'over a socket'));
  assert.equal(frames[0]?.type, 'hello');
  assert.equal((await program.request('DELETE', '/token')).status, 204);
  assert.equal(await closed, 4401);
  assert.equal((await program.get('/me')).status, 401);
});

test('only pages of the origins that are named may call it', async (t) => {
  const origin = 'https://app.example';
  const open = await startHearth(t, { env: { CORS_ALLOW_ORIGINS: `["${origin}"]` } });
  const asked = {
    origin,
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'authorization',
  };
  const preflight = await new Visitor(open.url).request('OPTIONS', '/api/v1/me', undefined, asked);
  assert.deepEqual([preflight.status, preflight.headers['access-control-allow-origin']], [204, origin]);
  const other = await new Visitor(open.url).get('/api/v1/openapi.json', { origin: 'https://evil.example' });
  assert.equal(other.headers['access-control-allow-origin'], undefined);
  const closed = await new Visitor(url).get('/api/v1/openapi.json', { origin });
  assert.equal(closed.headers['access-control-allow-origin'], undefined);
  assert.equal((await ada.get('/api/v1/me')).status, 401, 'a cookie is no token');
});

test('with INBOX_ONLY no read shows a member anything of a group', async (t) => {
  const dataDir = temporaryFolder(t);
  const before = await startHearth(t, { dataDir });
  const root = await newPerson(before.url, 'root', 1);
  await newPerson(before.url, 'ann', 1);
  const ann = await signInProgram(before.url, 'ann');
  await root.post('/groups/1/messages', { content: 'canary of a group' });
  await ann.post('/groups/1/messages', { content: 'a reply', replyTo: 1 });
  await ann.post('/groups/1/messages/1/save', { on: true });
  assert.match((await ann.get('/threads')).body, /canary/);
  await before.stop();
  const after = await startHearth(t, { dataDir, env: { INBOX_ONLY: 'on' } });
  const program = new Program(after.url, ann.token, await documentOf(after.url));
  for (const { path } of apiReads) {
    const address = path.replace(':groupId', '1').replace(':seq', '1').replace(/:\w+/, '1');
    assert.doesNotMatch((await program.get(`${address}?q=canary`)).body, /canary of|a reply/, path);
  }
});
