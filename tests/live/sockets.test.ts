import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { newPerson } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';

test('a conversation over sockets, as wire.md has it', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);

  await t.test(
    'hello says where the group is, then messages come as they are written, the sender’s own among them',
    async () => {
      const [first, second] = [await ada.socket('/ws/chat/1'), await jo.socket('/ws/chat/1')];
      assert.deepEqual(await first.nextJson('hello'), { type: 'hello', groupId: 1, seq: 0, change: 0 });
      const id = randomUUID();
      first.send({ type: 'send', id, content: 'hello there' });
      const ack = await first.nextJson('ack');
      assert.deepEqual(ack, { type: 'ack', id, seq: 1, change: 1 });
      const message = await second.nextJson('message');
      assert.deepEqual(Object.keys(message), [
        'type',
        'id',
        'groupId',
        'seq',
        'change',
        'author',
        'content',
        'createdAt',
        'editedAt',
        'removed',
        'replyTo',
        'thread',
        'replies',
        'pinned',
        'reactions',
        'mentions',
        'files',
        'voice',
      ]);
      assert.deepEqual(
        [message.id, message.groupId, message.seq, message.content, message.editedAt, message.removed],
        [id, 1, 1, 'hello there', null, false],
      );
      assert.deepEqual(message.author, { id: 1, username: 'ada', name: 'ada' });
      assert.ok(Math.abs(Date.parse(String(message.createdAt)) - Date.now()) < 60_000);
      assert.equal(first.all('message').length, 1);
      first.close();
      second.close();
    },
  );

  await t.test('who says where it is gets what it missed, before anything new, and once', async () => {
    for (const text of ['two', 'three', 'four']) await ada.post('/groups/1/messages', { content: text });
    const socket = await jo.socket('/ws/chat/1?after=2');
    await ada.post('/groups/1/messages', { content: 'five' });
    await socket.nextJson('message', (frame) => frame.content === 'five');
    assert.deepEqual(
      socket.all('message').map((frame) => [frame.change, frame.content]),
      [
        [3, 'three'],
        [4, 'four'],
        [5, 'five'],
      ],
    );
    assert.equal(JSON.parse(socket.frames[0] ?? '').type, 'hello');
    socket.close();
  });

  await t.test('typing reaches the others and not oneself', async () => {
    const [first, second] = [await ada.socket('/ws/chat/1'), await jo.socket('/ws/chat/1')];
    await Promise.all([first.nextJson('presence'), second.nextJson('presence')]);
    first.send({ type: 'typing' });
    assert.deepEqual(await second.nextJson('typing'), {
      type: 'typing',
      user: { id: 1, username: 'ada', name: 'ada' },
    });
    assert.equal(first.all('typing').length, 0);
    first.close();
    second.close();
  });

  await t.test('what is not understood is answered, and the socket stays', async () => {
    const socket = await ada.socket('/ws/chat/1');
    for (const nonsense of [
      'not json',
      '[]',
      '{}',
      '{"type":"constructor"}',
      '{"type":"send"}',
      '{"type":"read","seq":"x"}',
      'null',
    ]) {
      socket.ws.send(nonsense);
      const error = await socket.nextJson('error');
      assert.ok(typeof error.detail === 'string' && error.detail.length > 10, nonsense);
    }
    socket.ws.send(Buffer.from([1, 2, 3]));
    await socket.nextJson('error');
    socket.send({ type: 'send', id: randomUUID(), content: 'still here' });
    await socket.nextJson('ack');
    socket.close();
  });

  await t.test('leaving the group closes its sockets at once', async () => {
    const socket = await jo.socket('/ws/chat/1');
    await socket.nextJson('hello');
    await jo.post('/groups/1/leave');
    assert.equal((await socket.closed).code, 4403);
    await jo.post('/groups/1/join');
  });

  await t.test(
    'another protocol, another path, another origin, and too large a frame are refused',
    async () => {
      assert.equal((await (await ada.socket('/ws/chat/1?after=soon')).closed).code, 4400);
      assert.equal((await (await ada.socket('/ws/chat/99')).closed).code, 4403);
      await assert.rejects(ada.socket('/nowhere'), /404/);
      await assert.rejects(ada.socket('/ws', { headers: { origin: 'http://evil.example' } }), /403/);
      const socket = await ada.socket('/ws/chat/1', { headers: { origin: hearth.url } });
      socket.ws.send('x'.repeat(140_000));
      assert.equal((await socket.closed).code, 1009);
    },
  );

  await t.test('stopping says goodbye with 1001', async () => {
    const socket = await ada.socket('/ws/chat/1');
    await socket.nextJson('hello');
    const code = hearth.stop();
    assert.equal((await socket.closed).code, 1001);
    assert.equal(await code, 0);
  });
});

test('a reader that does not read is cut off, memory stays, and the others notice nothing', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const { hostname, port } = new URL(hearth.url);

  // A raw socket that asks to be let in and then never reads again.
  const slow = connect({ host: hostname, port: Number(port) });
  t.after(() => slow.destroy());
  slow.write(
    [
      'GET /ws/chat/1 HTTP/1.1',
      `Host: ${hostname}:${port}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol: hearth.json',
      `Cookie: ${jo.cookie}`,
      '\r\n',
    ].join('\r\n'),
  );
  await once(slow, 'readable');
  let isClosed = false;
  slow.once('close', () => {
    isClosed = true;
  });
  slow.on('error', () => {});

  const socket = await ada.socket('/ws/chat/1');
  const content = 'x'.repeat(7_900);
  for (let sent = 0; sent < 3_000 && !isClosed; sent += 50) {
    const ids = Array.from({ length: 50 }, () => randomUUID());
    for (const id of ids) socket.send({ type: 'send', id, content });
    await socket.nextJson('ack', (frame) => frame.id === ids.at(-1));
  }
  // It was given up by the server: its end of the connection is gone once what the system held back is read.
  slow.resume();
  await Promise.race([
    once(slow, 'close'),
    new Promise((_resolve, reject) => setTimeout(reject, 10_000, new Error('not cut off'))),
  ]);
  socket.send({ type: 'send', id: randomUUID(), content: 'after' });
  await socket.nextJson('message', (frame) => frame.content === 'after');
  socket.close();
});

test('with the rates on, a socket that floods is told so, and closed when it does not stop', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  for (let number = 0; number < 61; number++)
    socket.send({ type: 'send', id: randomUUID(), content: `flood ${number}` });
  const error = await socket.nextJson('error');
  assert.equal(error.code, 'too_many');
  assert.match(String(error.detail), /Try again in \d+ seconds?\./);
  assert.ok(error.id, 'and says which message to send again');
  for (let number = 0; number < 1_000; number++) socket.send({ type: 'typing' });
  assert.equal((await socket.closed).code, 4429);
});
