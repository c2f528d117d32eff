import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Sessions, SignedIn } from '../accounts/sessions.ts';
import type { Account } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { Arrivals } from '../http/arrival.ts';
import type { Limits } from '../limits.ts';
import { CLOSE, Connection, closeSocket } from './connection.ts';
import type { Protocol } from './frames.ts';
import type { Hub } from './hub.ts';
import { type Endpoint, serveSocket } from './socket.ts';

/** 8,000 characters at their longest in JSON (two escapes of six bytes each), and room for the rest. */
const MAX_FRAME_BYTES = 128 * 1024;

/** Tabs and programs of one person; a thousand people are a crowd, a thousand sockets of one are a mistake. */
const MAX_SOCKETS_OF_ONE = 100;

const CONNECTIONS = {
  name: 'connections',
  points: 300,
  seconds: 10,
  sentence: 'Too many connections from your address.',
};

const PROTOCOLS: Readonly<Record<string, Protocol>> = { 'hearth.html': 'html', 'hearth.json': 'json' };

type Dependencies = {
  hub: Hub;
  sessions: Sessions;
  arrivals: Arrivals;
  log: Logger;
  limits: Limits;
  rateLimits: boolean;
  seesAddresses(account: Account): boolean;
};

/**
 * Lets sockets in. What no browser of ours would send is refused with an HTTP status before anything is done;
 * what a page has to tell apart is accepted and closed with a code, since browsers show a page nothing else.
 */
export function createUpgrades(dependencies: Dependencies, endpoints: readonly Endpoint[]) {
  const { hub, sessions, arrivals, log, limits, rateLimits, seesAddresses } = dependencies;
  const rate = limits.of(CONNECTIONS);
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handleProtocols: (offered) => [...offered].find((name) => Object.hasOwn(PROTOCOLS, name)) ?? false,
  });

  async function upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const dropped = () => stream.destroy();
    stream.on('error', dropped);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const endpoint = endpoints.find((endpoint) => endpoint.path.test(url.pathname));
    if (!endpoint) return refuse(stream, 404, 'Not Found');
    const arrival = arrivals.read(request);
    if (!arrivals.isOwnHost(arrival)) return refuse(stream, 421, 'Misdirected Request');
    if (!arrivals.isFromHere(request)) return refuse(stream, 403, 'Forbidden');
    const { address, isSecure } = arrival;
    try {
      await rate.take(address);
    } catch {
      return refuse(stream, 429, 'Too Many Requests');
    }
    const signedIn = await sessions.identifyUpgrade(request, isSecure);
    stream.off('error', dropped);
    const parameter = endpoint.path.exec(url.pathname)?.[1] ?? '';
    const after = url.searchParams.get('after');
    server.handleUpgrade(request, stream, head, (ws) => {
      welcome(ws, stream, endpoint, parameter, after, address, signedIn);
    });
  }

  /** Nothing here may hold on to the request: it would live as long as the socket. */
  function welcome(
    ws: WebSocket,
    stream: Duplex,
    endpoint: Endpoint,
    parameter: string,
    after: string | null,
    address: string,
    signedIn: SignedIn | undefined,
  ): void {
    // Also a socket that is being refused is parsed until it has closed, and an error nobody hears ends the process.
    ws.on('error', () => ws.terminate());
    const protocol = PROTOCOLS[ws.protocol];
    if (!protocol)
      return closeSocket(ws, CLOSE.notOurProtocol, 'Ask for the subprotocol hearth.html or hearth.json.');
    if (!signedIn) return closeSocket(ws, CLOSE.notSignedIn, 'Sign in first.');
    if (after !== null && !/^\d{1,15}$/.test(after)) {
      return closeSocket(ws, CLOSE.notOurProtocol, 'after takes a whole number.');
    }

    const { account, sessionId } = signedIn;
    if (rateLimits && hub.countOf(account.id) >= MAX_SOCKETS_OF_ONE) {
      return closeSocket(
        ws,
        CLOSE.tooMuch,
        'You have too many windows open; close some, then connect again.',
      );
    }
    const topic = endpoint.topic(parameter);
    const connection = new Connection(
      ws,
      stream,
      account,
      sessionId,
      address,
      protocol,
      seesAddresses(signedIn.account),
      topic,
    );
    hub.add(connection);
    serveSocket({ hub, log, rateLimits }, endpoint, connection);
    endpoint
      .open(connection, parameter, after === null ? undefined : Number(after))
      .catch((error: unknown) => {
        if (error instanceof ChatError) return connection.close(CLOSE.notAMember, error.message);
        log.error({ err: error }, 'a socket could not be opened');
        connection.close(CLOSE.internal, 'Something went wrong here; connect again in a moment.');
      });
  }

  return {
    /** Serves the sockets of one HTTP or HTTPS server. */
    attach(http: Server): void {
      http.on('upgrade', (request, stream, head) => {
        upgrade(request, stream, head).catch((error: unknown) => {
          log.error({ err: error }, 'a socket could not be let in');
          stream.destroy();
        });
      });
    },
  };
}

function refuse(stream: Duplex, status: number, words: string): void {
  // A peer that never closes its side would hold the socket, and with it the end of the process.
  stream.once('finish', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
