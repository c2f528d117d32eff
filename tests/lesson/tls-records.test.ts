import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect as connectTcp, createServer } from 'node:net';
import test from 'node:test';
import { connect } from 'node:tls';
import { evidenceIn, frameText } from '../../src/lesson/evidence.ts';
import { RecordReader } from '../../src/lesson/tls-records.ts';

test('the records of a real handshake are found, with the name in its first message, in pieces of any size', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const accepted = once(server, 'connection');
  const port = (server.address() as AddressInfo).port;
  const client = connect({ socket: connectTcp(port, '127.0.0.1'), servername: 'chat.example' });
  client.on('error', () => {});
  const [socket] = await accepted;
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  for (const size of [1, 7, hello.length]) {
    const reader = new RecordReader();
    const records = [];
    for (let at = 0; at < hello.length; at += size)
      records.push(...reader.push(hello.subarray(at, at + size)));
    assert.equal(records[0]?.type, 'handshake');
    assert.deepEqual(records[0]?.says, { message: 'ClientHello', serverName: 'chat.example' });
  }
  const record = (type: number, content: Buffer) =>
    Buffer.concat([Buffer.from([type, 3, 3, content.length >> 8, content.length & 255]), content]);
  const others = new RecordReader().push(
    Buffer.concat([
      record(20, Buffer.from([1])),
      record(23, Buffer.alloc(300)),
      record(21, Buffer.from([2, 20])),
      record(22, Buffer.from([1, 0, 0, 200, 3])),
      record(99, Buffer.alloc(2)),
    ]),
  );
  assert.deepEqual(
    others.map(({ type, length }) => [type, length]),
    [
      ['change cipher spec', 1],
      ['application data', 300],
      ['alert', 2],
      ['handshake', 5],
      ['unknown', 2],
    ],
  );
  assert.deepEqual(others[3]?.says, { message: 'ClientHello', serverName: undefined }, 'cut short');
});

test('a password, a cookie and a message are read in plain requests', () => {
  const request =
    'POST /login HTTP/1.1\r\nCookie: a=1; hearth=s%3Aabc.def; b=2\r\n\r\nusername=lea&password=sun+flower%21';
  assert.deepEqual(evidenceIn(request), [
    { kind: 'password', text: 'sun flower!' },
    { kind: 'cookie', text: 's%3Aabc.def' },
  ]);
  assert.deepEqual(evidenceIn('content=See+you+at+noon'), [{ kind: 'message', text: 'See you at noon' }]);
  const mask = [1, 2, 3, 4];
  const text = Buffer.from('{"type":"send"}');
  const frame = Buffer.from([
    0x81,
    0x80 | text.length,
    ...mask,
    ...text.map((byte, at) => byte ^ (mask[at % 4] ?? 0)),
  ]);
  assert.equal(frameText(frame), '{"type":"send"}');
  assert.equal(frameText(Buffer.from([0x82, 0x81, 0, 0, 0, 0, 1])), undefined);
});
