import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth, startHearthProcess } from '../support/hearth.ts';
import { countRows, runSql } from '../support/rows.ts';
import { until } from '../support/until.ts';

type Folder = { dataDir: string };

const FILE = { name: 'canary.txt', type: 'text/plain', bytes: Buffer.from('canary of a file') };

function blobs({ dataDir }: Folder): number {
  return readdirSync(join(dataDir, 'media'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;
}

/** Joe in "General" with a file, in a group of his own, and in a direct conversation with Ada. */
async function conversation(hearth: { url: string }) {
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  await joe.post('/account/line', { line: 'canary' });
  await joe.post('/groups', { name: 'Shed', closed: 'yes' });
  await joe.post('/groups/3/messages', { content: 'alone here' });
  const { body } = await joe.upload('/groups/1/files', [FILE], {}, { 'hx-request': 'true' });
  const file = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
  await joe.post('/groups/1/messages', { content: 'Hello from joe', files: file });
  await ada.post('/groups/1/messages', { content: 'Hello, @joe' });
  const direct = (await joe.post('/direct', { with: '1' })).location;
  await joe.post(`${direct}/messages`, { content: 'between us' });
  await joe.post('/groups/1/draft', { content: 'half a thought' });
  await joe.post('/groups/1/messages/2/save', { on: 'yes' });
  await joe.post('/invitations', {});
  return { ada, joe, direct, file };
}

const OF_JOE = [
  ...['drafts', 'saved_messages', 'thread_follows', 'heard', 'join_requests'].map(
    (table) => ['chat', table, 'account_id = 2'] as const,
  ),
  ...[
    'push_subscriptions',
    'session_list',
    'sign_in_links',
    'authenticators',
    'recovery_codes',
    'account_deletions',
  ].map((table) => ['users', table, 'account_id = 2'] as const),
  ['users', 'accounts', 'id = 2'] as const,
  ['users', 'invitations', 'creator_id = 2'] as const,
];

test('a deleted account is out at once, and what it wrote stays as by somebody who left', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe, direct, file } = await conversation(hearth);
  const sockets = [await joe.socket('/ws'), await joe.socket('/ws/chat/1')];
  const wrong = await joe.post('/account/delete', { messages: 'keep', password: 'not my password' });
  assert.deepEqual(
    [wrong.status, /value="keep" required checked/.test(wrong.body)],
    [403, true],
    'the choice is kept',
  );
  assert.equal((await joe.post('/account/delete', { password: PASSWORD })).status, 400);

  const { location } = await joe.post('/account/delete', { messages: 'keep', password: PASSWORD });
  for (const socket of sockets) assert.ok([1001, 4401].includes((await socket.closed).code));
  assert.equal((await joe.get('/groups')).location, '/login?next=%2Fgroups');
  await until(async () => /The account is deleted/.test((await new Visitor(hearth.url).get(location)).body));

  const page = (await ada.get('/groups/1')).body;
  assert.match(page, /<span class="author">Somebody who left<\/span>/);
  assert.match(page, /Hello from joe/);
  assert.equal((await ada.get(`/media/${file}`)).body, 'canary of a file');
  assert.match((await ada.get(direct)).body, /Somebody who left[\s\S]*between us/);
  assert.equal((await ada.get('/people/2')).status, 404);
  for (const [database, table, where] of OF_JOE)
    assert.equal(await countRows(hearth.dataDir, database, table, where), 0, table);
  await until(async () => (await countRows(hearth.dataDir, 'chat', 'groups', 'id = 3')) === 0);
  assert.equal(
    await countRows(hearth.dataDir, 'chat', 'messages', 'group_id = 3'),
    0,
    'nobody is left who could read it',
  );
  assert.equal((await newPerson(hearth.url, 'joe')).url, hearth.url, 'the name is free again');
});

test('messages and files go too where that is chosen, and open pages see it', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe, direct, file } = await conversation(hearth);
  const socket = await ada.socket('/ws/chat/1');
  const { location } = await joe.post('/account/delete', { messages: 'remove', password: PASSWORD });
  const removed = await socket.nextJson('message', (frame) => frame.removed === true);
  assert.equal(removed.seq, 1);
  await until(async () => /The account is deleted/.test((await ada.get(location)).body));
  assert.doesNotMatch((await ada.get('/groups/1')).body, /Hello from joe/);
  assert.doesNotMatch((await ada.get(direct)).body, /between us/);
  assert.equal((await ada.get(`/media/${file}`)).status, 404);
  assert.equal(blobs(hearth), 0);
});

test('a group keeps an owner, and Hearth an administrator', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Shed' });
  await ada.post('/groups/3/join');
  const refused = await ada.post('/account/delete', { messages: 'keep', password: PASSWORD });
  assert.deepEqual([refused.status, /last administrator/.test(refused.body)], [409, true]);
  await joe.post('/account/delete', { messages: 'keep', password: PASSWORD });
  await until(async () => (await countRows(hearth.dataDir, 'users', 'accounts')) === 1);
  assert.equal(
    await countRows(
      hearth.dataDir,
      'chat',
      'memberships',
      'group_id = 3 AND account_id = 1 AND is_owner = 1',
    ),
    1,
  );
});

test('an administrator deletes somebody, and it is in the log; an administrator is made a member first', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe } = await conversation(hearth);
  await ada.post('/admin/people/2/make-admin');
  const fate = { messages: 'remove' };
  assert.equal((await ada.post('/admin/people/2/delete-account', fate)).status, 409);
  await ada.post('/admin/people/2/remove-admin');
  assert.equal((await joe.post('/admin/people/1/delete-account', fate)).status, 403);
  assert.equal((await ada.post('/admin/people/2/delete-account', fate)).location, '/admin/people?deleted=');
  await until(async () => (await countRows(hearth.dataDir, 'users', 'accounts')) === 1);
  assert.match((await ada.get('/admin/log')).body, /deleted the account and the messages of <strong>joe</);
});

test('a deleted group is gone from every list, page, socket, search and the disk', async (t) => {
  const hearth = await startHearth(t);
  const { ada, joe } = await conversation(hearth);
  const socket = await ada.socket('/ws/chat/1');
  const list = await joe.socket('/ws', { protocol: 'hearth.html' });
  await until(async () => /<mark>Hello<\/mark>/.test((await ada.get('/search?q=hello')).body));
  assert.equal((await joe.post('/admin/groups/1/delete', { confirmation: 'General' })).status, 403);
  assert.equal((await ada.post('/admin/groups/1/delete', { confirmation: 'general' })).status, 303);
  assert.equal((await socket.closed).code, 4403);
  await list.next((text) => text.includes('id="group-1" data-live="remove"'));
  assert.equal((await ada.get('/groups/1')).status, 404);
  assert.doesNotMatch((await ada.get('/groups')).body, /General/);
  assert.doesNotMatch((await ada.get('/search?q=hello')).body, /<mark>/);
  await until(async () => (await countRows(hearth.dataDir, 'chat', 'groups', 'id = 1')) === 0);
  for (const table of ['messages', 'files', 'memberships', 'drafts', 'saved_messages', 'revisions'])
    assert.equal(await countRows(hearth.dataDir, 'chat', table, 'group_id = 1'), 0, table);
  assert.equal(blobs(hearth), 0);
  if (ON_SQLITE.skip)
    await until(
      async () => (await countRows(hearth.dataDir, 'chat', 'search_documents', 'group_id = 1')) === 0,
    );
  else {
    const index = new BetterSqlite(join(hearth.dataDir, 'search.sqlite3'), { readonly: true });
    const left = index.prepare('SELECT count(*) AS rows FROM documents WHERE group_id = 1').get();
    index.close();
    assert.deepEqual(left, { rows: 0 });
  }
  assert.equal((await ada.post('/groups', { name: 'General' })).status, 303, 'the name is free');
  assert.match((await ada.get('/admin/log')).body, /deleted the group <strong>General</);
});

test('a deletion that a killed process did not finish is finished by the next', async (t) => {
  const hearth = await startHearthProcess(t, {});
  const { joe } = await conversation(hearth);
  await Promise.all(
    Array.from({ length: 600 }, (_, index) => joe.post('/groups/1/messages', { content: `line ${index}` })),
  );
  await joe.post('/account/delete', { messages: 'remove', password: PASSWORD });
  await hearth.kill();
  assert.equal(await countRows(hearth.dataDir, 'users', 'account_deletions'), 1, 'it was still to be done');
  const next = await startHearth(t, { dataDir: hearth.dataDir });
  await until(async () => (await countRows(next.dataDir, 'users', 'accounts')) === 1);
  assert.equal(await countRows(next.dataDir, 'chat', 'messages', 'author_id = 2 AND removed_at IS NULL'), 0);
});

test('the private line goes with the messages, or waits no more, and the archive of their data goes', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  for (const messages of ['remove', 'keep']) {
    const person = await newPerson(hearth.url, `person-${messages}`);
    const line = (await person.post('/line')).location;
    await person.post(`${line}/messages`, { content: `canary of ${messages}` });
    await ada.post(`/inbox/${line.split('/').at(-1)}/note`, { note: `note of ${messages}` });
    await person.post('/account/export');
    await until(
      async () => (await countRows(hearth.dataDir, 'users', 'account_exports', "state = 'ready'")) === 1,
    );
    assert.equal(blobs(hearth), 1);
    await person.post('/account/delete', { messages, password: PASSWORD });
    await until(async () => (await countRows(hearth.dataDir, 'users', 'accounts')) === 1);
    assert.equal(blobs(hearth), 0);
    await until(
      async () => (await countRows(hearth.dataDir, 'chat', 'inbox_lines')) === (messages === 'keep' ? 1 : 0),
    );
    const { body } = await ada.get('/inbox');
    assert.doesNotMatch(body, /canary|note of|people wait|1 waits/, messages);
  }
  assert.match((await ada.get('/inbox?show=done')).body, /Somebody who left[\s\S]*canary of keep/);
});

test('a hold that is confirmed while an account is deleted holds', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  for (const person of [ada, joe]) await person.post('/groups/2/join', {});
  const socket = await joe.socket('/ws/chat/1');
  for (let count = 1; count <= 1_500; count++)
    socket.send({ type: 'send', id: crypto.randomUUID(), content: `line ${count}` });
  await socket.next((text) => text.includes('"line 1500"'));
  await joe.post('/groups/2/messages', { content: 'evidence' });
  await joe.post('/account/delete', { messages: 'remove', password: PASSWORD });
  assert.equal((await ada.post('/admin/space/groups/2/hold', { on: 'yes' })).status, 303);
  assert.match((await ada.get('/groups/2')).body, /evidence/);
  await until(
    async () => (await countRows(hearth.dataDir, 'users', 'accounts', 'id = 2')) === 0,
    'the account is gone',
  );
  assert.match((await ada.get('/groups/2')).body, /evidence/);
  assert.equal(await countRows(hearth.dataDir, 'chat', 'messages', 'group_id = 1 AND removed_at IS NULL'), 0);
});

test('the group of a deleted owner goes to somebody who is not suspended', async (t) => {
  const hearth = await startHearth(t);
  const root = await newPerson(hearth.url, 'root');
  const [joe, sue, carol] = [
    await newPerson(hearth.url, 'joe'),
    await newPerson(hearth.url, 'sue'),
    await newPerson(hearth.url, 'carol'),
  ];
  await joe.post('/groups', { name: 'Shed' });
  for (const person of [sue, carol]) await person.post('/groups/3/join');
  await root.post('/admin/people/3/suspend', {});
  await joe.post('/account/delete', { messages: 'keep', password: PASSWORD });
  const owners = () =>
    runSql(
      hearth.dataDir,
      'chat',
      'SELECT account_id FROM memberships WHERE group_id = 3 AND is_owner = 1 AND account_id <> 2',
    );
  await until(async () => (await owners()).length > 0, 'there is a new owner');
  assert.deepEqual(await owners(), [{ account_id: 4 }]);
});
