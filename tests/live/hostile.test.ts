import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket as Stream } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { newPerson, Visitor } from '../support/client.ts';
import { type Hearth, startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { startPushService } from '../support/push-service.ts';
import { until } from '../support/until.ts';

const upgrade = (path: string, headers: readonly string[] = []) =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: hearth.json',
    ...headers,
    '\r\n',
  ].join('\r\n');

test('a stranger’s malformed frame, sent while being refused, ends nothing but their socket', async (t) => {
  const hearth = await startHearth(t);
  const stranger = await rawSocket(hearth, upgrade('/ws'));
  stranger.write(Buffer.from([0xff, 0x00, 0xff, 0x00]));
  await once(stranger, 'close');
  assert.equal((await new Visitor(hearth.url).get('/healthz')).status, 200);
});

test('sockets that never answer a close do not keep Hearth from stopping', async (t) => {
  const folder = temporaryFolder(t);
  const flags = [
    '--tls',
    '--http-port',
    '0',
    '--certfile',
    join(folder, 'cert.pem'),
    '--keyfile',
    join(folder, 'key.pem'),
  ];
  const hearth = await startHearthProcess(t, { flags });
  const [https = '', http = ''] = hearth.urls;
  const open = [
    await rawSocket({ url: http }, upgrade('/nowhere'), true),
    await rawSocket({ url: http }, upgrade('/ws'), true),
    await rawSocket({ url: http }, 'GET / HTTP/1.1\r\n', true, false),
    await rawSocket({ url: https }, '', true, false),
  ];
  const started = Date.now();
  assert.equal(await hearth.stop(), 0);
  assert.ok(Date.now() - started < 5_000, `${Date.now() - started} ms`);
  for (const stream of open) stream.destroy();
});

test('signals that come more than once, as npm and a terminal send them, still stop it in order', async (t) => {
  const hearth = await startHearthProcess(t);
  process.kill(hearth.pid, 'SIGINT');
  process.kill(hearth.pid, 'SIGINT');
  process.kill(hearth.pid, 'SIGTERM');
  assert.equal(await hearth.stop(), 0);
});

test('what a revoked socket still sends is not taken, even if it ignores that it was closed', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const stream = await rawSocket(hearth, upgrade('/ws/chat/1', [`Cookie: ${ada.cookie}`]));
  await ada.post('/logout');
  const text = Buffer.from(JSON.stringify({ type: 'send', id: randomUUID(), content: 'after the end' }));
  stream.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  await once(stream, 'close');
  assert.ok(!(await joe.get('/groups/1')).body.includes('after the end'));
});

test('signing in as somebody else in the same browser ends the sockets of whoever was there', async (t) => {
  const hearth = await startHearth(t);
  const browser = await newPerson(hearth.url, 'carol', 1);
  const socket = await browser.socket('/ws/chat/1');
  await socket.nextJson('hello');
  await browser.register('dave');
  assert.equal((await socket.closed).code, 4401);
});

test('a message of 8,000 characters arrives however its JSON is written', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  const content = '\\ud83c\\udf31'.repeat(8_000);
  socket.ws.send(`{"type":"send","id":"${randomUUID()}","content":"${content}"}`);
  assert.equal((await socket.nextJson('message')).content, '🌱'.repeat(8_000));
  socket.ws.send(`{"type":"send","id":"${randomUUID()}","content":"x${' '.repeat(100_000)}"}`);
  assert.equal(
    (await socket.nextJson('error')).code,
    'too_long',
    'and a hundred thousand blanks are refused by their number',
  );
});

async function rawSocket(
  { url }: Pick<Hearth, 'url'>,
  request: string,
  staysOpen = false,
  awaitsAnswer = true,
): Promise<Stream> {
  const { hostname, port } = new URL(url);
  const stream = connect({ host: hostname, port: Number(port), allowHalfOpen: staysOpen });
  stream.on('error', () => {});
  await once(stream, 'connect');
  if (request) stream.write(request);
  if (awaitsAnswer) await once(stream, 'data');
  return stream;
}

test('a header of thousands of spaces holds nothing up', async (t) => {
  const { url } = await startHearth(t);
  // A pattern that could divide them in several ways would take half an hour.
  const cookie = `a=1;${' '.repeat(14_000)}y`;
  assert.equal((await new Visitor(url).request('GET', '/login', undefined, { cookie })).status, 200);
});

test('whoever resets the connection while being refused ends nothing', async (t) => {
  const hearth = await startHearth(t);
  const refused = [
    upgrade('/ws?token=bad').replace('Sec-WebSocket-Protocol: hearth.json\r\n', ''),
    upgrade('/nowhere'),
    upgrade('/ws', ['Origin: http://elsewhere.example']),
  ];
  for (let round = 0; round < 20; round++)
    for (const request of refused) {
      const stream = await rawSocket(hearth, '', false, false);
      stream.on('error', () => {});
      await new Promise<void>((resolve) => {
        stream.write(request, () => {
          stream.resetAndDestroy();
          resolve();
        });
      });
    }
  assert.equal((await new Visitor(hearth.url).get('/healthz')).status, 200);
});

test('an offer of another protocol is passed over, and the request answered', async (t) => {
  const hearth = await startHearth(t);
  for (const offer of ['h2c', 'TLS/1.0']) {
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: offer, 'http2-settings': 'AAMAAABk' };
    const { status, body } = await answerTo(`${hearth.url}/login`, headers);
    assert.deepEqual([status, /Sign in/.test(body)], [200, true]);
    const wrong = await answerTo(`${hearth.url}/login`, headers, 'username=nobody&password=wrong');
    assert.equal(wrong.status, 401, 'with a body, too');
  }
});

/** As a program that offers another protocol asks: `fetch` allows no such header. */
async function answerTo(url: string, headers: Record<string, string>, form?: string) {
  const sent = request(url, {
    method: form === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...(form && { 'content-type': 'application/x-www-form-urlencoded' }) },
  });
  sent.end(form);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

test('whoever is no administrator any more does nothing more by a socket that is still answering', async (t) => {
  const service = await startPushService(t);
  service.answerAfter(3_000);
  const { url } = await startHearthProcess(t, { env: service.env });
  const root = await newPerson(url, 'root1');
  const mallory = await newPerson(url, 'mallory');
  await root.post('/admin/people/2/make-admin');
  await mallory.post('/notifications/devices', service.subscribe('a slow one'));
  const socket = await mallory.socket('/ws');
  socket.send({ type: 'test-devices', id: 'slow' });
  await until(() => service.received.length === 1);
  assert.equal((await root.post('/admin/people/2/remove-admin')).status, 303);
  await until(async () => (await mallory.get('/admin')).status === 403);
  socket.send({ type: 'make-admin', personId: 2, id: 'again' });
  await socket.closed;
  assert.ok(!socket.frames.some((frame) => frame.includes('again')));
  assert.equal((await mallory.get('/admin')).status, 403);
});
