import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { bringIn, finished, upload, zipOf } from '../support/imports.ts';
import { startReceiver } from '../support/receiver.ts';
import { countRows, runSql } from '../support/rows.ts';
import { until } from '../support/until.ts';

const shared = await startHearth({ after });
const root = await newPerson(shared.url, 'root');

const slackOf = (
  channels: Record<string, readonly (readonly [user: string, text: string])[]>,
  closed: string[],
) => {
  const users = [...new Set(Object.values(channels).flatMap((said) => said.map(([user]) => user)))];
  const names = (isClosed: boolean) =>
    JSON.stringify(
      Object.keys(channels)
        .filter((name) => closed.includes(name) === isClosed)
        .map((name) => ({ id: name, name })),
    );
  const days = Object.entries(channels).map(([name, said], channel) => [
    `${name}/2020-01-01.json`,
    JSON.stringify(
      said.map(([user, text], index) => ({
        type: 'message',
        user,
        text,
        ts: `${1577880000 + channel}.${index}`,
      })),
    ),
  ]);
  return zipOf({
    'users.json': JSON.stringify(users.map((name) => ({ id: name, name, profile: { real_name: name } }))),
    'channels.json': names(false),
    'groups.json': names(true),
    ...Object.fromEntries(days),
  });
};

test('whoever wrote in a conversation becomes a member of its group, and of no other', async () => {
  const bob = await newPerson(shared.url, 'bob');
  await newPerson(shared.url, 'carl');
  const zip = await slackOf(
    {
      'sx-general': [['bob', 'hello all']],
      'sx-board': [
        ['root', 'about bob'],
        ['carl', 'yes'],
      ],
    },
    ['sx-board'],
  );
  const form = { 'person.0': 'root', 'person.1': 'carl', 'person.2': 'bob' };
  const { body } = await bringIn(root, 'slack.zip', zip, form);
  const board = Number(/href="\/groups\/(\d+)">sx-board/.exec(body)?.[1]);
  const general = Number(/href="\/groups\/(\d+)">sx-general/.exec(body)?.[1]);
  assert.equal((await bob.get(`/groups/${general}`)).status, 200);
  const refused = await bob.get(`/groups/${board}`);
  assert.ok(refused.status === 403 || refused.status === 404, String(refused.status));
  assert.doesNotMatch(refused.body, /about bob/);
});

/** A ZIP whose only file has another length than its directory says. */
async function damaged(chat: string, sizeDifference: number): Promise<Buffer> {
  const zip = await zipOf({ '_chat.txt': chat, 'a.pdf': randomBytes(5_000).toString('hex') });
  // The central directory's header of the last file: its size is at 24 (APPNOTE.TXT, 4.3.12).
  const header = zip.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
  zip.writeUInt32LE(zip.readUInt32LE(header + 24) + sizeDifference, header + 24);
  return zip;
}

test('a damaged file of an archive is counted as lost, and everything else comes in', async () => {
  for (const difference of [-1, 100]) {
    const chat = [
      '13.01.20, 10:00 - Ada: a.pdf (file attached)',
      '13.01.20, 10:01 - Ada: and on it goes',
    ].join('\n');
    const form = { 'conversation.0': `Damaged ${difference}` };
    const { body } = await bringIn(root, 'chat.zip', await damaged(chat, difference), form);
    assert.match(body, /2 messages added/, /role="alert"[^<]*<|notice[^<]*<[^<]*/.exec(body)?.[0]);
    assert.match(body, /1 file could not be taken|1 file/);
    assert.equal((await root.get('/healthz')).status, 200);
  }
});

test('messages with files keep their place among the others', async () => {
  const side = sharp(randomBytes(900 * 900 * 3), { raw: { width: 900, height: 900, channels: 3 } });
  const picture = await side.jpeg().toBuffer();
  const lines = Array.from({ length: 12 }, (_, index) => {
    const said = index % 4 === 0 ? `IMG-${index}.jpg (file attached)\nplace ${index}.` : `place ${index}.`;
    return `13.01.20, 10:${String(index + 10)} - Ada: ${said}`;
  });
  const zip = await zipOf({
    '_chat.txt': lines.join('\n'),
    ...{ 'IMG-0.jpg': picture, 'IMG-4.jpg': picture, 'IMG-8.jpg': picture },
  });
  const { groupId } = await bringIn(root, 'places.zip', zip, { 'conversation.0': 'Places' });
  const page = (await root.get(`/groups/${groupId}`)).body;
  const order = [...page.matchAll(/place (\d+)\.<\/p>/g)].map((match) => Number(match[1]));
  assert.deepEqual(
    order,
    Array.from({ length: 12 }, (_, index) => index),
  );
});

test('what a killed process left of a file is not in the way of the next', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startHearthProcess(t, { dataDir });
  const ada = await newPerson(first.url, 'ada');
  const picture = await sharp(randomBytes(300 * 300 * 3), { raw: { width: 300, height: 300, channels: 3 } })
    .jpeg()
    .toBuffer();
  const count = 40;
  const files = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`IMG-${index}.jpg`, picture]),
  );
  const lines = Object.keys(files).map(
    (name, index) =>
      `13.01.20, ${10 + Math.floor(index / 60)}:${String(index % 60).padStart(2, '0')} - Ada: ${name} (file attached)`,
  );
  const zip = await zipOf({ '_chat.txt': lines.join('\n'), ...files });
  const { location } = await upload(ada, 'Kill.zip', zip);
  await ada.post(`${location}/start`, { 'conversation.0': 'Kill', 'person.0': 'ada' });
  const media = join(dataDir, 'media');
  const partials = () =>
    readdirSync(media, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.part'));
  while (partials().length === 0) await sleep(1);
  await first.kill();
  // The kill may have come between two files.
  if (partials().length === 0) t.diagnostic('no partial file was left');
  const second = await startHearthProcess(t, { dataDir });
  const again = new Visitor(second.url);
  await again.post('/login', { username: 'ada', password: PASSWORD });
  const { body } = await finished(again, location);
  assert.match(body, /(?:\d+ messages added)/, body.slice(-2_000));
  assert.doesNotMatch(body, /could not be taken/);
  assert.deepEqual(partials(), []);
});

test('an archive of a group that comes back to it adds nothing, and one of another server adds all of it', async (t) => {
  const made = Number(/\d+/.exec((await root.post('/groups', { name: 'Team' })).location)?.[0]);
  for (const [content, replyTo] of [
    ['root of it', ''],
    ['an answer', '1'],
    ['an answer to it', '2'],
  ] as const)
    await root.post(`/groups/${made}/messages`, { content, ...(replyTo && { replyTo }) });
  const archive = (await root.get(`/groups/${made}/archive`)).bytes;
  const home = await bringIn(root, 'Team.zip', archive, { 'conversation.0': 'Team', 'person.0': 'root' });
  assert.match(home.body, /0 messages added, 3 were here already/);

  const other = await startHearth(t);
  const admin = await newPerson(other.url, 'admin');
  const theirs = Number(/\d+/.exec((await admin.post('/groups', { name: 'Merged' })).location)?.[0]);
  for (const content of ['one', 'two', 'three']) await admin.post(`/groups/${theirs}/messages`, { content });
  const second = (await admin.get(`/groups/${theirs}/archive`)).bytes;
  const third = await startHearth(t);
  const chief = await newPerson(third.url, 'chief');
  const form = { 'conversation.0': 'Merged', 'person.0': 'chief' };
  assert.match((await bringIn(chief, 'Team.zip', archive, form)).body, /3 messages added/);
  const merged = await bringIn(chief, 'Merged.zip', second, form);
  assert.match(merged.body, /3 messages added/, 'the numbers of messages are not their identity');
  const thread = (await chief.get(`/groups/${merged.groupId}/threads/1`)).body;
  assert.match(thread, /an answer[\s\S]*an answer to it/, 'a reply to a reply stays in the thread');
});

test('the first messages of somebody come in with all their files', async () => {
  const picture = await sharp({ create: { width: 60, height: 40, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer();
  const numbers = Array.from({ length: 8 }, (_, index) => index + 1);
  const zip = await zipOf({
    'WhatsApp Chat with Firsts.txt': numbers
      .map((number) => `13.01.20, 10:0${number} - Nell: IMG-${number}.jpg (file attached)`)
      .join('\n'),
    ...Object.fromEntries(numbers.map((number) => [`IMG-${number}.jpg`, picture])),
  });
  const { body, groupId } = await bringIn(root, 'WhatsApp Chat with Firsts.zip', zip);
  assert.doesNotMatch(body, /could not be taken/);
  const page = (await root.get(`/groups/${groupId}`)).body;
  assert.equal(page.match(/\/thumbnail/g)?.length, 8);
  assert.doesNotMatch(page, /Empty message/);
});

test('two thousand people and as many channels come in, also by the form of their page', async () => {
  const numbers = Array.from({ length: 2_000 }, (_, index) => index);
  const lines = [
    { type: 'version', version: 1 },
    ...numbers.map((number) => ({
      type: 'channel',
      channel: { team: 't', name: `c${number}`, display_name: `Channel ${number}` },
    })),
    ...numbers.map((number) => ({
      type: 'post',
      post: { team: 't', channel: 'c0', user: `user${number}`, message: 'hi', create_at: 1.6e12 + number },
    })),
  ];
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  const { location } = await upload(root, 'many.jsonl', Buffer.from(text));
  const { body } = await root.get(location);
  const names = [...body.matchAll(/name="((?:conversation|person)\.\d+)"/g)].map(([, name]) => name ?? '');
  assert.equal(names.length, 4_000);
  const form = Object.fromEntries(names.map((name) => [name, name === 'person.0' ? 'nobody-here' : '']));
  const { status, body: answer } = await root.post(`${location}/start`, {
    ...form,
    'conversation.0': 'Many',
  });
  assert.deepEqual([status, /nobody here with the name “nobody-here”/.test(answer)], [400, true]);
  await root.post(`${location}/discard`);
});

test('what is written while an import runs stays unread', async (t) => {
  const hearth = await startHearth(t);
  const chief = await newPerson(hearth.url, 'chief', 1);
  const bob = await newPerson(hearth.url, 'bobby', 1);
  const chat = Array.from({ length: 10_000 }, (_, index) => `13.01.20, 10:10 - Kim: number ${index}`);
  const { location } = await upload(chief, 'u.txt', Buffer.from(chat.join('\n')));
  await chief.post(`${location}/start`, { 'conversation.0': 'General' });
  const rows = () => countRows(hearth.dataDir, 'chat', 'messages', 'group_id = 1');
  await until(async () => (await rows()) > 500, 'it runs');
  await chief.post('/groups/1/messages', { content: 'The house is on fire' });
  assert.ok((await rows()) < 10_000, 'written meanwhile');
  await finished(chief, location);
  const [news] = await runSql(hearth.dataDir, 'chat', 'SELECT seq FROM messages WHERE author_id = 1');
  const unread = /id="group-1"[^>]* data-unread="(\d+)"/.exec((await bob.get('/groups')).body)?.[1];
  assert.equal(Number(unread), 10_001 - (Number(news?.seq) - 1));
});

test('a day leads to what was written on it, also where an older chat came in after newer messages', async () => {
  const made = Number(/\d+/.exec((await root.post('/groups', { name: 'Days' })).location)?.[0]);
  for (let number = 1; number <= 60; number++)
    await root.post(`/groups/${made}/messages`, { content: `of today ${number}` });
  const lines = Array.from({ length: 120 }, (_, index) => {
    const day = `${String(1 + (index % 28)).padStart(2, '0')}`;
    const month = 1 + Math.floor(index / 28);
    return `${day}.0${month}.20, 10:00 - Kim: on day ${month}/${day}`;
  });
  const form = { 'conversation.0': 'Days' };
  const chat = Buffer.from(lines.join('\n'));
  const { groupId } = await bringIn(root, 'WhatsApp Chat with Days.txt', chat, form);
  assert.equal(groupId, made);
  for (let number = 61; number <= 90; number++)
    await root.post(`/groups/${made}/messages`, { content: `of today ${number}` });
  const shown = async (day: string) => {
    const { location } = await root.get(`/groups/${made}?day=${day}`);
    return (await root.get(location)).body;
  };
  assert.match(await shown('2020-03-05'), /on day 3\/05</);
  assert.doesNotMatch(await shown('2020-03-05'), /of today 1</);
  assert.match(await shown(new Date().toISOString().slice(0, 10)), /of today 1</);
  assert.match(await shown('2019-01-01'), /on day 1\/01</);
  assert.match(await shown('2031-01-01'), /of today 90</);
});

test('a hundred people whose names make no username come in', async () => {
  const letters = [...'王李张刘陈杨黄赵吴周徐孙马朱胡'];
  const names = letters.flatMap((first) => letters.slice(0, 8).map((second) => `${first}${second}`));
  const lines = names.map(
    (name, index) => `13.01.20, 10:${String(index % 60).padStart(2, '0')} - ${name}: hello`,
  );
  const { body } = await bringIn(root, 'names.txt', Buffer.from(lines.join('\n')), {
    'conversation.0': 'Names',
  });
  assert.match(body, new RegExp(`${names.length} messages added`));
});

test('a later export of a chat comes in also where somebody has been given another account', async () => {
  const line = (minute: number, text: string) => `13.01.20, 10:${minute} - Adaline: ${text}`;
  const chat = (...lines: string[]) => Buffer.from(lines.join('\n'));
  await bringIn(root, 'a.txt', chat(line(10, 'hi')), { 'conversation.0': 'Adaline' });
  await newPerson(shared.url, 'adaline.real');
  const form = { 'conversation.0': 'Adaline', 'person.0': 'adaline.real' };
  const { body } = await bringIn(root, 'a.txt', chat(line(10, 'hi'), line(11, 'new')), form);
  assert.match(body, /1 message added, 1 was here already|1 messages? added, 1 (?:was|were) here already/);
});

test('what somebody had not read stays unread, and old messages call no program', async (t) => {
  const hearth = await startHearth(t);
  const chief = await newPerson(hearth.url, 'chief');
  const receiver = await startReceiver(t);
  await chief.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' });
  const groupId = Number(/\d+/.exec((await chief.post('/groups', { name: 'Unread' })).location)?.[0]);
  const bob = await newPerson(hearth.url, 'bobby', groupId);
  await bob.get(`/groups/${groupId}`);
  for (const content of ['one', 'two', '@bobby three'])
    await chief.post(`/groups/${groupId}/messages`, { content });
  const program = { name: 'archivist', url: receiver.url, trigger: 'message' };
  const added = await chief.post(`/groups/${groupId}/webhooks/add-outgoing`, program);
  const secret = />(whsec_[^<]+)</.exec((await chief.get(added.location)).body)?.[1] ?? '';
  const line = '13.01.20, 10:10 - Kim: old news';
  await bringIn(chief, 'u.txt', Buffer.from(line), { 'conversation.0': 'Unread' });
  await chief.post(`/groups/${groupId}/messages`, { content: 'news' });
  const { data } = await receiver.next(secret);
  assert.equal(data.message.content, 'news', 'and nothing before it');
  const list = (await bob.get('/groups?new=')).body;
  assert.match(list, /data-unread="5"[^>]*data-mentioned|data-mentioned[^>]*data-unread="5"/);
});

test('one odd value of an archive does not refuse all of it, and odd names are shown as names', async () => {
  const slack = await zipOf({
    'users.json': JSON.stringify([
      { id: 'U1', name: 'odd', profile: { real_name: '\u202eroot\u0000\u0007' } },
    ]),
    'channels.json': JSON.stringify([
      { id: 'C1', name: '__proto__' },
      { id: 'C2', name: 'odd-things' },
    ]),
    'odd-things/2020-01-01.json': JSON.stringify([
      {
        type: 'message',
        user: 'U1',
        text: null,
        ts: '1577880000.1',
        attachments: [{ fallback: 'canary attached' }],
      },
      { type: 'message', subtype: 'bot_message', bot_id: 'B1', text: 'of a bot', ts: '1577880001.1' },
      { type: 'message', user: 'U1', text: 'of no time', ts: 'soon' },
    ]),
    '__proto__/2020-01-01.json': JSON.stringify([
      { type: 'message', user: 'U1', text: 'of a prototype', ts: '1577880000.1' },
    ]),
  });
  const { body } = await bringIn(root, 'slack.zip', slack, {
    'conversation.0': 'Proto',
    'conversation.1': 'Odd things',
  });
  const groupId = Number(/href="\/groups\/(\d+)">Odd things/.exec(body)?.[1]);
  assert.match(body, />Proto<\/a> <span class="muted">1 message added/);
  const page = (await root.get(`/groups/${groupId}`)).body;
  assert.match(page, /canary attached[\s\S]*of a bot/);
  assert.doesNotMatch(page, /\u202e/);

  const jsonl = (...lines: object[]) => Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'));
  const post = (team: string, message: string, create_at: number) => ({
    ...{ type: 'post', post: { team, channel: 'town', user: 'kim', message, create_at } },
  });
  const teams = jsonl(
    { type: 'version', version: 1 },
    ...['a', 'b'].map((team) => ({
      type: 'channel',
      channel: { team, name: 'town', display_name: `Town ${team}` },
    })),
    ...[post('a', 'of a', 1_577_880_000_000), post('b', 'of b', 1_577_880_000_001)],
  );
  const both = await bringIn(root, 'mm.jsonl', teams);
  assert.match(both.body, />Town a<\/a>[\s\S]*>Town b<\/a>/);
  const far = jsonl(
    { type: 'channel', channel: { team: 'a', name: 'town', display_name: 'Far' } },
    post('a', 'far', 1e17),
  );
  assert.match((await upload(root, 'mm.jsonl', far)).body, /This is no export/);
});

test('only those whose messages come in get an account, and a later export finds the same', async () => {
  const export_ = (lines: string[]) => Buffer.from(lines.map((line) => `12/31/23, 11:5${line}`).join('\n'));
  const taken = await newPerson(shared.url, 'benny');
  await taken.post('/account/username', { username: 'benjamin', password: PASSWORD });
  const first = ['8 PM - Benny: happy', '9 PM - Root: new year'];
  const one = await bringIn(root, 'WhatsApp Chat with Benny.txt', export_(first), {
    'conversation.0': 'Bennies',
    'person.1': 'root',
  });
  assert.match(one.body, /2 messages added[\s\S]*1 person has an account now/);
  const people = async () =>
    (await root.get('/admin/people?q=benny')).body.match(/href="\/admin\/people\/\d+"/g);
  const before = await people();
  const again = await bringIn(root, 'WhatsApp Chat with Benny.txt', export_(first), {
    'conversation.0': 'Bennies',
    'person.1': 'root',
  });
  assert.match(again.body, /0 messages added, 2 were here already/);
  assert.deepEqual(await people(), before);
  const { location } = await upload(
    root,
    'WhatsApp Chat with Benny.txt',
    export_([...first, '9 PM - Benny: later']),
  );
  const { body } = await root.get(location);
  const [, proposed] = /name="person.0" value="([^"]+)"/.exec(body) ?? [];
  assert.match(String(proposed), /^benny\d/, 'the one that the first import made');

  const names = {
    users: [
      { id: 'U1', name: 'greta' },
      { id: 'U2', name: 'otto' },
    ],
  };
  const said = (user: string) =>
    JSON.stringify([{ type: 'message', user, text: 'hello', ts: '1700000000.000100' }]);
  const zip = await zipOf({
    'users.json': JSON.stringify(names.users),
    'channels.json': JSON.stringify([
      { id: 'C1', name: 'kept' },
      { id: 'C2', name: 'dropped' },
    ]),
    'kept/2023-11-14.json': said('U1'),
    'dropped/2023-11-14.json': said('U2'),
  });
  const left = await bringIn(root, 'slack.zip', zip, { 'conversation.0': 'kept', 'conversation.1': '' });
  assert.match(left.body, /1 message added[\s\S]*1 person has an account now/);
  assert.doesNotMatch((await root.get('/admin/people')).body, /otto/);
});

test('a chat that is longer than WhatsApp exports is refused with a sentence', async () => {
  const text = `12/31/23, 11:58 PM - Ada: ${'x'.repeat(20_000_001)}`;
  const { status, body } = await upload(root, 'WhatsApp Chat with Ada.txt', Buffer.from(text));
  assert.deepEqual([status, /at most 20 million characters. Divide its text/.test(body)], [400, true]);
});

/** An archive of Hearth with one message for each of these, which may name files. */
function hearthLines(name: string, messages: object[], { people = true, end = '\n' } = {}): string {
  const at = '2020-01-01T10:00:00.000Z';
  const lines = [
    { type: 'archive', format: 'hearth', version: 1, createdAt: at },
    { type: 'group', id: 1, name },
    ...(people ? [{ type: 'person', id: 7, username: 'pia', name: 'Pia' }] : []),
    ...messages.map((message, index) => ({
      ...{ type: 'message', groupId: 1, seq: index + 1, id: `${name}-${index}`, authorId: 7, content: '' },
      ...{ createdAt: at, replyTo: null, thread: null, files: [] },
      ...message,
    })),
  ];
  return lines.map((line) => JSON.stringify(line) + end).join('');
}

test('a file that an archive names and does not have is counted as lost, and named where it was', async () => {
  const files = [{ name: 'plan.txt', size: 3, path: 'files/1-1-plan.txt' }];
  const alone = await bringIn(root, 'messages.jsonl', Buffer.from(hearthLines('Lost', [{ files }])));
  assert.match(alone.body, /1 file could not be taken/);
  assert.match((await root.get(`/groups/${alone.groupId}`)).body, /\(File: plan\.txt\)/);

  // A ZIP that was made anew has everything in a folder.
  const folder = await zipOf({
    'everything/messages.jsonl': hearthLines('Folder', [{ files }]),
    'everything/files/1-1-plan.txt': 'abc',
  });
  const whole = await bringIn(root, 'everything.zip', folder);
  assert.doesNotMatch(whole.body, /could not be taken/);
  assert.match((await root.get(`/groups/${whole.groupId}`)).body, /plan\.txt/);
});

test('what people sent is not taken for the export itself', async () => {
  const lines = [
    { type: 'version', version: 1 },
    { type: 'channel', channel: { team: 'a', name: 'town', display_name: 'With attachments' } },
    {
      type: 'post',
      post: {
        ...{ team: 'a', channel: 'town', user: 'kim', message: 'the post', create_at: 1_577_880_000_000 },
        attachments: [{ path: '20/x/_chat.txt' }],
      },
    },
  ];
  const zip = await zipOf({
    'data/20/y/first.jsonl': '{}',
    'data/20/x/_chat.txt': '[31.12.20, 23:59:59] Ada: from the attachment',
    'import.jsonl': lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  const { body, groupId } = await bringIn(root, 'export.zip', zip);
  assert.match(body, /With attachments<\/a> <span class="muted">1 message added/);
  assert.match((await root.get(`/groups/${groupId}`)).body, /the post[\s\S]*_chat\.txt/);
});

test('empty lines, other ends of lines and missing lines refuse no archive', async () => {
  const content = [{ content: 'in odd lines' }];
  const crlf = `\r\n   \r\n${hearthLines('Windows', content, { end: '\r\n  \r\n' })}`;
  assert.match((await bringIn(root, 'crlf.jsonl', Buffer.from(crlf))).body, /1 message added/);
  const spaced = hearthLines('Spaced', content).replace(
    '{"type":"archive","format"',
    '{"type": "archive", "format"',
  );
  assert.match((await bringIn(root, 'spaced.jsonl', Buffer.from(spaced))).body, /1 message added/);
  const nobody = hearthLines('Nobody', [...content, { groupId: 2, content: 'in no group' }], {
    people: false,
  });
  const { body, groupId } = await bringIn(root, 'nobody.jsonl', Buffer.from(nobody), {
    'conversation.0': 'Nobody',
    'conversation.1': 'Group of nobody',
  });
  assert.match(body, /Nobody<\/a> <span class="muted">1 message added/);
  assert.match(body, /Group of nobody<\/a> <span class="muted">1 message added/);
  assert.match((await root.get(`/groups/${groupId}`)).body, /Somebody who left/);
});

test('a Slack export without messages is none, an empty day is no fault, and a damaged one is named', async () => {
  const base = {
    'users.json': JSON.stringify([{ id: 'U1', name: 'slim' }]),
    'channels.json': JSON.stringify([{ id: 'C1', name: 'days' }]),
  };
  assert.match((await upload(root, 'slack.zip', await zipOf(base))).body, /This is no export/);
  const good = JSON.stringify([{ type: 'message', user: 'U1', text: 'a day', ts: '1577880000.1' }]);
  const days = { ...base, 'days/2020-01-01.json': good, 'days/2020-01-02.json': '' };
  assert.match((await bringIn(root, 'slack.zip', await zipOf(days))).body, /1 message added/);
  const damaged = await zipOf({ ...days, 'days/2020-01-03.json': '[{' });
  assert.match(
    (await upload(root, 'slack.zip', damaged)).body,
    /days\/2020-01-03\.json in the archive cannot be read/,
  );
});
