import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startHearthProcess } from '../../tests/support/hearth.ts';
import { type Cleanup, pause, people } from './processes.ts';
import { type Finding, finding, inTurns } from './report.ts';
import { LeanSocket } from './sockets.ts';

const SENDERS = 64;
const GROUPS = 16;
const SECONDS = 3;

/** Durable messages a second of 64 people who each wait for their acknowledgement, against a script that only writes rows. */
export async function senders(cleanup: Cleanup): Promise<Finding[]> {
  const sockets = await prepared(cleanup, { SEARCH_INDEX: 'off' });
  const floors = new URL('./floors.ts', import.meta.url).pathname;
  // Warm-up: measure code that the JIT has compiled.
  await closedLoop(sockets);
  const found = await inTurns(
    5,
    async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        '--import',
        'tsx',
        floors,
        'rows',
        String(SECONDS),
      ]);
      return Number(stdout);
    },
    () => closedLoop(sockets),
  );
  return [finding('senders', 'messages/s', found, 0.4), await withIndex(cleanup)];
}

/** The same with the search index against without it, each in a process of its own. */
async function withIndex(cleanup: Cleanup): Promise<Finding> {
  const without = await prepared(cleanup, { SEARCH_INDEX: 'off' });
  const kept = await prepared(cleanup, {});
  for (const sockets of [without, kept]) await closedLoop(sockets);
  const found = await inTurns(
    5,
    () => closedLoop(without),
    () => closedLoop(kept),
  );
  return finding('senders-index', 'messages/s', found, 0.5);
}

async function prepared(cleanup: Cleanup, env: Record<string, string>): Promise<LeanSocket[]> {
  const ours = await startHearthProcess(cleanup, { env });
  return connect([ours.url]);
}

/** People in groups, each with a socket. @param urls the processes that they are at, in turns */
export async function connect(urls: readonly string[]): Promise<LeanSocket[]> {
  const members = await people(urls[0] ?? '', 8);
  for (let id = 3; id <= GROUPS; id++) await members[0]?.post('/groups', { name: `Group ${id}` });
  for (const member of members) for (let id = 1; id <= GROUPS; id++) await member.post(`/groups/${id}/join`);
  const sockets = await Promise.all(
    Array.from({ length: SENDERS }, (_, index) =>
      LeanSocket.open(
        urls[index % urls.length] ?? '',
        `/ws/chat/${1 + (index % GROUPS)}`,
        members[index % members.length]?.cookie ?? '',
      ),
    ),
  );
  await pause(500);
  return sockets;
}

/** Everybody sends, waits for the acknowledgement, and sends again. @returns messages a second */
export async function closedLoop(sockets: LeanSocket[]): Promise<number> {
  let acknowledged = 0;
  let isOver = false;
  for (const socket of sockets) {
    socket.onAck = () => {
      acknowledged += 1;
      if (!isOver) socket.send();
    };
    socket.send();
  }
  const started = performance.now();
  await pause(SECONDS * 1_000);
  const rate = (acknowledged / (performance.now() - started)) * 1_000;
  isOver = true;
  await pause(500);
  return rate;
}
