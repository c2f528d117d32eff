import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server as Engine, Socket as EngineSocket } from 'engine.io';
import type { RequestHandler } from 'express';
import type { Server, Socket } from 'socket.io';
import type { Limits, RateLimit } from '../limits.ts';

const PATH = '/socket.io/';
const MAX_FRAME_BYTES = 64 * 1024;
/** A client that sends more in a second is cut off, also one that has not connected. */
const MAX_PACKETS = 100;
const CONNECT_MS = 10_000;
/** By address; those that begin with a WebSocket are counted with the others. */
const HANDSHAKES = {
  name: 'socket.io handshakes',
  points: 120,
  seconds: 60,
  sentence: 'Too many connections from your address.',
};

/** The server of Socket.IO, which is loaded when its first client comes. */
export class SocketIo {
  #opened: Promise<{ engine: Engine; server: Server }> | undefined;
  readonly #welcome: (socket: Socket) => void;
  readonly #report: (error: unknown) => void;
  readonly #handshakes: RateLimit;

  /** @param welcome is given each new socket */
  constructor(limits: Limits, report: (error: unknown) => void, welcome: (socket: Socket) => void) {
    this.#handshakes = limits.of(HANDSHAKES);
    this.#report = report;
    this.#welcome = welcome;
  }

  /** Whether an upgrade is one of Socket.IO, which it then takes. The caller has looked at where it comes from. */
  takeUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): boolean {
    if (!request.url?.startsWith(PATH)) return false;
    this.#open()
      // The cast is safe: the engine reads nothing but what every request has, and adds what it needs.
      .then(({ engine }) =>
        engine.handleUpgrade(request as Parameters<Engine['handleUpgrade']>[0], stream, head),
      )
      .catch((error: unknown) => {
        stream.destroy();
        this.#report(error);
      });
    return true;
  }

  /** Long polling, for clients that begin with it. */
  readonly polling: RequestHandler = async (request, response) => {
    if (!request.query.sid) await this.#handshakes.consume(request.arrival.address);
    request.url = request.originalUrl;
    const { engine } = await this.#open();
    // The casts are safe: see `takeUpgrade`.
    engine.handleRequest(request as unknown as Parameters<Engine['handleRequest']>[0], response);
  };

  async close(): Promise<void> {
    const opened = await this.#opened;
    opened?.server.disconnectSockets(true);
    opened?.engine.close();
  }

  #open() {
    this.#opened ??= this.#load();
    return this.#opened;
  }

  async #load() {
    const [{ Server: Engine }, { Server }] = await Promise.all([import('engine.io'), import('socket.io')]);
    const engine = new Engine({
      transports: ['websocket', 'polling'],
      maxHttpBufferSize: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    });
    engine.on('connection', limitPackets);
    const server = new Server({ serveClient: false, connectTimeout: CONNECT_MS });
    server.bind(engine);
    server.on('connection', this.#welcome);
    return { engine, server };
  }
}

/** Each packet may get an answer, which waits for a client that never reads. */
function limitPackets(client: EngineSocket): void {
  let second = 0;
  let packets = 0;
  client.on('packet', () => {
    const now = Math.floor(Date.now() / 1_000);
    packets = second === now ? packets + 1 : 1;
    second = now;
    if (packets > MAX_PACKETS) client.close(true);
  });
}
