import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Sessions, SignedIn } from '../accounts/sessions.ts';
import type { Account } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { Arrivals } from '../http/arrival.ts';
import type { Limits, RateLimit } from '../limits.ts';
import { bearerIn, type Tokens } from '../tokens/identify.ts';
import { CLOSE, Connection, closeSocket } from './connection.ts';
import type { Protocol } from './frames.ts';
import type { Hub } from './hub.ts';
import { type Endpoint, serveSocket } from './socket.ts';
import { endWithSession, socketIdentity } from './socket-identity.ts';

/** 8,000 characters at their longest in JSON (two escapes of six bytes each), and room for the rest. */
const MAX_FRAME_BYTES = 128 * 1024;

/** Maximum number of connections per account, over all its tabs and programs; more are taken for a mistake. */
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
  tokens: Pick<Tokens, 'identify'>;
  arrivals: Arrivals;
  log: Logger;
  limits: Limits;
  rateLimits: boolean;
  seesAddresses(account: Account): boolean;
  plain: PlainProtocol;
  socketIo: UpgradeTaker;
};

/** A protocol of its own, at an address of its own. */
export interface UpgradeTaker {
  takeUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): boolean;
}

/** Sockets that ask for no subprotocol; they are those of other chats' clients. */
export interface PlainProtocol {
  /** Lets the connection in, and answers it. A ChatError closes it. */
  open(connection: Connection, request: { hasToken: boolean }): Promise<void>;
}

/** What a socket asks for, by its request. */
type Asked = {
  /** Whether it is one of another chat's client, and then whether it has a token. */
  isPlain: boolean;
  hasToken: boolean;
  endpoint: Endpoint;
  parameter: string;
  after: string | null;
  address: string;
  signedIn: SignedIn | undefined;
  /** Whose page it is, where it says so: somebody else may have signed in since, in another tab. */
  accountOfPage: string | null;
};

const TOO_MANY_WINDOWS = 'You have too many windows open; close some, then connect again.';

/**
 * Handles WebSocket handshakes. A request that none of our pages would send is refused with an HTTP status at once.
 * A refusal that a page has to recognise is accepted and then closed with a code: browsers expose nothing else.
 */
export class Upgrades {
  readonly #dependencies: Dependencies;
  readonly #endpoints: readonly Endpoint[];
  readonly #rate: RateLimit;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    handleProtocols: (offered) => [...offered].find((name) => Object.hasOwn(PROTOCOLS, name)) ?? false,
  });

  constructor(dependencies: Dependencies, endpoints: readonly Endpoint[]) {
    this.#dependencies = dependencies;
    this.#endpoints = endpoints;
    this.#rate = dependencies.limits.of(CONNECTIONS);
  }

  /** Serves the sockets of one HTTP or HTTPS server. */
  attach(http: Server): void {
    http.on('upgrade', (request, stream, head) => {
      this.#upgrade(request, stream, head).catch((error: unknown) => {
        this.#dependencies.log.error({ err: error }, 'a socket could not be let in');
        stream.destroy();
      });
    });
  }

  async #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const { arrivals } = this.#dependencies;
    const dropped = () => stream.destroy();
    stream.on('error', dropped);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const endpoint = this.#endpoints.find((endpoint) => endpoint.path.test(url.pathname));
    const arrival = arrivals.read(request);
    if (!endpoint) return this.#takeOther(request, stream, head, arrival);
    if (!arrivals.isOwnHost(arrival)) return refuse(stream, 421, 'Misdirected Request');
    const isPlain = request.headers['sec-websocket-protocol'] === undefined;
    // Browsers can send no header with a socket: the clients of Chatterbox have the token in the address.
    const inAddress = isPlain ? url.searchParams.get('token') : null;
    const token = bearerIn(request.headers.authorization) ?? inAddress ?? undefined;
    if (token === undefined && !arrivals.isFromHere(request)) return refuse(stream, 403, 'Forbidden');
    const { address, isSecure } = arrival;
    try {
      await this.#rate.consume(address);
    } catch {
      return refuse(stream, 429, 'Too Many Requests');
    }
    const { cookie, 'user-agent': agent } = request.headers;
    const identify = socketIdentity(this.#dependencies, stream, { token, cookie, agent, isSecure });
    const signedIn = await identify();
    if (inAddress !== null && !signedIn) return refuse(stream, 403, 'Forbidden');
    const parameter = endpoint.path.exec(url.pathname)?.[1] ?? '';
    const after = url.searchParams.get('after');
    const hasToken = inAddress !== null;
    // Chatterbox has one address; a program with a header, or a token elsewhere, has to ask for a subprotocol.
    const isServedPlain = isPlain && (token === undefined || (hasToken && parameter === ''));
    const accountOfPage = url.searchParams.get('account');
    const asked = {
      isPlain: isServedPlain,
      hasToken,
      endpoint,
      parameter,
      after,
      address,
      signedIn,
      accountOfPage,
    };
    // From here on `ws` listens.
    stream.off('error', dropped);
    this.#server.handleUpgrade(request, stream, head, (ws) => this.#welcome(ws, stream, asked, identify));
  }

  /** Sockets of a protocol that says who it is in its own frames; no cookie counts there. */
  async #takeOther(
    request: IncomingMessage,
    stream: Duplex,
    head: Buffer,
    arrival: ReturnType<Arrivals['read']>,
  ): Promise<void> {
    const { arrivals, socketIo } = this.#dependencies;
    if (!arrivals.isOwnHost(arrival)) return refuse(stream, 421, 'Misdirected Request');
    if (!(await this.#rate.tryConsume(arrival.address))) return refuse(stream, 429, 'Too Many Requests');
    if (!socketIo.takeUpgrade(request, stream, head)) refuse(stream, 404, 'Not Found');
  }

  /**
   * Must not keep a reference to the request, which would then stay in memory as long as the connection.
   * @param identify asks once more who it is
   */
  #welcome(ws: WebSocket, stream: Duplex, asked: Asked, identify: () => Promise<SignedIn | undefined>): void {
    const { endpoint, parameter, after, address, signedIn, accountOfPage, isPlain } = asked;
    const { hub, rateLimits, seesAddresses } = this.#dependencies;
    // Also needed for refused sockets: `ws` parses until they close, and an unhandled 'error' ends the process.
    ws.on('error', () => ws.terminate());
    const protocol = isPlain ? 'json' : PROTOCOLS[ws.protocol];
    if (!protocol)
      return closeSocket(ws, CLOSE.notOurProtocol, 'Ask for the subprotocol hearth.html or hearth.json.');
    if (!signedIn || (accountOfPage !== null && accountOfPage !== String(signedIn.account.id)))
      return closeSocket(ws, CLOSE.notSignedIn, 'Sign in first.');
    if (after !== null && !/^\d{1,15}$/.test(after))
      return closeSocket(ws, CLOSE.notOurProtocol, 'after takes a whole number.');
    const { account, sessionId, scopes } = signedIn;
    if (scopes && !scopes.includes('read'))
      return closeSocket(ws, CLOSE.notSignedIn, 'This token has not the scope "read".');
    if (rateLimits && hub.countOf(account.id) >= MAX_SOCKETS_OF_ONE)
      return closeSocket(ws, CLOSE.tooMuch, TOO_MANY_WINDOWS);
    const topic = endpoint.topic(parameter);
    const sees = seesAddresses(account);
    const connection = new Connection(ws, stream, account, sessionId, address, protocol, sees, topic, scopes);
    hub.add(connection);
    endWithSession(ws, connection, signedIn.endsAt);
    const since = after === null ? undefined : Number(after);
    if (isPlain) {
      ws.on('pong', () => {
        connection.isAlive = true;
      });
      ws.on('close', () => hub.remove(connection));
    } else serveSocket(this.#dependencies, endpoint, connection);
    // What the client sends before it is let in waits in the stream.
    ws.pause();
    const isSame = async () => {
      const now = await identify();
      if (now?.sessionId !== sessionId)
        connection.close(CLOSE.notSignedIn, 'This session has ended. Sign in again.');
      else if (now.account.isAdmin !== account.isAdmin || now.account.isGuest !== account.isGuest)
        connection.closeOnceAnswered(CLOSE.goingAway, 'Your role changed.');
      return connection.isOpen;
    };
    connection.check = async () => {
      try {
        if ((await isSame()) && !isPlain) await endpoint.check?.(connection);
      } catch (error) {
        if (!closeRefused(connection, error)) throw error;
      }
    };
    void this.#open(connection, async () => {
      // What ended between the answer and `hub.add` closed nothing.
      if (!(await isSame())) return;
      if (isPlain) return await this.#dependencies.plain.open(connection, asked);
      ws.resume();
      await endpoint.open(connection, parameter, since);
    }).finally(() => ws.resume());
  }

  async #open(connection: Connection, open: () => Promise<void>) {
    try {
      await open();
    } catch (error) {
      if (closeRefused(connection, error)) return;
      this.#dependencies.log.error({ err: error }, 'a socket could not be opened');
      connection.close(CLOSE.internal, 'Something went wrong here; connect again in a moment.');
    }
  }
}

/** Closes a connection that an error refuses; false for an error that says nothing of it. */
function closeRefused(connection: Connection, error: unknown): boolean {
  if (!(error instanceof ChatError && error.status < 500)) return false;
  connection.close(CLOSE.notAMember, error.message);
  return true;
}

/** @param stream which has a listener for errors: a client that is gone by now is one */
function refuse(stream: Duplex, status: number, words: string): void {
  // A peer that never closes its side would keep the socket open, and the process could not exit.
  stream.once('finish', () => stream.destroy());
  stream.end(`HTTP/1.1 ${status} ${words}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
