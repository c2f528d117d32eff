import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import test from 'node:test';
import { listen } from '../../src/listeners.ts';

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

test('when everybody connects at once, nobody is turned away while the server is busy', async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await listen(server, '127.0.0.1', 0);
  const { port } = server.address() as AddressInfo;
  // It runs to its end before this process can accept a connection.
  const connected = execFileSync(process.execPath, ['-e', CONNECT, `${port}`, '2000'], { encoding: 'utf8' });
  assert.equal(connected, '2000\n');
});
