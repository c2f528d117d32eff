import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atEnd, type Ending } from './hearth.ts';

export type Pipe = {
  url: string;
  /**
   * Stops forwarding on the open connections, in both directions, without closing them.
   * @param alsoNew whether those that open from now on are silent, too; without it, they work
   */
  silence(alsoNew?: boolean): void;
};

/** A TCP connection in the middle, as a router or a mobile network is: it can go silent without closing. */
export async function pipeTo(test: Ending, target: string): Promise<Pipe> {
  const { hostname, port } = new URL(target);
  let open: { from: Socket; to: Socket }[] = [];
  let isNewSilent = false;
  const all = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(Number(port), hostname);
    const pair = { from, to };
    if (!isNewSilent) open.push(pair);
    for (const socket of [from, to]) {
      all.add(socket);
      socket.on('error', () => socket.destroy());
    }
    for (const [source, target] of [
      [from, to],
      [to, from],
    ] as const)
      source.on('data', (bytes) => {
        if (open.includes(pair)) target.write(bytes);
        // What a network loses is not acknowledged either: soon the sender cannot send any more.
        else source.pause();
      });
    from.on('close', () => open.includes(pair) && to.destroy());
    to.on('close', () => open.includes(pair) && from.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(test, () => {
    for (const socket of all) socket.destroy();
    server.close();
  });
  return {
    // A server on a port has an address object.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    silence(alsoNew = false) {
      isNewSilent = alsoNew;
      open = [];
    },
  };
}
