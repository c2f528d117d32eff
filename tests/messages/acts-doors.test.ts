import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('acts on a message: form, fragment and socket do the same and refuse the same', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const stranger = await newPerson(hearth.url, 'stranger');
  const socket = await joe.socket('/ws/chat/1');
  const pushedTo = (fits: (frame: Record<string, unknown>) => boolean) => socket.nextJson('message', fits);
  const at = '/groups/1/messages/1';
  const fragment = { 'HX-Request': 'true' };
  await ada.post('/groups/1/messages', { content: 'frist' });
  await pushedTo((frame) => frame.seq === 1);

  await t.test(
    'an edit by form is pushed, shown as edited, and its earlier version is on the message’s page',
    async () => {
      const { status, location } = await ada.post(`${at}/edit`, { content: 'first' });
      assert.deepEqual([status, location], [303, '/groups/1?around=1#message-1']);
      const frame = await pushedTo((frame) => frame.content === 'first');
      assert.deepEqual([frame.change, typeof frame.editedAt], [2, 'string']);
      assert.match((await joe.get('/groups/1')).body, /class="edited"/);
      assert.match((await joe.get(at)).body, /Earlier versions.*frist/s);
      assert.doesNotMatch((await joe.get(at)).body, /edit-content/, 'only its author is offered to edit');
      assert.match((await ada.get(at, fragment)).body, /^<div class="sheet"/);
    },
  );

  await t.test('by socket', async () => {
    const mine = await ada.socket('/ws/chat/1');
    mine.send({ type: 'edit', seq: 1, content: 'the first' });
    assert.equal((await mine.nextJson('ack')).change, 3);
    mine.send({ type: 'react', seq: 1, emoji: '🌱', on: true });
    assert.equal((await mine.nextJson('ack')).change, 4);
    const frame = await pushedTo((frame) => frame.change === 4);
    assert.deepEqual(frame.reactions, [{ emoji: '🌱', accountIds: [1] }]);
    mine.send({ type: 'send', id: randomUUID(), content: 'an answer', replyTo: 1 });
    const reply = await pushedTo((frame) => frame.content === 'an answer');
    assert.deepEqual([reply.replyTo, reply.thread], [1, 1]);
    assert.equal((await pushedTo((frame) => frame.seq === 1)).replies, 1);
    mine.close();
  });

  await t.test('what somebody may not, they may not at any door', async () => {
    assert.equal((await joe.post(`${at}/edit`, { content: 'ours' })).status, 403);
    assert.equal((await joe.post(`${at}/remove`, {}, fragment)).status, 403);
    socket.send({ type: 'edit', seq: 1, content: 'ours' });
    assert.equal((await socket.nextJson('error')).code, 'forbidden');
    socket.send({ type: 'remove', seq: 1 });
    assert.equal((await socket.nextJson('error')).code, 'forbidden');
    socket.send({ type: 'react', seq: 1, emoji: 'no' });
    assert.equal((await socket.nextJson('error')).detail, 'Choose one emoji.');
    for (const path of [at, '/groups/1/threads/1', '/groups/1/names'])
      assert.equal((await stranger.get(path)).status, 403, path);
    for (const act of ['edit', 'remove', 'reactions', 'unread']) {
      assert.equal((await stranger.post(`${at}/${act}`, { content: 'x', emoji: '👍' })).status, 403, act);
      assert.equal((await new Visitor(hearth.url).post(`${at}/${act}`)).status, 401, act);
      assert.equal(
        (await ada.post(`/groups/1/messages/99/${act}`, { content: 'x', emoji: '👍' })).status,
        404,
      );
    }
    const refused = await ada.post(`${at}/edit`, { content: 'y'.repeat(8_001) });
    assert.equal(refused.status, 400);
    assert.ok(refused.body.includes('y'.repeat(8_001)), 'what was typed is still there');
  });

  await t.test(
    'a form answers with its quote; a thread shows both; unread from here leads away',
    async () => {
      assert.match(
        (await joe.get('/groups/1?reply=1')).body,
        /Replying to <\/span><strong [^>]*data-reply-author>ada/,
      );
      await joe.post('/groups/1/messages', { content: 'me too', replyTo: '1' });
      const thread = (await ada.get('/groups/1/threads/3')).body;
      assert.match(thread, /the first.*an answer.*me too/s, 'asked for by any message of it');
      assert.match((await ada.get('/groups/1')).body, /3 replies|2 replies/);
      assert.equal((await ada.get('/groups/1/threads/99')).status, 404);
      // An own message counts as read a moment after it was sent; that has passed before anybody marks it.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { location } = await ada.post('/groups/1/messages/2/unread');
      assert.equal(location, '/groups');
      assert.match((await ada.get('/groups')).body, /id="group-1"[^>]*data-unread="2"/);
    },
  );

  await t.test('removed by its author: gone from every page, and not there for further acts', async () => {
    assert.equal((await ada.post(`${at}/remove`, {}, fragment)).status, 204);
    const frame = await pushedTo((frame) => frame.removed === true);
    assert.deepEqual([frame.seq, frame.content, frame.reactions], [1, '', []]);
    for (const path of ['/groups/1', '/groups/1/threads/1'])
      assert.doesNotMatch((await joe.get(path)).body, /the first/, path);
    assert.equal((await ada.get(at)).status, 404);
    assert.equal((await ada.post(`${at}/reactions`, { emoji: '👍' })).status, 404);
  });
});
