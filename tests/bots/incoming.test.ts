import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import WebSocket from 'ws';
import { documentOf, signInProgram } from '../support/api.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { until } from '../support/until.ts';

const shared = await startHearth({ after });

/** Makes one, and reads its address on the page. */
async function makeAddress(owner: Visitor, groupId: number, name: string): Promise<string> {
  const made = await owner.post(`/groups/${groupId}/webhooks/add-incoming`, { name });
  assert.equal(made.status, 303, made.body);
  const { body } = await owner.get(made.location);
  return (
    new RegExp(`${name}</strong>[\\s\\S]*?<code class="secret">[^<]*(/hooks/[\\w-]{43})<`).exec(body)?.[1] ??
    assert.fail(body)
  );
}

const json = { 'content-type': 'application/json' };

function post(url: string, address: string, body: string, headers: Record<string, string> = json) {
  return new Visitor(url).request('POST', address, body, headers);
}

async function newest(member: Visitor, groupId: number): Promise<string> {
  return (
    (await member.get(`/groups/${groupId}/messages?before=100000`)).body.split('<li class="message').at(-1) ??
    ''
  );
}

test('a program posts at an address of its own, in each of the forms that programs use', async () => {
  const { url } = shared;
  const ada = await newPerson(url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'before the bot came' });
  const address = await makeAddress(ada, 1, 'build-server');
  const forms: [string, Record<string, string>, RegExp][] = [
    ['{"text":"plain &amp; simple"}', json, /plain &amp; simple/],
    [
      '{"text":"curl as it comes"}',
      { 'content-type': 'application/x-www-form-urlencoded' },
      /curl as it comes/,
    ],
    [
      `payload=${encodeURIComponent('{"text":"a *bold* <https://example.org/a|link>"}')}`,
      { 'content-type': 'application/x-www-form-urlencoded' },
      /a <strong>bold<\/strong> <a [^>]*href="https:\/\/example.org\/a"[^>]*>link<\/a>/,
    ],
    ['text=in+a+field', { 'content-type': 'application/x-www-form-urlencoded' }, /in a field/],
    [
      '{"attachments":[{"title":"Disk full","title_link":"https://example.org/a","text":"on *db1*","color":"danger"}]}',
      json,
      /<strong><a [^>]*>Disk full<\/a><\/strong>[\s\S]*on <strong>db1/,
    ],
    ['{no JSON}', { 'content-type': 'TEXT/PLAIN' }, /\{no JSON\}/],
    ['as it stands', { 'content-type': 'text/plain; charset=utf-8' }, /as it stands/],
  ];
  for (const [body, headers, shown] of forms) {
    const answer = await post(url, address, body, headers);
    assert.deepEqual([answer.status, answer.body], [200, 'ok'], body);
    const message = await newest(ada, 1);
    assert.match(message, shown);
    assert.match(message, />build-server<\/a> <span class="bot-mark">Bot</);
  }
  assert.match(
    (await ada.get('/groups/1/messages/1')).body,
    /Seen by<\/h2>\s*<p><span class="muted">Nobody yet/,
  );
  const longest = `text=${encodeURIComponent('字'.repeat(8_000))}`;
  const escaped = JSON.stringify({ text: '😀'.repeat(8_000) }).replace(
    /[\ud800-\udfff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16)}`,
  );
  for (const [body, type] of [
    [longest, 'application/x-www-form-urlencoded'],
    [escaped, 'application/json'],
  ] as const)
    assert.equal((await post(url, address, body, { 'content-type': type })).status, 200, type);
  const id = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
  for (const _try of [1, 2]) await post(url, address, JSON.stringify({ text: 'only once', id }));
  const { body } = await ada.get('/groups/1');
  assert.equal(body.split('only once').length, 2, 'an id makes a second try harmless');
});

test('what cannot be posted is answered with a sentence, and nothing is written', async () => {
  const { url } = shared;
  const joe = await newPerson(url, 'joe', 1);
  const created = await joe.post('/groups', { name: 'Joe and programs' });
  const groupId = Number(/\d+/.exec(created.location)?.[0]);
  const address = await makeAddress(joe, groupId, 'sensor');
  const refusals: [string, number, RegExp][] = [
    ['{"text":', 400, /This is no JSON/],
    ['{"words":"x"}', 400, /Send JSON with the text as "text"/],
    ['{"text":7}', 400, /Send JSON with the text/],
    ['{"text":"  "}', 400, /Write something first/],
    ['{"text":"x","id":"1"}', 400, /UUID/],
    ['[]', 400, /Send JSON with the text/],
    [JSON.stringify({ text: 'x'.repeat(8_001) }), 400, /8,000 characters/],
    [JSON.stringify({ text: 'x'.repeat(140_000) }), 413, /more than/],
  ];
  for (const [body, status, sentence] of refusals) {
    const answer = await post(url, address, body);
    assert.equal(answer.status, status, body.slice(0, 40));
    assert.match(answer.body, sentence);
  }
  assert.equal((await post(url, `/hooks/${'x'.repeat(43)}`, '{"text":"x"}')).status, 404);
  assert.equal((await joe.get(address)).status, 404);
  assert.doesNotMatch((await joe.get(`/groups/${groupId}`)).body, /class="message"/);

  await joe.post(`/groups/${groupId}/rules`, { access: 'closed', posting: 'owners' });
  await joe.post(`/groups/${groupId}/slow-mode`, { seconds: '3600' });
  for (const text of ['an owner let it in', 'and slow mode is for people'])
    assert.equal((await post(url, address, JSON.stringify({ text }))).status, 200);
  await joe.post(`/groups/${groupId}/archive`, { on: 'yes' });
  assert.match((await post(url, address, '{"text":"x"}')).body, /archived/);
});

test('only owners make, see, renew and remove webhooks; a removed one posts no more, and keeps its name', async () => {
  const { url } = shared;
  const kim = await newPerson(url, 'kim');
  const eve = await newPerson(url, 'eve');
  const created = await kim.post('/groups', { name: 'Kim and programs' });
  const groupId = Number(/\d+/.exec(created.location)?.[0]);
  await eve.post(`/groups/${groupId}/join`);
  const address = await makeAddress(kim, groupId, 'calendar');
  const { body } = await kim.get(`/groups/${groupId}/bots`);
  const id = /id="webhook-(\d+)"/.exec(body)?.[1];
  const stranger = await newPerson(url, 'stranger');
  for (const person of [eve, stranger]) {
    assert.equal((await person.get(`/groups/${groupId}/bots`)).status, 403);
    for (const path of [
      'webhooks/add-incoming',
      `webhooks/${id}/renew`,
      `webhooks/${id}/remove`,
      `webhooks/${id}/retry`,
    ])
      assert.equal((await person.post(`/groups/${groupId}/${path}`, { name: 'mallory' })).status, 403, path);
  }
  // The number of a webhook of another group.
  const other = await eve.post('/groups', { name: 'Of Eve' });
  const othersId = Number(/\d+/.exec(other.location)?.[0]);
  assert.equal((await eve.post(`/groups/${othersId}/webhooks/${id}/renew`)).status, 404);

  const taken = await kim.post(`/groups/${groupId}/webhooks/add-incoming`, { name: 'calendar' });
  assert.deepEqual([taken.status, /That name is taken/.test(taken.body)], [409, true]);
  assert.match(
    taken.body,
    /id="incoming-name"[^>]*value="calendar"[^>]*aria-invalid/,
    'what was typed is still there',
  );
  await post(url, address, '{"text":"before"}');
  await kim.post(`/groups/${groupId}/webhooks/${id}/renew`);
  assert.equal((await post(url, address, '{"text":"x"}')).status, 404, 'the address before is void');
  const renewed = /\/hooks\/[\w-]{43}/.exec((await kim.get(`/groups/${groupId}/bots`)).body)?.[0] ?? '';
  assert.equal((await post(url, renewed, '{"text":"after"}')).status, 200);
  await kim.post(`/groups/${groupId}/webhooks/${id}/remove`);
  assert.equal((await post(url, renewed, '{"text":"x"}')).status, 404);
  assert.match(await newest(kim, groupId), />calendar<[\s\S]*after/);
  assert.match((await kim.get(`/groups/${groupId}/bots`)).body, /No program writes or reads here yet/);
});

test('nobody signs in as a bot, and a suspended one posts nothing', async (t) => {
  const { url } = await startHearth(t);
  const root = await newPerson(url, 'root', 1);
  const address = await makeAddress(root, 1, 'feeder');
  for (const password of ['', 'x', 'feeder'])
    assert.notEqual((await new Visitor(url).post('/login', { username: 'feeder', password })).status, 303);
  assert.match(
    (await root.post('/admin/people/2/password-link')).body,
    /Nobody signs in with the account of a bot/,
  );
  assert.equal((await root.post('/admin/people/2/make-admin')).status, 409);
  await root.post('/admin/people/2/suspend');
  assert.equal((await post(url, address, '{"text":"x"}')).status, 404);
  await root.post('/admin/people/2/unsuspend');
  assert.equal((await post(url, address, '{"text":"x"}')).status, 200);
});

test('a bot takes nobody’s name or place: not that of the administrator to be, not a group', async (t) => {
  const { url } = await startHearth(t, { env: { ADMIN_USERNAME: 'boss' } });
  const joe = await newPerson(url, 'joe');
  const mia = await newPerson(url, 'mia');
  await joe.post('/groups', { name: 'Shed' });
  assert.equal((await joe.post('/groups/3/webhooks/add-incoming', { name: 'Boss' })).status, 409);
  const boss = await newPerson(url, 'boss');
  await makeAddress(joe, 3, 'poster');
  await mia.post('/groups/3/join');
  await boss.post('/admin/people/1/delete-account', { messages: 'keep' });
  await until(async () => (await boss.get('/people/1')).status === 404);
  assert.equal(
    (await mia.get('/groups/3/bots')).status,
    200,
    'she owns it, not the bot that was there before her',
  );
  assert.equal((await mia.post('/groups/3/add-bot', { accountId: '4' })).status, 404, 'a webhook’s own');
  assert.equal((await boss.post('/admin/bots/4/token')).status, 404);
});

test('an administrator makes a bot with a token, and owners add it; it sees no other group', async (t) => {
  const { url } = await startHearth(t);
  const root = await newPerson(url, 'root', 1, 2);
  const joe = await newPerson(url, 'joe', 1);
  assert.equal((await joe.get('/admin/bots')).status, 403);
  assert.equal((await joe.post('/admin/bots', { name: 'mallory' })).status, 403);
  assert.match((await root.post('/admin/bots', { name: 'a b' })).body, /A name has no spaces/);
  const made = await root.post('/admin/bots', { name: 'helper' });
  const token = /<code class="secret">(hearth_[\w-]+)</.exec(made.body)?.[1] ?? assert.fail(made.body);
  assert.doesNotMatch((await root.get('/admin/bots')).body, /hearth_/, 'shown once');
  const { Program } = await import('../support/api.ts');
  const bot = new Program(url, token, await documentOf(url));
  const { json: before } = await bot.get('/groups');
  assert.deepEqual(before.items, [], 'a bot is a guest');
  assert.equal((await joe.post('/groups/1/add-bot', { accountId: '3' })).status, 403);
  await root.post('/groups/1/add-bot', { accountId: '3' });
  assert.equal((await root.post('/groups/1/add-bot', { accountId: '2' })).status, 404, 'people are invited');
  const sent = await bot.post('/groups/1/messages', { content: 'I am here' });
  assert.equal(sent.status, 200);
  assert.match(await newest(root, 1), /helper<\/a> <span class="bot-mark">Bot<[\s\S]*I am here/);
  assert.equal((await bot.get('/groups/2/messages')).status, 403);
  assert.equal((await bot.post('/line')).status, 403);
  assert.equal((await bot.post('/join/AAAA-BBBB-CCCC')).status, 403);
  assert.equal((await root.post('/admin/people/3/make-member')).status, 409);
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat/1`, 'hearth.json', {
    headers: { authorization: `Bearer ${token}` },
  });
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const renewed = await root.post('/admin/bots/3/token');
  assert.match(renewed.body, /hearth_/);
  assert.equal((await bot.get('/me')).status, 401, 'the token before is void');
  assert.equal((await closed)[0], 4401, 'and so is its socket');
  assert.match((await root.get('/admin/log')).body, /made a new token for the bot/);
});

test('a webhook’s address is in no file or log; owners manage it over the API as on the page', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const address = await makeAddress(ada, 1, 'build-server');
  const secret = address.split('/').at(-1) ?? '';
  for (const path of [address, address.replace('hooks', 'HOOKS'), address.replace('h', '%68')])
    await post(hearth.url, path, '{"text":"x"}');
  const program = await signInProgram(hearth.url, 'ada');
  const { json: made } = await program.post('/groups/1/webhooks/add-incoming', { name: 'second' });
  const { json: listed } = await program.get('/groups/1/webhooks');
  assert.equal(listed.items.length, 2);
  assert.equal(listed.items[1].id, made.webhookId);
  assert.ok(listed.items[0].secret.endsWith(secret));
  await program.post(`/groups/1/webhooks/${made.webhookId}/remove`, {});
  await hearth.stop();
  const { stdout, stderr } = hearth.output();
  assert.ok(!stdout.includes(secret) && !stderr.includes(secret));
  assert.match(stderr + stdout, /\/hooks\/…/);
  for (const file of readdirSync(hearth.dataDir).filter((name) => name.includes('sqlite3')))
    assert.ok(!readFileSync(join(hearth.dataDir, file)).includes(secret), file);
});
