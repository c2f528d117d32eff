import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import express from 'express';
import { exchangeOf } from '../../src/http/exchange.ts';

test('a request and its response have the prototypes of the app before Express sees them', async (t) => {
  const app = express();
  app.get('/', (request, response) => {
    response.json({ path: request.path });
  });
  const server = createServer(exchangeOf(app));
  const found: unknown[] = [];
  server.on('request', (request, response) => {
    found.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
    app(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  assert.deepEqual(await answer.json(), { path: '/' });
  assert.ok(found[0] === app.request && found[1] === app.response);
});
