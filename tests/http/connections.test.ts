import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import test from 'node:test';
import { connect as connectTls } from 'node:tls';
import { generate } from 'selfsigned';
import { Listeners, listen } from '../../src/listeners.ts';
import { until } from '../support/until.ts';

/** Connects this many times at once, and prints how many are through: all, or those after five seconds. */
const CONNECT = `
  const { connect } = require('node:net');
  const [port, count] = process.argv.slice(1).map(Number);
  let connected = 0;
  const end = () => { console.log(connected); process.exit(); };
  setTimeout(end, 5_000);
  for (let index = 0; index < count; index++)
    connect(port, '127.0.0.1', () => { if (++connected === count) end(); });
`;

/** More than what the system takes at once. */
const LARGE = Buffer.alloc(8_000_000, 'x');

test('when everybody connects at once, nobody is turned away while the server is busy', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await listen(server, '127.0.0.1', 0);
  const { port } = server.address() as AddressInfo;
  // As many as the system lets wait.
  const most = '/proc/sys/net/core/somaxconn';
  const count = existsSync(most) ? Math.min(2_000, Number(readFileSync(most, 'utf8'))) : 100;
  // It runs to its end before this process can accept a connection.
  const connected = execFileSync(process.execPath, ['-e', CONNECT, `${port}`, `${count}`], {
    encoding: 'utf8',
  });
  assert.equal(connected, `${count}\n`);
});

test('at shutdown a connection on which nothing was asked does not wait for those that are answered', async () => {
  const { private: key, cert } = await generate(undefined, { keySize: 2048 });
  for (const isSecure of [false, true]) {
    let answer = () => {};
    const server = isSecure ? createHttpsServer({ key, cert }) : createHttpServer();
    server.on('request', (_request, response) => {
      answer = () => response.end(LARGE);
    });
    let accepted = 0;
    server.on('connection', () => {
      accepted += 1;
    });
    const listeners = new Listeners('127.0.0.1', { upgrades: { attach: () => {} } as never });
    await listeners.serve(server, 0, isSecure);
    const { port } = server.address() as AddressInfo;
    const open = async (): Promise<Socket> => {
      const socket = isSecure ? connectTls({ port, rejectUnauthorized: false }) : connect(port);
      socket.on('error', () => {});
      await once(socket, isSecure ? 'secureConnect' : 'connect');
      return socket;
    };
    const busy = await open();
    const arrived = once(server, 'request');
    busy.write('GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await arrived;
    const unused = await open();
    // With TLS, it never begins it.
    const silent = connect(port, '127.0.0.1', () => {});
    silent.on('error', () => {});
    await once(silent, 'connect');
    await until(() => accepted === 3);
    const received: Buffer[] = [];
    const ended = once(busy, 'close');
    const closed = listeners.close();
    unused.resume();
    silent.resume();
    await Promise.all([once(unused, 'close'), once(silent, 'close')]);
    assert.ok(!busy.destroyed && !busy.readableEnded, 'a request that is answered is not cut off');
    answer();
    // It reads slowly.
    await new Promise((resolve) => setTimeout(resolve, 300));
    busy.on('data', (bytes) => received.push(bytes));
    await ended;
    const whole = Buffer.concat(received);
    const isAll = whole.subarray(-LARGE.length).equals(LARGE);
    assert.ok(whole.toString('latin1', 0, 15) === 'HTTP/1.1 200 OK' && isAll, 'all of it arrives');
    await closed;
  }
});
