import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { type Ending, startHearth } from '../support/hearth.ts';
import { countRows, runSql } from '../support/rows.ts';
import { openStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const DAY_MS = 86_400_000;

async function signedIn(url: string, username: string): Promise<Visitor> {
  const visitor = new Visitor(url);
  await visitor.post('/login', { username, password: PASSWORD });
  return visitor;
}

async function sendFile(
  person: Visitor,
  content: string,
  bytes: Buffer = Buffer.from(content),
): Promise<string> {
  const file = { name: 'plan.txt', type: 'text/plain', bytes };
  const { body } = await person.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
  const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
  await person.post('/groups/1/messages', { content, files });
  return files;
}

const say = (person: Visitor, content: string, fields = {}) =>
  person.post('/groups/1/messages', { content, ...fields });

function blobs(dataDir: string): number {
  const entries = readdirSync(join(dataDir, 'media'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

/** Ada is an administrator, Joe a member; messages 1 to 5 are forty days old when it starts again, 6 and 7 are not. */
async function agedHearth(t: Ending) {
  const first = await startHearth(t);
  const ada = await newPerson(first.url, 'ada', 1);
  const joe = await newPerson(first.url, 'joe', 1);
  await say(ada, 'canary one');
  await sendFile(ada, 'canary with a file');
  await say(ada, 'canary of a thread that goes on');
  await say(ada, 'canary of a thread that ended');
  await say(joe, 'canary of an answer', { replyTo: '4' });
  await say(joe, 'a new answer', { replyTo: '3' });
  await say(ada, 'canary seven, @joe');
  await ada.post('/groups/1/messages/1/pin', { on: 'yes' });
  await joe.post('/groups/1/messages/2/save', { on: 'yes' });
  await ada.post('/groups/1/messages/4/edit', { content: 'canary of a thread that has ended' });
  await first.stop();
  const old = Date.now() - 40 * DAY_MS;
  await runSql(first.dataDir, 'chat', `UPDATE messages SET created_at = ${old} + seq WHERE seq <= 5`);
  await runSql(
    first.dataDir,
    'chat',
    'UPDATE memberships SET read_seq = 2, removed_unread = 0 WHERE account_id = 2',
  );
  const hearth = await startHearth(t, { dataDir: first.dataDir });
  return { hearth, ada: await signedIn(hearth.url, 'ada'), joe: await signedIn(hearth.url, 'joe') };
}

async function purged(admin: Visitor, dataDir: string, seq: number): Promise<void> {
  assert.equal((await admin.post('/admin/space/purge', {})).location, '/admin/space?purging=');
  const isDone = async () =>
    (await countRows(dataDir, 'chat', 'groups', `id = 1 AND purged_seq = ${seq}`)) === 1;
  await until(isDone, `messages up to ${seq} are removed`);
}

test('what is older than it is kept goes from pages, search, lists, files and databases; threads that go on stay', async (t) => {
  const { hearth, ada, joe } = await agedHearth(t);
  const { dataDir } = hearth;
  const hits = async (query: string) =>
    ((await joe.get(`/search?q=${query}`)).body.match(/class="hit"/g) ?? []).length;
  await until(async () => (await hits('canary')) === 6, 'everything is found at first');
  await ada.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '' });
  const socket = await joe.socket('/ws/chat/1');
  await socket.nextJson('hello');
  await purged(ada, dataDir, 5);

  assert.equal((await socket.nextJson('purged')).seq, 5);
  assert.match((await joe.get('/groups')).body, /id="group-1"[^>]* data-unread="2"/, 'two are left to read');
  const page = (await joe.get('/groups/1?newest=')).body;
  assert.deepEqual(
    [...page.matchAll(/id="message-(\d+)"/g)].map(([, seq]) => seq),
    ['6', '7'],
  );
  assert.match(page, /Older messages are not kept here/);
  assert.match((await joe.get('/groups/1/threads/3')).body, /canary of a thread that goes on/);
  assert.equal((await joe.get('/groups/1/messages/1')).status, 404);
  assert.doesNotMatch((await joe.get('/groups/1/pins')).body, /canary one/);
  assert.doesNotMatch((await joe.get('/saved')).body, /canary/);
  assert.match(
    (await joe.get('/groups/1?around=2')).body,
    /canary seven/,
    'an old link leads to what there is',
  );
  assert.equal((await joe.get('/groups/1?day=2026-01-01')).location, '/groups/1?around=6#message-6');
  await until(async () => (await hits('canary')) === 2, 'the thread and the new one are found');
  await until(() => blobs(dataDir) === 0, 'the file is gone from the disk');
  for (const [table, rows] of [
    ['messages', 3],
    ['revisions', 0],
    ['files', 0],
    ['saved_messages', 0],
    ['thread_follows', 2],
  ] as const)
    assert.equal(await countRows(dataDir, 'chat', table), rows, table);
  assert.match(
    (await ada.get('/admin/log')).body,
    /Hearth[\s\S]*removed what is no longer kept:\s*[\s\S]*messages: 4, files: 1/,
  );

  const { body } = await say(ada, 'after that');
  assert.doesNotMatch(body, /wrong/);
  await hearth.stop();
  const again = await startHearth(t, { dataDir });
  const later = await signedIn(again.url, 'joe');
  assert.match((await later.get('/groups/1')).body, /after that/);
  const hello = await (await later.socket('/ws/chat/1')).nextJson('hello');
  assert.equal(hello.purged, 5, 'who was away is told');
});

test('a group has a rule of its own, and a wrong one is refused with what was typed', async (t) => {
  const { hearth, ada } = await agedHearth(t);
  await ada.post('/admin/space/keep', { keepDays: '30' });
  await ada.post('/admin/space/groups/1/keep', { keepDays: '0', keepMegabytes: '' });
  await ada.post('/admin/space/purge', {});
  await sleep(300);
  assert.match((await ada.get('/groups/1')).body, /canary one/, 'is kept for ever');
  assert.match((await ada.get('/admin/space')).body, /kept: messages for ever/);
  for (const path of ['/admin/space/keep', '/admin/space/groups/1/keep']) {
    const { status, body } = await ada.post(path, { keepDays: 'a year', keepMegabytes: '7' });
    assert.equal(status, 400);
    assert.match(body, /Enter for how many days messages are kept, from 1 to 36500/);
    assert.match(body, /value="a year"[\s\S]*aria-invalid="true"[\s\S]*value="7"/);
  }
  await ada.post('/admin/space/groups/1/keep', { keepDays: '', keepMegabytes: '' });
  await purged(ada, hearth.dataDir, 5);
});

test('where files take more than they may, the messages with the oldest ones go', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (const name of ['first', 'second', 'third']) await sendFile(ada, name, Buffer.alloc(700_000, name));
  await say(ada, 'no file');
  const take = async (path: string) => {
    await ada.post(path, { keepDays: '', keepMegabytes: '1' });
    await ada.post('/admin/space/purge', {});
  };
  await take('/admin/space/groups/1/keep');
  await until(() => blobs(hearth.dataDir) === 1, 'two of three are gone');
  const page = (await ada.get('/groups/1')).body;
  assert.equal(page.match(/Removed to free space/g)?.length, 2);
  assert.match(page, /third[\s\S]*no file/);
  await ada.post('/admin/space/groups/1/keep', { keepDays: '', keepMegabytes: '' });
  await sendFile(ada, 'fourth', Buffer.alloc(700_000, 'fourth'));
  await take('/admin/space/keep');
  await until(() => blobs(hearth.dataDir) === 1, 'over all groups');
  assert.match((await ada.get('/groups/1')).body, /fourth/);
});

test('nothing of a conversation on hold is removed, by anybody', async (t) => {
  const { hearth, ada, joe } = await agedHearth(t);
  await ada.post('/admin/space/keep', { keepDays: '30' });
  await ada.post('/admin/space/groups/1/hold', { on: 'yes' });
  await ada.post('/admin/space/purge', {});
  const refused = await joe.post('/groups/1/messages/6/remove', {});
  assert.deepEqual([refused.status, /This conversation is on hold/.test(refused.body)], [409, true]);
  assert.doesNotMatch(
    (await joe.get('/groups/1/messages/6')).body,
    /messages\/6\/remove/,
    'nor is it offered',
  );
  assert.equal(
    (await ada.post('/groups/1/messages/1/remove', {})).status,
    409,
    'not by administrators either',
  );
  const deletion = await ada.post('/admin/groups/1/delete', { confirmation: 'General' });
  assert.deepEqual([deletion.status, /is on hold/.test(deletion.body)], [409, true]);
  await ada.post('/groups/1/messages/6/report', { reason: 'no' });
  const report = await ada.post('/reports/1/answer', { remove: 'yes' });
  assert.deepEqual([report.status, /is on hold/.test(report.body)], [409, true]);
  const mine = await joe.post('/account/delete', {
    messages: 'remove',
    password: PASSWORD,
    confirmation: 'joe',
  });
  assert.equal(mine.status, 303, mine.body);
  await until(
    async () => (await countRows(hearth.dataDir, 'users', 'accounts', 'id = 2')) === 0,
    'Joe is gone',
  );
  const page = (await ada.get('/groups/1')).body;
  assert.match(page, /canary one[\s\S]*a new answer/, 'what he wrote stays');

  await ada.post('/admin/space/hold', { on: 'yes' });
  await ada.post('/groups', { name: 'New' });
  await ada.post('/groups/3/messages', { content: 'mine' });
  await until(async () => (await ada.post('/groups/3/messages/1/remove', {})).status === 409, 'also to come');
  await newPerson(hearth.url, 'mina');
  const direct = (await ada.post('/direct', { with: '3' })).location;
  await ada.post(`${direct}/messages`, { content: 'between us' });
  await until(
    async () => (await ada.post(`${direct}/messages/1/remove`, {})).status === 409,
    'also between two',
  );
  await ada.post('/admin/space/hold', { on: 'no' });
  assert.equal((await ada.post('/groups/3/messages/1/remove', {})).status, 303);
  assert.equal((await ada.post('/groups/1/messages/6/remove', {})).status, 409, 'its own hold stays');
  await ada.post('/admin/space/groups/1/hold', { on: 'no' });
  await purged(ada, hearth.dataDir, 5);
});

test('a group that was put on hold just before is not deleted, and one that was deleted is not put on hold', async (t) => {
  const { groups, retention, account } = await openStores(t);
  const ada = await account('ada');
  const [held, gone] = [
    await groups.add({ name: 'Held', creatorId: ada.id, now: 1 }),
    await groups.add({ name: 'Gone', creatorId: ada.id, now: 1 }),
  ];
  assert.ok(held && gone);
  await retention.hold(held.id, 5, 0);
  // As it was read before.
  assert.equal(await groups.hide(held.id, 6), 'held');
  assert.equal((await groups.byId(held.id))?.name, 'Held');
  assert.deepEqual(await groups.hide(gone.id, 6), [ada.id]);
  await retention.hold(gone.id, 7, 0);
  assert.equal(await groups.byId(gone.id), undefined);
  assert.equal(await groups.hide(gone.id, 8), undefined);
});

test('a message that is newer than the rule stays, though older ones were brought in after it', async (t) => {
  const { hearth, ada } = await agedHearth(t);
  await hearth.stop();
  const old = Date.now() - 100 * DAY_MS;
  await runSql(hearth.dataDir, 'chat', `UPDATE messages SET created_at = ${old} WHERE seq = 7`);
  const again = await startHearth(t, { dataDir: hearth.dataDir });
  const admin = await signedIn(again.url, 'ada');
  await admin.post('/admin/space/keep', { keepDays: '30' });
  await purged(admin, hearth.dataDir, 5);
  assert.match((await admin.get('/groups/1?newest=')).body, /a new answer[\s\S]*canary seven/);
  assert.ok(ada);
});

test('what was reported stays until the report is answered, by age and by size', async (t) => {
  const { hearth, ada, joe } = await agedHearth(t);
  await joe.post('/groups/1/messages/2/report', { reason: 'no' });
  await ada.post('/admin/people/2/make-admin');
  await ada.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '' });
  await purged(ada, hearth.dataDir, 5);
  await sendFile(ada, 'large', Buffer.alloc(1_500_000, 'large'));
  await ada.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '1' });
  await ada.post('/admin/space/purge', {});
  await until(() => blobs(hearth.dataDir) === 1, 'the other file goes');
  assert.match((await joe.get('/reports')).body, /canary with a file/);
  await joe.post('/reports/1/answer', { remove: 'no' });
  await ada.post('/admin/space/purge', {});
  await until(() => blobs(hearth.dataDir) === 0, 'then it goes, too, though nothing else is old');
});

test('what stayed as the root of a thread and went later is on no page any more', async (t) => {
  const { dataDir, url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const joe = await newPerson(url, 'joe', 1);
  await say(ada, 'canary root');
  await say(ada, 'second');
  await say(joe, 'an answer', { replyTo: '1' });
  await ada.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '' });
  const age = (upTo: number) =>
    runSql(
      dataDir,
      'chat',
      `UPDATE messages SET created_at = ${Date.now() - 40 * DAY_MS} + seq WHERE seq <= ${upTo}`,
    );
  await age(2);
  await purged(ada, dataDir, 2);
  assert.match((await joe.get('/groups/1/threads/1')).body, /canary root/, 'it stays with its answer');
  await age(3);
  await purged(ada, dataDir, 3);
  assert.equal(await countRows(dataDir, 'chat', 'messages', 'group_id = 1'), 0);
  assert.equal((await joe.get('/groups/1/threads/1')).status, 404);
  assert.doesNotMatch((await joe.get('/groups/1/messages/1')).body, /canary/);
});

test('what is no longer kept is quoted and counted nowhere, also where nothing but a purge happened', async (t) => {
  const { dataDir, url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const joe = await newPerson(url, 'joe', 1);
  await say(ada, 'root');
  await say(ada, 'canary reply', { replyTo: '1' });
  for (let number = 3; number <= 60; number++) await say(ada, `number ${number}`);
  await say(ada, 'an answer to it', { replyTo: '2' });
  await ada.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '' });
  const old = Date.now() - 40 * DAY_MS;
  await runSql(dataDir, 'chat', `UPDATE messages SET created_at = ${old} + seq WHERE seq <= 2`);
  const pages = ['/groups/1?newest=', '/groups/1/threads/1'];
  for (const path of pages) assert.match((await joe.get(path)).body, /canary reply/, path);
  await purged(ada, dataDir, 2);
  for (const path of pages) {
    const { body } = await joe.get(path);
    assert.match(body, /an answer to it/);
    assert.doesNotMatch(body, /canary|replies are shown/, path);
  }
  assert.match((await ada.get('/threads')).body, />1 reply</);
});

test('where only first messages of threads are too old, counts and pages know it at once', async (t) => {
  const { dataDir, url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const joe = await newPerson(url, 'joe', 1);
  for (const content of ['one', 'two']) await say(ada, content);
  for (const replyTo of ['1', '2']) await say(ada, `an answer to ${replyTo}`, { replyTo });
  await ada.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '' });
  const old = Date.now() - 40 * DAY_MS;
  await runSql(dataDir, 'chat', `UPDATE messages SET created_at = ${old} + seq WHERE seq <= 2`);
  assert.match((await joe.get('/groups')).body, /id="group-1"[^>]* data-unread="4"/);
  await purged(ada, dataDir, 2);
  assert.match((await joe.get('/groups')).body, /id="group-1"[^>]* data-unread="2"/);
  assert.equal((await (await joe.socket('/ws/chat/1')).nextJson('hello')).purged, 2);
  const page = (await joe.get('/groups/1?newest=')).body;
  assert.deepEqual(
    [...page.matchAll(/id="message-(\d+)"/g)].map(([, seq]) => seq),
    ['3', '4'],
  );
});

test('uploads that nobody sent, and files on hold, push out nothing', async (t) => {
  const { dataDir, url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const joe = await newPerson(url, 'joe', 1);
  await ada.post('/groups/2/join', {});
  await say(ada, 'an old message, so that what is done stands in the log');
  await runSql(dataDir, 'chat', 'UPDATE messages SET created_at = 1');
  await sendFile(ada, 'minutes of the year', Buffer.alloc(1_000_000, 'a'));
  const upload = { name: 'plan.txt', type: 'text/plain', bytes: Buffer.alloc(1_400_000, 'j') };
  const fields = { 'hx-request': 'true' };
  const heldId = /data-file="([^"]+)"/.exec(
    (await ada.upload('/groups/2/files', [upload], {}, fields)).body,
  )?.[1];
  await ada.post('/groups/2/messages', { content: 'held', files: heldId ?? '' });
  await ada.post('/admin/space/groups/2/hold', { on: 'yes' });
  await joe.upload('/groups/1/files', [upload], {}, fields);
  await ada.post('/admin/space/groups/1/keep', { keepDays: '', keepMegabytes: '1' });
  await ada.post('/admin/space/keep', { keepDays: '1', keepMegabytes: '1' });
  await ada.post('/admin/space/purge', {});
  await until(async () => /messages: \d/.test((await ada.get('/admin/log')).body), 'it has run');
  assert.equal(await countRows(dataDir, 'chat', 'messages', 'removed_at IS NOT NULL'), 0);
});
