import { BCRYPT_COST } from '../../src/settings.ts';
import { PASSWORD, Visitor } from '../../tests/support/client.ts';
import { startHearthProcess } from '../../tests/support/hearth.ts';
import { type Cleanup, pause, people } from './processes.ts';
import { type Finding, finding, inTurns, percentile } from './report.ts';
import { type LeanSocket, now, openSockets } from './sockets.ts';

const READERS = 20;
const RATE = 100;
const SECONDS = 4;
const SIGN_INS = 20;

/** The 99th percentile of delivery while 20 people sign in at once, against the same without them. */
export async function login(cleanup: Cleanup): Promise<Finding[]> {
  const ours = await startHearthProcess(cleanup, { env: { PASSWORD_COST: String(BCRYPT_COST) } });
  const members = await people(ours.url, 4, 1);
  const sockets = await openSockets(
    ours.url,
    '/ws/chat/1',
    members.map((visitor) => visitor.cookie),
    READERS,
  );
  await pause(1_000);
  await delivery(sockets);
  const storm = async () => {
    const signIns = Promise.all(
      Array.from({ length: SIGN_INS }, (_, index) =>
        new Visitor(ours.url).post('/login', {
          username: `person${index % members.length}`,
          password: PASSWORD,
        }),
      ),
    );
    const found = await delivery(sockets);
    await signIns;
    return found;
  };
  const found = await inTurns(5, () => delivery(sockets), storm);
  return [finding('login', 'ms, p99 of delivery', found, 2, true)];
}

async function delivery(sockets: LeanSocket[]): Promise<number> {
  const latencies: number[] = [];
  for (const socket of sockets) {
    socket.onMessage = (sent) => {
      latencies.push(now() - sent);
    };
  }
  for (let sent = 0; sent < RATE * SECONDS; sent++) {
    sockets[0]?.send();
    await pause(1_000 / RATE);
  }
  await pause(300);
  return percentile(latencies, 99) / 1_000;
}
