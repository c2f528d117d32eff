import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import WebSocket from 'ws';
import { CLOSE } from '../../src/live/connection.ts';
import { Hub } from '../../src/live/hub.ts';
import { Upgrades } from '../../src/live/upgrade.ts';
import type { Ending } from '../support/hearth.ts';
import { until } from '../support/until.ts';

type Asked = { headers: { cookie?: string } };

/** A server with one address for sockets. @param identify who each request is from */
async function startServer(t: Ending, identify: (request: Asked) => object | undefined) {
  const hub = new Hub();
  const server = createServer();
  t.after(() => {
    hub.close();
    server.closeAllConnections();
    server.close();
  });
  const done: string[] = [];
  const unlimited = { consume: async () => {}, tryConsume: async () => true };
  const dependencies = {
    hub,
    sessions: { identifySocket: async (request: Asked) => identify(request) },
    arrivals: { read: () => ({ address: '127.0.0.1' }), isOwnHost: () => true, isFromHere: () => true },
    log: { error: (error: unknown) => done.push(String(error)) },
    limits: { of: () => unlimited },
    rateLimits: true,
    seesAddresses: () => false,
  };
  // Only what an upgrade asks of them is there.
  new Upgrades(dependencies as never, [
    {
      path: /^\/ws$/,
      topic: () => 'overview',
      commands: { send: async () => void done.push('sent') },
      open: async () => void done.push('opened'),
      closed: () => {},
    },
  ]).attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  return {
    hub,
    server,
    done,
    connect: () => new WebSocket(url, 'hearth.json', { headers: { cookie: 'a=b' } }),
  };
}

const SIGNED_IN = { account: { id: 1, showsReceipts: true }, sessionId: 'a session' };

test('a session that ends while its socket is let in takes the socket with it, and what that has sent', async (t) => {
  const asked: Asked[] = [];
  // Between the two, the account was suspended: nobody in the hub was there to be closed.
  const { hub, done, connect } = await startServer(t, (request) =>
    asked.push(request) === 1 ? SIGNED_IN : undefined,
  );
  const socket = connect();
  socket.on('open', () => socket.send('{"type":"send"}'));
  const [code] = await once(socket, 'close');
  assert.deepEqual([code, done], [CLOSE.notSignedIn, []]);
  assert.deepEqual(
    asked.map(({ headers }) => headers.cookie),
    ['a=b', 'a=b'],
  );
  assert.notEqual(asked[0], asked[1], 'express-session reads the session of a request once');
  await until(() => hub.size === 0);
});

test('a socket keeps nothing of the request that it began with', async (t) => {
  const { server, done, connect } = await startServer(t, () => SIGNED_IN);
  const requests: WeakRef<object>[] = [];
  server.prependListener('upgrade', (request) => requests.push(new WeakRef(request)));
  const sockets = Array.from({ length: 10 }, connect);
  await until(() => done.length === sockets.length);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  await until(() => {
    collect();
    return requests.length === sockets.length && requests.every((request) => !request.deref());
  });
  for (const socket of sockets) socket.terminate();
});
