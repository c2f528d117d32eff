import { type Cleanup, pause, people, residentKiB, startFloor, startOurs } from './processes.ts';
import { type Finding, finding, median } from './report.ts';
import { openSockets } from './sockets.ts';

const SOCKETS = 5_000;
const LIMIT_KIB = 16;

/** Resident memory of each of 5,000 idle sockets, against 16 KiB; a bare ws server's is said beside it. */
export async function idle(cleanup: Cleanup): Promise<Finding[]> {
  const found: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const ours = await startOurs(cleanup);
    const cookies = (await people(ours.url, 5, 1)).map((visitor) => visitor.cookie);
    found.push(await perSocket(ours, '/ws/chat/1', cookies));
    await ours.stop();
    const floor = await startFloor(cleanup, 'sockets');
    process.stderr.write(
      `  ${found.at(-1)?.toFixed(1)} KiB; a bare ws server: ${(await perSocket(floor, '/', [''])).toFixed(1)} KiB\n`,
    );
  }
  return [finding('idle', 'KiB a socket', { hearth: median(found), floor: LIMIT_KIB }, 1, true)];
}

async function perSocket(
  { url, pid }: { url: string; pid: number },
  path: string,
  cookies: string[],
): Promise<number> {
  await pause(1_500);
  const before = residentKiB(pid);
  const sockets = await openSockets(url, path, cookies, SOCKETS);
  await pause(5_000);
  const after = residentKiB(pid);
  for (const socket of sockets) socket.stream.destroy();
  return (after - before) / SOCKETS;
}
