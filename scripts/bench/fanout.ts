import { type Cleanup, pause, people, startFloor, startOurs } from './processes.ts';
import { type Finding, finding, inTurns, percentile } from './report.ts';
import { type LeanSocket, now, openSockets } from './sockets.ts';

const SOCKETS = 1_000;
const SENDERS = 8;
const STEP_SECONDS = 2;
const FIRST_RATE = 25;
const MAX_P99_MS = 100;
const TIMES = 5;

/** How many messages a second reach a thousand sockets within 100 ms, against a bare ws server that stores nothing. */
export async function fanout(cleanup: Cleanup): Promise<Finding[]> {
  const [ours, floor] = await Promise.all([startOurs(cleanup), startFloor(cleanup, 'sockets')]);
  const members = await people(ours.url, 10, 1);
  const cookies = members.map((visitor) => visitor.cookie);
  const open = {
    floor: await openSockets(floor.url, '/', [''], SOCKETS),
    hearth: await openSockets(ours.url, '/ws/chat/1', cookies, SOCKETS),
  };
  await pause(1_500);

  const rates = await inTurns(
    TIMES,
    () => highestRate(open.floor),
    () => highestRate(open.hearth),
  );
  const quiet = async (sockets: LeanSocket[]) =>
    percentile((await offer(sockets, 20, 3)).latencies, 50) / 1_000;
  const medians = await inTurns(
    TIMES,
    () => quiet(open.floor),
    () => quiet(open.hearth),
  );
  return [
    finding('fanout', 'messages/s', rates, 3),
    finding('fanout-p50', 'ms at 20 messages/s', medians, 1.5, true),
  ];
}

/** The highest offered rate that holds, each twice the last. */
async function highestRate(sockets: LeanSocket[]): Promise<number> {
  let held = 0;
  for (let rate = FIRST_RATE; ; rate *= 2) {
    const { latencies, lost } = await offer(sockets, rate, STEP_SECONDS);
    await pause(300);
    if (lost > 0 || percentile(latencies, 99) / 1_000 > MAX_P99_MS) return held;
    held = rate;
  }
}

/** Sends at a steady rate and times every delivery, in microseconds; what has not come 5 s after the last is lost. */
export async function offer(
  sockets: LeanSocket[],
  rate: number,
  seconds: number,
): Promise<{ latencies: Float64Array; lost: number }> {
  const total = rate * seconds;
  const latencies = new Float64Array(total * sockets.length);
  let received = 0;
  for (const socket of sockets) {
    socket.onMessage = (sent) => {
      latencies[received++] = now() - sent;
    };
  }
  const started = performance.now();
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1_000) * rate) + 1);
    while (sent < due) sockets[sent++ % SENDERS]?.send();
    await pause(1);
  }
  const deadline = performance.now() + 5_000;
  while (received < latencies.length && performance.now() < deadline) await pause(10);
  return { latencies: latencies.subarray(0, received), lost: latencies.length - received };
}
