import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import WebSocket from 'ws';
import { CLOSE } from '../../src/live/connection.ts';
import { Hub } from '../../src/live/hub.ts';
import { Upgrades } from '../../src/live/upgrade.ts';
import { until } from '../support/until.ts';

test('a session that ends while its socket is let in takes the socket with it, and what that has sent', async (t) => {
  const hub = new Hub();
  const server = createServer();
  t.after(() => {
    hub.close();
    server.closeAllConnections();
    server.close();
  });
  const done: string[] = [];
  let asked = 0;
  const unlimited = { take: async () => {}, tryTake: async () => true };
  const dependencies = {
    hub,
    // Between the two, the account was suspended: nobody in the hub was there to be closed.
    sessions: {
      identifyUpgrade: async () => {
        asked += 1;
        return asked === 1 ? { account: { id: 1, showsReceipts: true }, sessionId: 'a session' } : undefined;
      },
    },
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
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, 'hearth.json');
  socket.on('open', () => socket.send('{"type":"send"}'));
  const [code] = await once(socket, 'close');
  assert.deepEqual([code, done], [CLOSE.notSignedIn, []]);
  await until(() => hub.size === 0);
});
