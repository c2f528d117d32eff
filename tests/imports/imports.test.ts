import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import yauzl from 'yauzl';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, ROOT, startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { bringIn, finished, upload, zipOf } from '../support/imports.ts';

const shared = await startHearth({ after });
const root = await newPerson(shared.url, 'root');
const picture = await sharp({ create: { width: 60, height: 40, channels: 3, background: '#c2410c' } })
  .jpeg()
  .toBuffer();

const CHAT = [
  '31.12.20, 10:00 - Ada added Joe',
  '31.12.20, 23:58 - Ada Lovelace: canary of an import, *bold*',
  '31.12.20, 23:59 - +49 170 1234567: IMG-1.jpg (Datei angehängt)',
  'with a caption',
  '01.01.21, 00:00 - Joe: happy new year @ada',
].join('\n');

test('a WhatsApp chat comes in with its media, by the people who wrote it, and nobody is told of it', async () => {
  const joe = await newPerson(shared.url, 'joe');
  const zip = await zipOf({ 'WhatsApp Chat mit Familie.txt': CHAT, 'IMG-1.jpg': picture });
  const { location } = await upload(root, 'WhatsApp Chat mit Familie.zip', zip, 'Europe/Berlin');
  const { body: plan } = await root.get(location);
  assert.match(plan, /<dd>WhatsApp<\/dd>[\s\S]*<dd>3<\/dd>/);
  assert.match(plan, /1 notice, such as who joined/);
  assert.match(plan, /name="conversation.0" value="Familie"/);
  assert.match(plan, /name="person.2" value="joe"/, 'whoever has the name is proposed');
  const wrong = await root.post(`${location}/start`, {
    'conversation.0': 'Familie',
    'person.0': 'nobody.here',
  });
  assert.deepEqual(
    [wrong.status, /There is nobody here with the name “nobody.here”/.test(wrong.body)],
    [400, true],
  );
  assert.match(wrong.body, /name="person.0" value="nobody.here"/, 'what was typed is still there');
  const form = {
    'conversation.0': 'Familie',
    'person.0': '',
    'person.1': '',
    'person.2': 'joe',
    zone: 'Europe/Berlin',
  };
  await root.post(`${location}/start`, form);
  const { body, groupId } = await finished(root, location);
  assert.match(body, /3 messages added[\s\S]*2 people have accounts now/);
  assert.match((await joe.get('/groups')).body, new RegExp(`data-group-id="${groupId}" data-unread="1"`));
  assert.match(
    (await root.get(`/groups/${groupId}/messages/3`)).body,
    /Seen by<\/h2>\s*<p><span class="muted">Nobody yet/,
  );
  const page = (await joe.get(`/groups/${groupId}`)).body;
  assert.match(
    page,
    />Ada Lovelace<\/a>[\s\S]*datetime="2020-12-31T22:58:00.000Z"[\s\S]*canary of an import/,
  );
  assert.match(page, /\+49 170 1234567<\/a>[\s\S]*with a caption[\s\S]*<img [^>]*\/thumbnail/);
  assert.match(page, /datetime="2020-12-31T23:00:00.000Z"[\s\S]*happy new year/);
  assert.match((await joe.get('/search?q=canary')).body, /canary/);
  assert.equal(
    (await (await newPerson(shared.url, 'eve')).get(`/groups/${groupId}`)).status,
    403,
    'a closed group',
  );
  assert.match((await root.get('/admin/log')).body, /brought in from another chat[\s\S]*Familie/);
  for (const file of readdirSync(shared.dataDir).filter((name) => name.startsWith('chat.sqlite3')))
    assert.ok(!readFileSync(join(shared.dataDir, file)).includes('canary of an import'), file);

  // A later export of the same chat adds what is new.
  const later = await zipOf({
    'WhatsApp Chat mit Familie.txt': `${CHAT}\n02.01.21, 08:00 - Joe: and more`,
    'IMG-1.jpg': picture,
  });
  const again = await bringIn(
    root,
    'later.zip',
    later,
    { ...form, 'person.0': 'ada.lovelace', 'person.1': '49.170.1234567' },
    'Europe/Berlin',
  );
  assert.match(again.body, /1 message added, 3 were here already/);
  assert.equal(again.groupId, groupId);
  assert.doesNotMatch(again.body, /accounts? now/);
  assert.equal((await joe.get(`/groups/${groupId}`)).body.split('with a caption').length, 2);

  // The account of somebody who had none is theirs with a link.
  const people = (await root.get('/admin/people?q=ada')).body;
  const id = /href="\/admin\/people\/(\d+)"/.exec(people)?.[1];
  assert.equal(
    (await new Visitor(shared.url).post('/login', { username: 'ada.lovelace', password: '' })).status,
    400,
  );
  const link =
    /\/new-password\/[\w-]+/.exec((await root.post(`/admin/people/${id}/password-link`)).body)?.[0] ?? '';
  const ada = new Visitor(shared.url);
  assert.equal((await ada.post(link, { password: PASSWORD })).status, 303);
  assert.match((await ada.get(`/groups/${groupId}`)).body, /canary of an import/);
});

test('a Slack export comes in, channel by channel, with threads and names', async () => {
  const message = (ts: string, user: string, text: string, more = {}) => ({
    type: 'message',
    user,
    text,
    ts,
    ...more,
  });
  const zip = await zipOf({
    'users.json': JSON.stringify([
      { id: 'U1', name: 'mary', profile: { real_name: 'Mary Smith', display_name: 'mary' } },
      { id: 'U2', name: 'bob', profile: { real_name: 'Bob', display_name: '' } },
    ]),
    'channels.json': JSON.stringify([
      { id: 'C1', name: 'slack-garden' },
      { id: 'C2', name: 'slack-empty' },
      { id: 'C3', name: 'slack-left-out' },
    ]),
    'slack-garden/2020-01-02.json': JSON.stringify([
      message('1577966400.000300', 'U2', 'a *reply*', { thread_ts: '1577880000.000100' }),
      {
        type: 'message',
        subtype: 'bot_message',
        username: 'build',
        text: 'done &amp; dusted',
        ts: '1577966500.000100',
      },
    ]),
    'slack-garden/2020-01-01.json': JSON.stringify([
      message('1577880000.000100', 'U1', 'Hello <@U2>, see <https://example.org|this>', {
        files: [{ name: 'plan.pdf', url_private: 'x' }],
      }),
      message('1577880001.000100', 'U1', 'joined', { subtype: 'channel_join' }),
    ]),
    'slack-left-out/2020-01-01.json': JSON.stringify([message('1577880000.000100', 'U1', 'not this')]),
  });
  const form = {
    'conversation.0': 'Our garden',
    'conversation.1': 'slack-empty',
    'conversation.2': '',
    zone: 'UTC',
  };
  const { body, groupId } = await bringIn(root, 'slack.zip', zip, form);
  assert.match(body, /Our garden<\/a> <span class="muted">3 messages added/);
  const page = (await root.get(`/groups/${groupId}`)).body;
  assert.match(page, />Mary Smith<\/a>[\s\S]*Hello @Bob, see <a [^>]*>this<\/a>[\s\S]*\(File: plan.pdf\)/);
  assert.match(page, />Bob<\/a>[\s\S]*data-quote="1"[\s\S]*a <strong>reply<\/strong>/);
  assert.match(page, />build<\/a>[\s\S]*done &amp; dusted/);
  assert.match((await root.get(`/groups/${groupId}/threads/1`)).body, /a <strong>reply/);
  assert.doesNotMatch((await root.get('/groups')).body, /slack-left-out/);
});

test('a Mattermost bulk export comes in, with replies and files', async () => {
  const lines = [
    { type: 'version', version: 1 },
    { type: 'team', team: { name: 'us', display_name: 'Us' } },
    { type: 'channel', channel: { team: 'us', name: 'town-square', display_name: 'Town Square', type: 'O' } },
    {
      type: 'user',
      user: { username: 'zoe', email: 'zoe@example.org', first_name: 'Zoë', last_name: 'Miller' },
    },
    {
      type: 'post',
      post: {
        ...{
          team: 'us',
          channel: 'town-square',
          user: 'zoe',
          message: 'the **first**',
          create_at: 1_600_000_000_000,
        },
        attachments: [{ path: '20200913/plan.jpg' }],
        replies: [{ user: 'zoe', message: 'and a reply', create_at: 1_600_000_060_000 }],
      },
    },
    {
      type: 'direct_post',
      direct_post: { channel_members: ['zoe', 'x'], user: 'zoe', message: 'private', create_at: 1 },
    },
  ];
  const zip = await zipOf({
    'import.jsonl': lines.map((line) => JSON.stringify(line)).join('\n'),
    'data/20200913/plan.jpg': picture,
  });
  const { groupId } = await bringIn(root, 'mattermost.zip', zip, { 'conversation.0': 'Town Square' });
  const page = (await root.get(`/groups/${groupId}`)).body;
  assert.match(page, />Zoë Miller<\/a>[\s\S]*the <strong>first<\/strong>[\s\S]*\/thumbnail/);
  assert.match(page, /data-quote="1"[\s\S]*and a reply/);
  assert.doesNotMatch(page, /private/);
});

test('what is no archive, a bomb, or not for this account is refused with a sentence', async () => {
  const joe = await newPerson(shared.url, 'member');
  assert.equal((await joe.get('/admin/imports')).status, 403);
  assert.equal((await upload(joe, 'a.zip', await zipOf({ 'a.txt': CHAT }))).status, 403);
  const refusals: [string, Buffer, RegExp][] = [
    ['a.txt', Buffer.from('Just a text\nof two lines'), /no export of WhatsApp, Slack, Mattermost or Hearth/],
    ['a.zip', await zipOf({ 'a.pdf': 'x' }), /no export of WhatsApp/],
    [
      'messages.jsonl',
      Buffer.from('{"type":"archive","format":"hearth","version":1}\n{"type":"group","id":1,"na'),
      /no export of WhatsApp/,
    ],
    ['a.zip', Buffer.from('PK\u0003\u0004 and nothing else'), /This ZIP cannot be read/],
    [
      'a.zip',
      await zipOf({ '_chat.txt': Buffer.alloc(30_000_000, 'a') }),
      /unpacks to more than any chat has/,
    ],
    [
      'a.zip',
      await zipOf({ 'users.json': '{"not":"a list"}', 'channels.json': '[]' }),
      /no export of WhatsApp/,
    ],
  ];
  for (const [name, bytes, sentence] of refusals) {
    const { status, body } = await upload(root, name, bytes);
    assert.deepEqual(
      [status, sentence.test(body)],
      [400, true],
      `${name} ${sentence}: ${body.slice(-1_500)}`,
    );
  }
  const noFile = (await root.upload('/admin/imports', [], { zone: 'America/New_York' })).body;
  assert.match(noFile, /Choose the file/);
  assert.match(noFile, /name="zone" value="America\/New_York"/, 'what was typed is still there');
  // yazl refuses to write such a name: it is put in place of one of the same length.
  const tricky = await zipOf({ '_chat.txt': CHAT, 'xx/xx/xx/evil.jpg': picture });
  const evil = Buffer.from(
    tricky.toString('latin1').replaceAll('xx/xx/xx/evil.jpg', '../../../evil.jpg'),
    'latin1',
  );
  assert.match((await upload(root, 'evil.zip', evil)).body, /This ZIP cannot be read/);
  const { location } = await upload(root, '_chat.txt', Buffer.from(CHAT));
  const member = await joe.post(`${location}/start`, { 'conversation.0': 'x' });
  assert.equal(member.status, 403);
  const taken = await newPerson(shared.url, 'taker');
  await taken.post('/groups', { name: 'Not yours' });
  assert.match(
    (await root.post(`${location}/start`, { 'conversation.0': 'not yours' })).body,
    /that you are not in/,
  );
  assert.match(
    (await root.post(`${location}/start`, { 'conversation.0': '' })).body,
    /at least one conversation/,
  );
  const old = Number(/\d+/.exec((await root.post('/groups', { name: 'Old times' })).location)?.[0]);
  await root.post(`/groups/${old}/archive`, { on: 'yes' });
  assert.match(
    (await root.post(`${location}/start`, { 'conversation.0': 'old times' })).body,
    /“Old times” is archived/,
  );
  assert.equal((await root.post(`${location}/discard`)).location, '/admin/imports');
  assert.equal((await root.get(location)).status, 404);
});

test('an import that a killed process did not finish is finished by the next, with nothing twice', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startHearthProcess(t, { dataDir });
  const ada = await newPerson(first.url, 'ada');
  const lines = Array.from({ length: 12_000 }, (_, index) => {
    const minute = new Date(Date.UTC(2020, 0, 13, 0, index)).toISOString();
    return `${minute.slice(0, 10)}, ${minute.slice(11, 16)} - ${index % 2 ? 'Joe' : 'Kim'}: message ${index}`;
  });
  const { location } = await upload(ada, 'WhatsApp Chat with Club.txt', Buffer.from(lines.join('\n')));
  await ada.post(`${location}/start`, { 'conversation.0': 'Club' });
  for (;;) {
    const done = Number(/(\d+) of 12000 messages/.exec((await ada.get(location)).body)?.[1] ?? 0);
    if (done > 500) break;
  }
  await first.kill();
  const second = await startHearthProcess(t, { dataDir });
  const again = new Visitor(second.url);
  await again.post('/login', { username: 'ada', password: PASSWORD });
  const { body, groupId } = await finished(again, location);
  const [, added = '0', already = '0'] =
    /(\d+) messages added(?:, (\d+) were here already)?/.exec(body) ?? [];
  assert.equal(Number(added) + Number(already), 12_000, body.slice(-2_000));
  assert.ok(Number(already) >= 500, 'what was in before the kill');
  const page = (await again.get(`/groups/${groupId}`)).body;
  assert.match(page, /id="message-12000"[\s\S]*message 11999/);
  assert.equal((await again.get('/admin/people')).body.split('href="/admin/people/').length - 1, 3);
});

test('the archive of a group opens without a server, and another Hearth brings it in', async (t) => {
  const owner = await newPerson(shared.url, 'owner');
  const created = await owner.post('/groups', { name: 'Archive' });
  const groupId = Number(/\d+/.exec(created.location)?.[0]);
  const member = await newPerson(shared.url, 'helper', groupId);
  const file = { name: 'plan.jpg', type: 'image/jpeg', bytes: picture };
  const { body } = await owner.upload(`/groups/${groupId}/files`, [file], {}, { 'hx-request': 'true' });
  await owner.post(`/groups/${groupId}/messages`, {
    content: 'The **plan** <script>',
    files: /data-file="([^"]+)"/.exec(body)?.[1] ?? '',
  });
  await member.post(`/groups/${groupId}/messages`, { content: 'I like it', replyTo: '1' });
  await owner.post(`/groups/${groupId}/messages`, { content: 'taken back' });
  await owner.post(`/groups/${groupId}/messages/3/remove`);
  assert.equal((await member.get(`/groups/${groupId}/archive`)).status, 403);
  assert.doesNotMatch((await member.get(`/groups/${groupId}/settings`)).body, /\/archive" download/);
  const downloaded = await owner.get(`/groups/${groupId}/archive`);
  assert.deepEqual(
    [downloaded.status, downloaded.headers['content-disposition']],
    [200, `attachment; filename="Archive.zip"; filename*=UTF-8''Archive.zip`],
  );
  const entries = await unpack(downloaded.bytes);
  const page = String(entries.get(`groups/${groupId}.html`));
  assert.match(
    page,
    /<strong>owner<\/strong>[\s\S]*<strong>plan<\/strong> &lt;script&gt;[\s\S]*<img src="\.\.\/files\//,
  );
  assert.doesNotMatch([...entries.values()].map(String).join(''), /taken back/);
  assert.match(String(entries.get('index.html')), new RegExp(`href="groups/${groupId}.html">Archive<`));

  const other = await startHearth(t);
  const admin = await newPerson(other.url, 'admin');
  const brought = await bringIn(admin, 'Archive.zip', downloaded.bytes, { 'conversation.0': 'Archive' });
  assert.match(brought.body, /2 messages added/);
  const there = (await admin.get(`/groups/${brought.groupId}`)).body;
  assert.match(there, />owner<\/a>[\s\S]*<strong>plan<\/strong>[\s\S]*\/thumbnail/);
  assert.match(there, /data-quote="1"[\s\S]*I like it/);
  const again = await bringIn(admin, 'Archive.zip', downloaded.bytes, {
    ...{ 'conversation.0': 'Archive', 'person.0': 'owner', 'person.1': 'helper' },
  });
  assert.match(again.body, /0 messages added, 2 were here already/);
});

test(
  'npm run export writes everything, also conversations between a few, for whoever runs the machine',
  ON_SQLITE,
  async (t) => {
    const folder = temporaryFolder(t);
    const hearth = await startHearth(t);
    const ada = await newPerson(hearth.url, 'ada', 1);
    await newPerson(hearth.url, 'joe');
    await ada.post('/groups/1/messages', { content: 'to all' });
    await ada.post('/groups/1/messages', { content: 'removed' });
    await ada.post('/groups/1/messages/2/remove');
    const direct = (await ada.post('/direct', { with: '2' })).location;
    await ada.post(`${direct}/messages`, { content: 'to joe' });
    const target = join(folder, 'all.zip');
    const run = () =>
      promisify(execFile)('node', ['command.js', 'export', target, '--data', hearth.dataDir], {
        cwd: ROOT,
      });
    assert.match((await run()).stdout, /3 conversations, 2 messages. It is not encrypted/);
    const entries = await unpack(readFileSync(target));
    assert.match(String(entries.get('index.html')), /General[\s\S]*ada, joe/);
    assert.match(String(entries.get('messages.jsonl')), /to all[\s\S]*to joe/);
    assert.equal(statSync(target).mode & 0o777, 0o600);
    await assert.rejects(run(), /is there already/);
    const file = { name: 'plan.txt', type: 'text/plain', bytes: Buffer.from('plan') };
    const { body } = await ada.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
    const id = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
    await ada.post('/groups/1/messages', { content: '', files: id });
    const stored = readdirSync(join(hearth.dataDir, 'media'), { recursive: true, encoding: 'utf8' });
    rmSync(join(hearth.dataDir, 'media', stored.find((path) => path.endsWith(id)) ?? assert.fail()));
    rmSync(target);
    await assert.rejects(run(), { code: 1, stderr: /could not be read:\nfiles\/1-3-.*plan\.txt/ });
    assert.ok((await unpack(readFileSync(target))).has('files/NOT-READABLE.txt'));
  },
);

/** The entries of an archive, by path. */
async function unpack(bytes: Buffer): Promise<Map<string, Buffer>> {
  const zip = await yauzl.fromBufferPromise(bytes);
  const entries = new Map<string, Buffer>();
  for await (const entry of zip.eachEntry())
    entries.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
  return entries;
}
