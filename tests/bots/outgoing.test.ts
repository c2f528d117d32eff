import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { newPerson, type Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { startReceiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';

const shared = await startHearth({ after });
const root = await newPerson(shared.url, 'root', 1);
await root.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' });

async function newGroup(owner: Visitor, name: string): Promise<number> {
  return Number(/\d+/.exec((await owner.post('/groups', { name })).location)?.[0]);
}

/** @returns the secret of its signatures, and its number */
async function add(owner: Visitor, groupId: number, fields: Record<string, string>) {
  const made = await owner.post(`/groups/${groupId}/webhooks/add-outgoing`, fields);
  assert.equal(made.status, 303, made.body);
  const { body } = await owner.get(made.location);
  const secrets = [...body.matchAll(/<code class="secret">(whsec_[^<]+)</g)].map(([, secret = '']) => secret);
  return { secret: secrets.at(-1) ?? '', id: Number(/webhook-(\d+)/.exec(made.location)?.[1]) };
}

const stateOf = async (owner: Visitor, groupId: number) =>
  (await owner.get(`/groups/${groupId}/bots`)).body.replace(/<details[\s\S]*?<\/details>/g, '');

test('a program is told of messages that call it, and what it answers is written as a reply', async (t) => {
  const receiver = await startReceiver(t);
  const groupId = await newGroup(root, 'Weather talk');
  const { secret } = await add(root, groupId, { name: 'weather', url: receiver.url, trigger: 'mention' });
  receiver.behave((response) => response.end('{"text":"Rain in *Berlin*"}'));
  await root.post(`/groups/${groupId}/messages`, { content: 'nobody is called' });
  await root.post(`/groups/${groupId}/messages`, { content: 'What is it like, @weather?' });
  const { type, data } = await receiver.next(secret);
  assert.equal(type, 'message.mention');
  assert.deepEqual(data.group, { id: groupId, name: 'Weather talk' });
  assert.equal(data.message.content, 'What is it like, @weather?');
  const reply = await until(async () =>
    /Rain in <strong>Berlin<\/strong>/.test((await root.get(`/groups/${groupId}`)).body),
  );
  assert.ok(reply);
  const page = (await root.get(`/groups/${groupId}/threads/2`)).body;
  assert.match(page, /weather<\/a> <span class="bot-mark">Bot</);
  await root.post(`/groups/${groupId}/messages`, { content: 'Thanks, @weather' });
  await receiver.next(secret);
  assert.equal(receiver.received.length, 2, 'its own answer called nobody');
});

test('commands are told with their text, others are messages only; every message is told in its order', async (t) => {
  const receiver = await startReceiver(t);
  const groupId = await newGroup(root, 'Commands');
  const form = {
    name: 'deployer',
    url: receiver.url,
    trigger: 'command',
    command: '/Deploy',
    hint: 'Ships it',
  };
  const { secret } = await add(root, groupId, form);
  const again = await root.post(`/groups/${groupId}/webhooks/add-outgoing`, { ...form, name: 'other' });
  assert.deepEqual([again.status, /There is a command \/deploy/.test(again.body)], [400, true]);
  assert.match(again.body, /name="url"[^>]*value="http:\/\/127/, 'what was typed is still there');
  const wrong = await root.post(`/groups/${groupId}/webhooks/add-outgoing`, {
    ...form,
    name: 'other',
    command: 'two words',
  });
  assert.match(wrong.body, /A command is one word/);
  assert.deepEqual(JSON.parse((await root.get(`/groups/${groupId}/commands`)).body), [
    { command: 'deploy', hint: 'Ships it' },
  ]);
  for (const content of ['/deployment', 'please /deploy', '/etc/hosts', '/DEPLOY  main now '])
    await root.post(`/groups/${groupId}/messages`, { content });
  const { data } = await receiver.next(secret);
  assert.deepEqual([data.command, data.text], ['/DEPLOY', 'main now']);
  const stranger = await newPerson(shared.url, 'stranger');
  assert.equal((await stranger.get(`/groups/${groupId}/commands`)).status, 403);

  const all = await startReceiver(t);
  const every = await add(root, groupId, { name: 'archivist', url: all.url, trigger: 'message' });
  for (let number = 1; number <= 5; number++)
    await root.post(`/groups/${groupId}/messages`, { content: `number ${number}` });
  for (let number = 1; number <= 5; number++)
    assert.equal((await all.next(every.secret)).data.message.content, `number ${number}`);
  const body = `{"text":"from a program"}`;
  const made = await root.post(`/groups/${groupId}/webhooks/add-incoming`, { name: 'poster' });
  const address = /\/hooks\/[\w-]{43}/.exec((await root.get(made.location)).body)?.[0] ?? '';
  await root.request('POST', address, body, { 'content-type': 'application/json' });
  await root.post(`/groups/${groupId}/messages`, { content: 'and by a person' });
  assert.equal((await all.next(every.secret)).data.message.content, 'and by a person', 'bots call no other');
});

test('a delivery that fails is tried again, with the same number, and owners see why', async (t) => {
  const receiver = await startReceiver(t);
  const groupId = await newGroup(root, 'Failures');
  const { secret, id } = await add(root, groupId, { name: 'failing', url: receiver.url, trigger: 'message' });
  const failures: [string, Parameters<typeof receiver.behave>[0], RegExp][] = [
    ['a status', (response) => response.writeHead(500).end(), /answered with the status 500/],
    ['a redirect', (response) => response.writeHead(302, { location: receiver.url }).end(), /the status 302/],
    ['a reset', (response) => response.destroy(), /could not be reached/],
    [
      'a cut',
      (response) => response.writeHead(200, { 'content-length': 99 }).write('x', () => response.destroy()),
      /could not be reached/,
    ],
  ];
  for (const [name, behave, words] of failures) {
    receiver.behave(behave);
    if (receiver.received.length === 0)
      await root.post(`/groups/${groupId}/messages`, { content: 'the first' });
    else await root.post(`/groups/${groupId}/webhooks/${id}/retry`);
    await receiver.next(secret);
    await until(async () => words.test(await stateOf(root, groupId)));
    assert.match(await stateOf(root, groupId), /1 message waits for it/, name);
  }
  receiver.behave((response) => response.end('<html>no JSON</html>'));
  await root.post(`/groups/${groupId}/messages`, { content: 'the second' });
  await root.post(`/groups/${groupId}/webhooks/${id}/retry`);
  assert.equal((await receiver.next(secret)).data.message.content, 'the first');
  assert.equal((await receiver.next(secret)).data.message.content, 'the second');
  const numbers = receiver.received.map(({ headers }) => headers['webhook-id']);
  assert.equal(new Set(numbers).size, 2, 'a second try has the number of the first');
  await until(async () => !/waits|answered/.test(await stateOf(root, groupId)));

  receiver.behave((response) => response.writeHead(410).end());
  await root.post(`/groups/${groupId}/messages`, { content: 'the third' });
  await receiver.next(secret);
  await until(async () =>
    /wants no more messages \(410\)\. It is stopped/.test(await stateOf(root, groupId)),
  );
  await root.post(`/groups/${groupId}/messages`, { content: 'while it is stopped' });
  const count = receiver.received.length;
  receiver.behave((response) => response.end('x'.repeat(1_000_000)));
  await root.post(`/groups/${groupId}/webhooks/${id}/retry`);
  assert.equal((await receiver.next(secret)).data.message.content, 'the third');
  assert.equal((await receiver.next(secret)).data.message.content, 'while it is stopped');
  assert.equal(receiver.received.length, count + 2);
  await until(async () => !/stopped/.test(await stateOf(root, groupId)));
});

test('private addresses get nothing until an administrator allows them; removed messages are told to nobody', async (t) => {
  const hearth = await startHearth(t);
  const admin = await newPerson(hearth.url, 'admin', 1);
  const joe = await newPerson(hearth.url, 'joe');
  const receiver = await startReceiver(t);
  const groupId = await newGroup(joe, 'Joe');
  for (const url of ['ftp://example.org', 'example.org', 'javascript:alert(1)']) {
    const refused = await joe.post(`/groups/${groupId}/webhooks/add-outgoing`, {
      name: 'spy',
      url,
      trigger: 'message',
    });
    assert.match(refused.body, /begins with https:\/\/ or http:\/\//, url);
  }
  const port = new URL(receiver.url).port;
  const url = `http://localhost:${port}/hook`;
  const { secret } = await add(joe, groupId, { name: 'spy', url, trigger: 'message' });
  await joe.post(`/groups/${groupId}/messages`, { content: 'removed later' });
  await until(async () => /Its address is a private one/.test(await stateOf(joe, groupId)));
  assert.equal(receiver.received.length, 0);
  await joe.post(`/groups/${groupId}/messages/1/remove`);
  await joe.post(`/groups/${groupId}/messages`, { content: 'told' });
  assert.equal((await joe.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' })).status, 403);
  for (const wrong of ['localhost', '127.0.0.1/33', 'x/8', '1.2.3'])
    assert.match(
      (await admin.post('/admin/outgoing-settings', { allowedAddresses: wrong })).body,
      /“[^”]+” is neither\./,
    );
  const { body } = await admin.post('/admin/outgoing-settings', { allowedAddresses: 'x' });
  assert.doesNotMatch(body, /name="linkPreviews" value="yes" checked/, 'what was chosen beside it is kept');
  await admin.post('/admin/outgoing-settings', { allowedAddresses: '::1, 127.0.0.0/8' });
  assert.match((await admin.get('/admin')).body, /value="::1 127.0.0.0\/8"/);
  await joe.post(`/groups/${groupId}/webhooks/1/retry`);
  assert.equal((await receiver.next(secret)).data.message.content, 'told');
});

test('a bot that is suspended or removed is told of nothing, and one that answers @all is heard', async (t) => {
  const receiver = await startReceiver(t);
  const groupId = await newGroup(root, 'A larger group');
  for (let number = 0; number < 11; number++)
    await (await newPerson(shared.url, `pupil${number}`)).post(`/groups/${groupId}/join`);
  const { secret } = await add(root, groupId, { name: 'caller', url: receiver.url, trigger: 'message' });
  receiver.behave((response) => response.end('{"text":"Ready <!channel>"}'));
  await root.post(`/groups/${groupId}/messages`, { content: 'first' });
  await receiver.next(secret);
  await until(async () => /Ready <[^>]*>@all/.test((await root.get(`/groups/${groupId}`)).body));
  receiver.behave((response) => response.end());

  const { body } = await root.get('/admin/people?q=caller');
  const bot = /href="\/admin\/people\/(\d+)"/.exec(body)?.[1] ?? '';
  await root.post(`/admin/people/${bot}/suspend`);
  await root.post(`/groups/${groupId}/messages`, { content: 'not for a suspended one' });
  await until(async () => /Its bot is suspended/.test(await stateOf(root, groupId)));
  await new Promise((resolve) => setTimeout(resolve, 300));
  await root.post(`/admin/people/${bot}/unsuspend`);
  for (const act of ['make-owner', 'transfer-ownership'])
    assert.match(
      (await root.post(`/groups/${groupId}/${act}`, { accountId: bot })).body,
      /A bot owns no group/,
    );
  await root.post(`/groups/${groupId}/messages`, { content: 'second' });
  assert.equal((await receiver.next(secret)).data.message.content, 'second');
  await root.post(`/groups/${groupId}/remove-member`, { accountId: bot });
  await root.post(`/groups/${groupId}/messages`, { content: 'not for one that left' });
  await until(async () => /No program writes or reads here/.test(await stateOf(root, groupId)));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(receiver.received.length, 2);
});

test('what was not delivered before the server was killed is delivered after its start, in order', async (t) => {
  const dataDir = temporaryFolder(t);
  const receiver = await startReceiver(t);
  receiver.behave((response) => response.writeHead(503).end());
  const first = await startHearthProcess(t, { dataDir });
  const ada = await newPerson(first.url, 'ada', 1);
  await ada.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' });
  const { secret } = await add(ada, 1, { name: 'archivist', url: receiver.url, trigger: 'message' });
  for (const content of ['one', 'two', 'three']) await ada.post('/groups/1/messages', { content });
  await receiver.next(secret);
  await first.kill();
  receiver.behave((response) => response.end());
  await startHearthProcess(t, { dataDir });
  const told: unknown[] = [];
  while (told.at(-1) !== 'three') told.push((await receiver.next(secret)).data.message.content);
  assert.deepEqual([...new Set(told)], ['one', 'two', 'three']);
});

test('while an owner is suspended, or once removed, what they added is told of nothing and posts nothing', async (t) => {
  const receiver = await startReceiver(t);
  const owner = await newPerson(shared.url, 'webhook-owner');
  const groupId = await newGroup(owner, 'Suspended');
  await root.post(`/groups/${groupId}/join`);
  assert.equal((await owner.post(`/groups/${groupId}/make-owner`, { accountId: '1' })).status, 303);
  const { secret } = await add(owner, groupId, { name: 'ears', url: receiver.url, trigger: 'message' });
  const made = await owner.post(`/groups/${groupId}/webhooks/add-incoming`, { name: 'mouth' });
  const [hook = ''] = /\/hooks\/[\w-]+/.exec((await owner.get(made.location)).body) ?? [];
  assert.equal((await root.post(hook, { text: 'before' })).status, 200);
  await root.post(`/groups/${groupId}/messages`, { content: 'heard' });
  assert.equal((await receiver.next(secret)).data.message.content, 'heard');
  const id = /\/admin\/people\/(\d+)">[^<]*webhook-owner/.exec((await root.get('/admin/people')).body)?.[1];
  assert.equal((await root.post(`/admin/people/${id}/suspend`)).status, 303);
  assert.equal((await root.post(hook, { text: 'after' })).status, 404);
  await root.post(`/groups/${groupId}/messages`, { content: 'not heard' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(receiver.received.length, 1);
  assert.match((await root.get(`/groups/${groupId}/bots`)).body, /while webhook-owner is suspended/);
  await root.post(`/admin/people/${id}/unsuspend`);
  assert.equal((await root.post(hook, { text: 'again' })).status, 200);
  // Nor afterwards, where it was stopped at that time.
  receiver.behave((response) => response.writeHead(410).end());
  await root.post(`/groups/${groupId}/messages`, { content: 'stops it' });
  await until(async () => /It is stopped/.test(await stateOf(root, groupId)));
  await root.post(`/admin/people/${id}/suspend`);
  await root.post(`/groups/${groupId}/messages`, { content: 'not heard, as it is stopped' });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await root.post(`/admin/people/${id}/unsuspend`);
  receiver.behave((response) => response.writeHead(204).end());
  const [, webhookId] = /webhook-(\d+)/.exec((await root.get(`/groups/${groupId}/bots`)).body) ?? [];
  await root.post(`/groups/${groupId}/webhooks/${webhookId}/retry`);
  await until(async () => !/It is stopped/.test(await stateOf(root, groupId)));
  await root.post(`/groups/${groupId}/messages`, { content: 'heard again' });
  const told = () => receiver.received.map(({ body }) => JSON.parse(body).data.message.content);
  await until(() => told().includes('heard again'));
  assert.ok(!told().some((content) => /^not heard/.test(content)), told().join());
  const heard = receiver.received.length;
  for (const act of ['remove-owner', 'remove-member'])
    assert.equal((await root.post(`/groups/${groupId}/${act}`, { accountId: id ?? '' })).status, 303);
  assert.equal((await root.post(hook, { text: 'removed' })).status, 404);
  await root.post(`/groups/${groupId}/messages`, { content: 'not heard either' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(receiver.received.length, heard);
  assert.match(
    (await root.get(`/groups/${groupId}/bots`)).body,
    /whoever made it was removed from the group/,
  );
});
