import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { ask, OutgoingError } from '../../src/outgoing/request.ts';

const GET = { method: 'GET', headers: {}, timeoutMs: 2_000, maxBytes: 1_000 } as const;

async function faultOf(url: string, options: object = {}) {
  const error = await ask(new URL(url), { ...GET, ...options }).then(
    () => assert.fail(`${url} was reached`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof OutgoingError, String(error));
  return error.fault;
}

async function serve(t: { after(end: () => void): void }, answer: Parameters<typeof createServer>[1]) {
  const server = createServer(answer ?? (() => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('nothing that is not public is connected to, however its address is written', async (t) => {
  let reached = 0;
  const port = await serve(t, (_request, response) => {
    reached += 1;
    response.end();
  });
  const hosts = [
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '[fe80::1]',
    '[fd00::1]',
    '224.0.0.1',
    '255.255.255.255',
  ];
  for (const host of hosts) assert.equal(await faultOf(`http://${host}:${port}/`), 'private', host);
  assert.equal(await faultOf(`https://127.0.0.1:${port}/`), 'private');
  assert.equal(
    await faultOf(`http://127.0.0.1:${port}/`, { allowed: ['127.0.0.2', '10.0.0.0/8'] }),
    'private',
  );
  assert.equal(reached, 0);
  await ask(new URL(`http://127.0.0.1:${port}/`), { ...GET, allowed: ['127.0.0.1'] });
  await ask(new URL(`http://localhost:${port}/`), { ...GET, allowed: ['127.0.0.0/8', '::1'] });
  assert.equal(reached, 2);
});

test('an answer that does not come, or does not end, is given up; one that is too long is cut', async (t) => {
  const port = await serve(t, ({ url }, response) => {
    if (url === '/long') response.end('x'.repeat(5_000));
    else if (url === '/drip') setInterval(() => response.write('x'), 100).unref();
    else if (url === '/upgrade')
      response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    else if (url === '/elsewhere') response.writeHead(302, { location: '/long' }).end();
  });
  const allowed = ['127.0.0.1'];
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;
  assert.equal(await faultOf(at('/never'), { allowed, timeoutMs: 300 }), 'timeout');
  assert.equal(await faultOf(at('/drip'), { allowed, timeoutMs: 500 }), 'timeout');
  const long = await ask(new URL(at('/long')), { ...GET, allowed });
  assert.deepEqual([long.body.length, long.isCut], [1_000, true]);
  assert.equal((await ask(new URL(at('/elsewhere')), { ...GET, allowed })).status, 302, 'not followed');
  assert.equal(await faultOf(at('/upgrade'), { allowed }), 'unreachable', 'another protocol');
  assert.equal(await faultOf('http://127.0.0.1:1/', { allowed }), 'unreachable');
  assert.equal(await faultOf('ftp://example.org/'), 'unreachable');
});
