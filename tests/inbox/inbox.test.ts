import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
import { openArchiveFile } from '../../src/imports/archive-file.ts';
import { newPerson, PASSWORD, type Socket, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth, startHearthProcess } from '../support/hearth.ts';
import { startPushService } from '../support/push-service.ts';
import { countRows, runSql } from '../support/rows.ts';
import { until } from '../support/until.ts';

/** Opens the private line of a member. @returns its address */
async function lineOf(member: Visitor): Promise<string> {
  return (await member.post('/line')).location;
}

test(
  'a member writes to all administrators, waits until one answers, and the line is assigned, noted and done',
  ON_SQLITE,
  async (t) => {
    const hearth = await startHearth(t);
    const ada = await newPerson(hearth.url, 'ada');
    const eve = await newPerson(hearth.url, 'eve');
    const joe = await newPerson(hearth.url, 'joe', 1);
    await ada.post('/admin/people/2/make-admin');
    assert.match((await ada.get('/inbox')).body, /Nothing is open/, 'the empty state');
    assert.match(
      (await joe.get('/line')).body,
      /read by the administrators of this Hearth, and by nobody else/,
    );
    const socket = await eve.socket('/ws', { protocol: 'hearth.html' });
    const line = await lineOf(joe);
    assert.equal((await joe.get('/line')).location, line);
    assert.equal(await lineOf(joe), line, 'there is one for each member');
    await joe.post(`${line}/messages`, { content: 'I cannot find the key' });
    await socket.next((text) => /id="inbox-link"[^>]*data-unread="1"/.test(text));

    const queue = (await ada.get('/inbox')).body;
    assert.match(queue, /waits for less than a minute/);
    assert.match(queue, /I cannot find the key/);
    assert.match(queue, /Not viewed yet/);
    const id = line.split('/').at(-1);
    assert.match((await eve.get(line)).body, /I cannot find the key/);
    assert.match((await ada.get('/inbox')).body, /Last viewed/);
    await ada.post(`/inbox/${id}/assign`, { assignee: '2' });
    await ada.post(`/inbox/${id}/note`, { note: 'canarynote' });
    assert.match((await eve.get('/inbox?show=mine')).body, /canarynote/);
    assert.match((await ada.get('/inbox?show=mine')).body, /Nothing is assigned to you/);
    const long = await ada.post(`/inbox/${id}/note`, { note: 'x'.repeat(2_001) });
    assert.deepEqual([long.status, /at most 2,000/.test(long.body)], [400, true]);
    assert.equal(
      (await ada.post(`/inbox/${id}/assign`, { assignee: '3' })).status,
      400,
      'to administrators only',
    );

    await eve.post(`${line}/messages`, { content: 'It is under the mat' });
    await until(async () => /Nobody waits/.test((await ada.get('/inbox')).body));
    await ada.post(`/inbox/${id}/done`, { on: 'yes' });
    assert.match((await ada.get('/inbox?show=done')).body, /joe/);
    assert.match((await ada.get('/inbox')).body, /Nothing is open/);
    await joe.post(`${line}/messages`, { content: 'Thank you' });
    await until(async () => /1 person waits/.test((await ada.get('/inbox')).body));

    for (const path of [line, '/groups', '/account/export'])
      assert.doesNotMatch((await joe.get(path)).body, /canarynote/);
    for (const file of ['chat.sqlite3', 'chat.sqlite3-wal'])
      assert.ok(!readFileSync(join(hearth.dataDir, file)).includes('canarynote'));
  },
);

test('whoever becomes an administrator reads every line, whoever is none any more is out of all at once', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const eve = await newPerson(hearth.url, 'eve');
  const line = await lineOf(joe);
  await joe.post(`${line}/messages`, { content: 'in confidence' });
  assert.equal((await eve.get(line)).status, 404);
  assert.equal((await eve.get('/inbox')).status, 403);
  await ada.post('/admin/people/3/make-admin');
  await until(async () => (await eve.get(line)).status === 200);
  const socket = await eve.socket(`/ws/chat/${line.split('/').at(-1)}`);
  await ada.post('/admin/people/3/remove-admin');
  assert.ok([1001, 4403].includes((await socket.closed).code));
  await until(async () => (await eve.get(line)).status === 404);
  assert.doesNotMatch((await eve.get('/search?q=confidence')).body, /in confidence/);
  assert.equal((await ada.post('/line')).status, 403, 'an administrator has no line');
  assert.match((await ada.post('/inbox/people/3')).location, /^\/groups\/\d+$/, 'administrators begin one');
});

test('after a kill the queue and the roles are as if nothing had happened', async (t) => {
  const hearth = await startHearthProcess(t, {});
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const line = await lineOf(joe);
  await joe.post(`${line}/messages`, { content: 'one' });
  await hearth.kill();
  const next = await startHearth(t, { dataDir: hearth.dataDir });
  const moved = Object.assign(ada, { url: next.url });
  await until(async () => /1 person waits/.test((await moved.get('/inbox')).body));
});

/** Numbers that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

test('with INBOX_ONLY no member ever sees anything of another, whatever they do', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: { ...service.env, INBOX_ONLY: 'on' } });
  const ada = await newPerson(hearth.url, 'ada');
  const devices = new Map<string, string>();
  const names = ['canaryjoe', 'canarykim', 'canarylea'];
  const members = new Map<string, { visitor: Visitor; line: string; sockets: Socket[] }>();
  for (const name of names) {
    const visitor = await newPerson(hearth.url, name);
    assert.equal((await visitor.get('/')).location, '/line');
    const device = service.subscribe(`A phone of ${name}`);
    devices.set(new URL(device.endpoint).pathname, name);
    await visitor.post('/notifications/devices', device);
    const line = (await visitor.get('/line')).location;
    const id = line.split('/').at(-1);
    const sockets = [
      await visitor.socket('/ws'),
      await visitor.socket('/ws', { protocol: 'hearth.html' }),
      await visitor.socket(`/ws/chat/${id}`),
      await visitor.socket(`/ws/chat/${id}`, { protocol: 'hearth.html' }),
    ];
    members.set(name, { visitor, line, sockets });
  }
  for (const path of ['/', '/groups', '/direct']) assert.equal((await ada.get(path)).location, '/inbox');
  assert.doesNotMatch((await ada.get('/people/2')).body, /action="\/direct"/, 'it would be refused');
  const next = random(7);
  const files: string[] = [];
  const acts: ((name: string) => Promise<unknown>)[] = [
    (name) =>
      member(name).visitor.post(`${member(name).line}/messages`, {
        content: `${name} writes to @ada and @${names[1]}`,
      }),
    (name) =>
      ada.post(`${member(name).line}/messages`, { content: `answer to ${name}`, replyTo: '1', thread: '1' }),
    async (name) => {
      const file = { name: `${name}.txt`, type: 'text/plain', bytes: Buffer.from(name) };
      const { body } = await member(name).visitor.upload(
        `${member(name).line}/files`,
        [file],
        {},
        { 'hx-request': 'true' },
      );
      const id = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
      files.push(`${name} ${id}`);
      await member(name).visitor.post(`${member(name).line}/messages`, {
        content: `${name} sends`,
        files: id,
      });
    },
    (name) => member(name).visitor.post('/account/line', { line: `${name} says` }),
    (name) =>
      member(name).visitor.post(`${member(name).line}/messages/1/reactions`, { emoji: '👍', on: 'yes' }),
    (name) => ada.post(`/inbox/${member(name).line.split('/').at(-1)}/note`, { note: `note on ${name}` }),
    (name) => member(name).visitor.post('/groups', { name: `group of ${name}` }),
    (name) => member(name).visitor.post('/direct', { with: String(2 + Math.floor(next() * 3)) }),
    (name) => member(name).visitor.post(`/groups/${1 + Math.floor(next() * 6)}/join`),
    (name) => member(name).visitor.post('/account/export'),
  ];
  for (let count = 0; count < 60; count++) {
    const act = acts[Math.floor(next() * acts.length)];
    await act?.(names[Math.floor(next() * names.length)] ?? '');
  }
  await new Promise((resolve) => setTimeout(resolve, 1_200));

  for (const name of names) {
    const { visitor, line, sockets } = member(name);
    const others = names.filter((other) => other !== name);
    const paths = [
      '/',
      '/groups',
      line,
      `${line}/members`,
      `${line}/files`,
      `${line}/settings`,
      `${line}/names`,
      `${line}/pins`,
      '/threads',
      '/saved',
      '/direct',
      '/search',
      '/account',
      '/account/sessions',
      '/account/export/archive',
      '/invitations',
      '/reports',
      '/inbox',
      '/admin',
      '/admin/people',
      '/admin/groups',
    ];
    for (const other of others) paths.push(`/search?q=${other.slice(0, 6)}`, `/search?q=from:${other}`);
    for (let id = 1; id <= 8; id++)
      paths.push(`/groups/${id}`, `/groups/${id}/messages?after=0`, `/people/${id}`, `/groups/${id}/members`);
    for (const path of paths) {
      const { body, status } = await visitor.get(path);
      // What somebody typed themselves comes back: the search, and whom they tried to mention.
      const said = body.replaceAll(`@${names[1]}`, '').replaceAll(/from:canary\w+|called “canary\w+”/g, '');
      for (const other of others)
        assert.ok(!said.includes(other), `${name} reads of ${other} at ${path} (${status})`);
      assert.doesNotMatch(body, /note on canary/, path);
    }
    for (const file of files.filter((entry) => !entry.startsWith(name)))
      assert.equal((await visitor.get(`/media/${file.split(' ')[1]}`)).status, 404);
    const frames = sockets
      .flatMap((socket) => socket.frames)
      .join('\n')
      .replaceAll(`@${names[1]}`, '');
    for (const other of others) assert.ok(!frames.includes(other), `${name} hears of ${other}`);
    for (const { line: theirs } of [...members.values()].filter((one) => one.visitor !== visitor)) {
      assert.equal((await visitor.post(`${theirs}/messages`, { content: 'hello' })).status, 404);
      const { code } = await (await visitor.socket(`/ws/chat/${theirs.split('/').at(-1)}`)).closed;
      assert.equal(code, 4403);
    }
  }
  assert.match(
    (await ada.get('/inbox')).body,
    /canaryjoe[\s\S]*canarykim|canarykim[\s\S]*canaryjoe/,
    'administrators do',
  );
  assert.equal(
    (await new Visitor(hearth.url).post('/login', { username: 'canaryjoe', password: PASSWORD })).status,
    303,
  );

  function member(name: string) {
    return members.get(name) ?? assert.fail(name);
  }
});

test('reports of groups are no way around INBOX_ONLY for those who owned one', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'admin');
  const ada = await newPerson(hearth.url, 'ada');
  await ada.post('/groups', { name: 'Garden' });
  const joe = await newPerson(hearth.url, 'joe', 3);
  await joe.post('/groups/3/messages', { content: 'canary of joe' });
  const kim = await newPerson(hearth.url, 'kim', 3);
  await kim.post('/groups/3/messages/1/report', { reason: 'canary reason' });
  assert.match((await ada.get('/reports')).body, /canary/);
  await hearth.stop();
  const next = await startHearth(t, { dataDir: hearth.dataDir, env: { INBOX_ONLY: 'on' } });
  const moved = Object.assign(ada, { url: next.url });
  for (const path of ['/reports', '/line']) assert.doesNotMatch((await moved.get(path)).body, /canary/);
});

test('what INBOX_ONLY hides is exported, no longer kept and deleted with an account as everything else', async (t) => {
  const hearth = await startHearth(t);
  const admin = await newPerson(hearth.url, 'admin');
  const ada = await newPerson(hearth.url, 'ada');
  await ada.post('/groups', { name: 'Garden' });
  const joe = await newPerson(hearth.url, 'joe', 3);
  for (const content of ['old words', 'canary of joe']) await joe.post('/groups/3/messages', { content });
  await hearth.stop();
  const old = Date.now() - 40 * 86_400_000;
  await runSql(
    hearth.dataDir,
    'chat',
    `UPDATE messages SET created_at = ${old} WHERE group_id = 3 AND seq = 1`,
  );
  const next = await startHearth(t, { dataDir: hearth.dataDir, env: { INBOX_ONLY: 'on' } });
  for (const person of [admin, ada, joe]) Object.assign(person, { url: next.url });
  const rows = (table: string, where: string) => countRows(hearth.dataDir, 'chat', table, where);

  await joe.post('/account/export', { password: PASSWORD });
  await until(async () => /Download/.test((await joe.get('/account/export')).body));
  const archive = (await joe.get('/account/export/archive')).bytes;
  const read = (start: number, end: number) => Readable.from([archive.subarray(start, end)]);
  const zip = await openArchiveFile(read, archive.length);
  assert.match(await zip.text('messages.json'), /canary of joe/);
  await admin.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '' });
  await admin.post('/admin/space/purge', {});
  await until(async () => (await rows('messages', 'group_id = 3')) === 1);
  await ada.post('/account/delete', { messages: 'keep', password: PASSWORD });
  await until(async () => (await rows('memberships', 'group_id = 3')) === 1);
  assert.equal(await rows('memberships', 'group_id = 3 AND account_id = 3 AND is_owner = 1'), 1);
});

test('a list that there is not is the list of open lines', async (t) => {
  const { url } = await startHearth(t);
  const root = await newPerson(url, 'root');
  for (const show of ['constructor', 'toString', '__proto__', 'nothing'])
    assert.equal((await root.get(`/inbox?show=${show}`)).status, 200, show);
});
