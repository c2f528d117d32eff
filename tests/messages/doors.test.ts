import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { newPerson, type Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

const uuid = () => randomUUID();

test('a message that is sent again is the same one, also where it would be refused by now', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const bob = await newPerson(url, 'bob', 1);
  await ada.post('/groups/1/messages', { content: 'one' });
  const id = '7B2B8FAA-1B1C-4D5E-8F90-112233445566';
  await ada.post('/groups/1/messages', { content: 'two', replyTo: '1' });
  const reply = { content: 'three', replyTo: '2', id };
  await bob.post('/groups/1/messages', reply);
  await ada.post('/groups/1/messages/2/remove', {});
  const again = await bob.post('/groups/1/messages', reply);
  assert.deepEqual([again.status, again.location], [303, '/groups/1#message-3'], 'what it answers is gone');
  const other = { ...reply, id: randomUUID() };
  assert.equal((await bob.post('/groups/1/messages', other)).status, 404, 'another one is refused');
  await ada.post('/groups/1/archive', { on: 'yes' });
  const socket = await bob.socket('/ws/chat/1', { protocol: 'hearth.json' });
  socket.send({ type: 'send', ...reply, replyTo: 2 });
  const { seq, id: acknowledged } = await socket.nextJson('ack');
  assert.deepEqual([seq, acknowledged], [3, id], 'with the id as it was sent');
  socket.send({ type: 'send', content: 'three', id: other.id });
  assert.equal((await socket.nextJson('error')).id, other.id);
  await bob.post('/groups/1/leave', {});
  assert.equal((await bob.post('/groups/1/messages', reply)).status, 403, 'by members only');
});

test('the three doors of a conversation: form, fragment and socket', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const stranger = await newPerson(hearth.url, 'stranger');
  const post = (who: Visitor, content: string, id = uuid(), headers = {}) =>
    who.post('/groups/1/messages', { content, id }, headers);

  await t.test('turn away somebody outside the group, and offer to join', async () => {
    const page = await stranger.get('/groups/1');
    assert.equal(page.status, 403);
    assert.match(page.body, /action="\/groups\/1\/join"/);
    assert.equal((await stranger.get('/groups/1/messages?before=10')).status, 403);
    assert.equal((await stranger.get('/groups/1/messages?after=0')).status, 403);
    assert.equal((await stranger.get('/groups/1/members')).status, 403);
    assert.equal((await post(stranger, 'let me in')).status, 403);
    const socket = await stranger.socket('/ws/chat/1');
    assert.equal((await socket.closed).code, 4403);
    assert.equal(socket.frames.length, 0);
    assert.ok(!(await ada.get('/groups/1')).body.includes('let me in'));
  });

  await t.test('turn away whoever is not signed in', async () => {
    const { Visitor: Anybody } = await import('../support/client.ts');
    const nobody = new Anybody(hearth.url);
    assert.equal((await post(nobody, 'hello')).status, 401);
    assert.equal((await (await nobody.socket('/ws/chat/1')).closed).code, 4401);
    assert.equal((await (await nobody.socket('/ws')).closed).code, 4401);
  });

  await t.test('send the same message once, whichever is tried again', async () => {
    const id = uuid();
    const socket = await ada.socket('/ws/chat/1');
    const first = await post(ada, 'by every door', id);
    assert.equal(first.status, 303);
    const [, seq] = /^\/groups\/1#message-(\d+)$/.exec(first.location) ?? [];
    socket.send({ type: 'send', id, content: 'by every door' });
    const ack = await socket.nextJson('ack', (frame) => frame.id === id);
    assert.equal(ack.seq, Number(seq));
    const fragment = await post(ada, 'by every door', id, { 'HX-Request': 'true' });
    assert.match(fragment.body, new RegExp(`id="message-${seq}"`));
    const page = (await ada.get('/groups/1')).body;
    assert.equal(page.split('by every door').length - 1, 1);
    socket.close();
  });

  await t.test('refuse the same with the same sentence', async () => {
    const long = 'x'.repeat(8_001);
    const sentence = 'A message has at most 8,000 characters.';
    const form = await post(ada, long);
    assert.equal(form.status, 400);
    assert.ok(form.body.includes(sentence) && form.body.includes(long), 'what was typed is still there');
    const fragment = await post(ada, long, uuid(), { 'HX-Request': 'true' });
    assert.equal(fragment.status, 400);
    assert.ok(fragment.body.includes(sentence));
    const socket = await ada.socket('/ws/chat/1');
    const id = uuid();
    socket.send({ type: 'send', id, content: long });
    assert.deepEqual(await socket.nextJson('error'), {
      type: 'error',
      code: 'too_long',
      detail: sentence,
      id,
    });
    socket.send({ type: 'send', id, content: 'short' });
    await socket.nextJson('ack');
    socket.close();
  });

  await t.test('the pushed fragment is part of the page, byte for byte', async () => {
    const socket = await jo.socket('/ws/chat/1', { protocol: 'hearth.html' });
    const id = uuid();
    await post(ada, 'a <b>bold</b> claim, see https://example.com', id);
    const pushed = await socket.next((text) => text.includes(id));
    await post(jo, 'and an answer');
    const second = await socket.next((text) => text.includes('and an answer'));
    const page = (await jo.get('/groups/1')).body;
    assert.ok(page.includes(pushed));
    assert.ok(page.includes(second));
    assert.ok((await ada.get('/groups/1')).body.includes(pushed), 'and the same for everyone');
    const { body } = await ada.get('/groups/1/messages?after=0');
    assert.ok(body.includes(pushed), 'also as a fragment');
    socket.close();
  });

  await t.test('a form without an id sends too, and an odd id is refused', async () => {
    assert.equal((await ada.post('/groups/1/messages', { content: 'no id' })).status, 303);
    assert.equal((await ada.post('/groups/1/messages', { content: 'odd', id: 'not-a-uuid' })).status, 400);
  });
});

test('pages of history: 50 at a time, older by a link, 404 and 400 where there is nothing', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (let number = 1; number <= 60; number++)
    await ada.post('/groups/1/messages', { content: `message number ${number}.` });
  const shown = (body: string) =>
    [...body.matchAll(/message number (\d+)\./g)].map((match) => Number(match[1]));

  const newest = await ada.get('/groups/1');
  assert.deepEqual(
    [shown(newest.body)[0], shown(newest.body).at(-1), shown(newest.body).length],
    [11, 60, 50],
  );
  assert.match(newest.body, /href="\/groups\/1\?before=11"/);
  const older = await ada.get('/groups/1?before=11');
  assert.deepEqual([shown(older.body)[0], shown(older.body).at(-1)], [1, 10]);
  assert.doesNotMatch(older.body, /\?before=/);
  const fragments = await ada.get('/groups/1/messages?before=11');
  assert.deepEqual(shown(fragments.body), shown(older.body));
  assert.doesNotMatch(fragments.body, /<html/);
  assert.deepEqual(shown((await ada.get('/groups/1/messages?after=58')).body), [59, 60]);

  assert.equal((await ada.get('/chat/1')).status, 308);
  assert.equal((await ada.get('/chat/1')).location, '/groups/1');
  assert.equal((await ada.get('/groups/99')).status, 404);
  assert.equal((await ada.get('/groups/x')).status, 404);
  assert.equal((await ada.get('/groups/1?before=x')).status, 400);
  assert.equal((await ada.get('/')).location, '/groups/1');
});

test('a thread whose first message was removed goes on: it is listed, answered, and keeps its draft', async (t) => {
  const { url } = await startHearth(t);
  const alice = await newPerson(url, 'alice', 1);
  const bob = await newPerson(url, 'bobby', 1);
  await bob.post('/groups/1/messages', { content: 'the first' });
  await alice.post('/groups/1/messages', { content: 'an answer', replyTo: '1' });
  await bob.post('/groups/1/messages/1/remove');
  assert.match((await bob.get('/threads')).body, /This message was removed\.[\s\S]*1 reply/);
  const draft = { content: 'half a line', thread: '1' };
  assert.equal((await bob.post('/groups/1/draft', draft)).status, 204);
  assert.match((await bob.get('/groups/1/threads/1')).body, /half a line/);
  assert.equal((await bob.post('/groups/1/messages', { content: 'another', replyTo: '1' })).status, 303);
  await bob.post('/groups/1/messages', { content: 'alone' });
  await bob.post('/groups/1/messages/4/remove');
  const refused = await alice.post('/groups/1/messages', { content: 'too late', replyTo: '4' });
  assert.deepEqual([refused.status, /This message was removed/.test(refused.body)], [404, true]);
});

test('what is sent again after it was removed is no error, and numbers that are none are passed over', async (t) => {
  const { url } = await startHearth(t);
  const alice = await newPerson(url, 'alice', 1);
  const once = { id: randomUUID(), content: 'taken back' };
  await alice.post('/groups/1/messages', once);
  await alice.post('/groups/1/messages/1/remove');
  assert.equal((await alice.post('/groups/1/messages', once)).location, '/groups/1#message-1');
  for (const number of ['1e300', '1.5', '-1', 'x']) {
    const fields = { content: '', replyTo: number, thread: number };
    assert.equal((await alice.post('/groups/1/messages', fields)).status, 400, number);
  }
});

test('whoever was removed while a long text of theirs was looked through has not sent it', async (t) => {
  const { url } = await startHearth(t);
  const alice = await newPerson(url, 'alice');
  const bob = await newPerson(url, 'bobby');
  const id = Number(/\d+/.exec((await alice.post('/groups', { name: 'Shed' })).location)?.[0]);
  await bob.post(`/groups/${id}/join`);
  const answered: string[] = [];
  const content = `@alice ${'long '.repeat(200)}`;
  const sending = bob.post(`/groups/${id}/messages`, { content }).finally(() => answered.push('sent'));
  const removing = alice
    .post(`/groups/${id}/remove-member`, { accountId: '2' })
    .finally(() => answered.push('removed'));
  const [sent] = await Promise.all([sending, removing]);
  assert.ok(sent.status === 403 || answered[0] === 'sent', `${sent.status} ${answered}`);
});

test('one’s own message is read, though a removed one stands before it unread', async (t) => {
  const { url } = await startHearth(t);
  const alice = await newPerson(url, 'alice', 1);
  const bob = await newPerson(url, 'bobby', 1);
  await alice.post('/groups/1/messages', { content: 'taken back' });
  await alice.post('/groups/1/messages/1/remove');
  await bob.post('/groups/1/messages', { content: 'mine' });
  await until(
    async () => /id="group-1"[^>]* data-unread="0"/.test((await bob.get('/groups')).body),
    'it is read',
  );
});
