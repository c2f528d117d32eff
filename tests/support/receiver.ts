import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as Verifier } from 'standardwebhooks';
import { atEnd, type Ending } from './hearth.ts';

type Received = { headers: IncomingHttpHeaders; body: string };
type Behaviour = (response: ServerResponse, received: Received) => void;

/** A program of somebody else's, which takes what an outgoing webhook sends. */
export async function startReceiver(t: Ending) {
  const received: Received[] = [];
  let wake = () => {};
  let behave: Behaviour = (response) => response.end();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const arrived = { headers: request.headers, body };
    received.push(arrived);
    wake();
    behave(response, arrived);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  let read = 0;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    behave(next: Behaviour) {
      behave = next;
    },
    /** The next delivery, its signature verified. */
    async next(secret: string) {
      while (received.length <= read)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const { headers, body } = received[read++] as Received;
      return new Verifier(secret).verify(body, headers as Record<string, string>) as {
        type: string;
        data: { command?: string; text?: string; group: object; message: Record<string, unknown> };
      };
    },
  };
}
