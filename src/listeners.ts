import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { App } from './app.ts';
import { StartError } from './errors.ts';

/** How long open requests may take to end at shutdown; then they are cut off. */
const SHUTDOWN_TIMEOUT_MS = 3_000;
/** How long a connection on which nothing was asked yet is kept at shutdown: browsers open some for later. */
const UNUSED_TIMEOUT_MS = 200;
const LONGEST_REQUEST_MS = 2 * 3_600_000;
const LONGEST_SILENCE_MS = 120_000;
/**
 * Connections that wait to be accepted; the system drops more, or cuts them off. After a restart everybody connects
 * again at once, and Node's own 511 are too few. `net.core.somaxconn` (4096 on Linux) is the most that it allows.
 */
const LONGEST_QUEUE = 4_096;

/** The HTTP and HTTPS servers of one app, and every connection to them. */
export class Listeners {
  /** Where they listen. */
  readonly urls: string[] = [];
  readonly #host: string;
  readonly #upgrades: App['upgrades'];
  readonly #servers: Server[] = [];
  readonly #streams = new Set<Socket>();
  /** Connections on which nothing was asked yet; Node does not count them as idle. */
  readonly #unused = new Set<Socket>();
  /** A connection ends with the answer that it waits for. */
  #isClosing = false;
  /** Requests whose body is still coming in. */
  readonly #unread = new Set<IncomingMessage>();

  constructor(host: string, { upgrades }: Pick<App, 'upgrades'>) {
    this.#host = host;
    this.#upgrades = upgrades;
  }

  /** @throws StartError where it may not listen there */
  async serve(server: Server, port: number, isSecure: boolean): Promise<void> {
    // A large file over a slow line takes its time, as long as it keeps coming.
    server.requestTimeout = LONGEST_REQUEST_MS;
    server.timeout = LONGEST_SILENCE_MS;
    this.#upgrades.attach(server);
    server.on('connection', (stream: Socket) => {
      this.#streams.add(stream);
      stream.once('close', () => this.#streams.delete(stream));
    });
    server.on(isSecure ? 'secureConnection' : 'connection', (stream: Socket) => {
      this.#unused.add(stream);
      stream.once('close', () => this.#unused.delete(stream));
      if (this.#isClosing) setTimeout(() => this.#unused.has(stream) && stream.destroy(), UNUSED_TIMEOUT_MS);
    });
    const use = ({ socket }: IncomingMessage) => this.#unused.delete(socket);
    // Without any listener of it, Node answers an upgrade as it does other requests.
    if (server.listenerCount('upgrade') > 0) server.on('upgrade', use);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      use(request);
      response.once('finish', () => this.#isClosing && request.socket.end());
      if (request.method === 'GET' || request.method === 'HEAD') return;
      this.#unread.add(request);
      for (const event of ['end', 'close']) request.once(event, () => this.#unread.delete(request));
    });
    this.#servers.push(server);
    await listen(server, this.#host, port);
    this.urls.push(...urlsOf(server, this.#host, isSecure));
  }

  stopListening(): void {
    for (const server of this.#servers) if (server.listening) server.close();
  }

  /**
   * Resolves when every connection is closed. Those still open after `SHUTDOWN_TIMEOUT_MS` are destroyed, including
   * those that the HTTP server does not track: upgraded sockets, and clients that never began TLS.
   */
  async close(): Promise<void> {
    this.#isClosing = true;
    const cut = setTimeout(() => {
      for (const stream of this.#streams) stream.destroy();
    }, SHUTDOWN_TIMEOUT_MS);
    const cutUnused = setTimeout(() => {
      for (const stream of this.#unused) stream.destroy();
      // Of those that never began TLS, the server does not know.
      for (const stream of this.#streams) if (stream.bytesRead === 0) stream.destroy();
    }, UNUSED_TIMEOUT_MS);
    // Nothing was done yet for a form that is half sent, and its other half may never come.
    for (const request of this.#unread) request.socket.destroy();
    for (const server of this.#servers) server.closeIdleConnections();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    clearTimeout(cut);
    clearTimeout(cutUnused);
  }
}

/**
 * Begins to listen; port 0 takes a free one.
 * @throws StartError that says what to do where the port or the address cannot be had
 */
export function listen(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const sentences: Record<string, string> = {
        EADDRINUSE: `Port ${port} is already in use; stop what uses it, or choose another with --port or --http-port.`,
        EACCES: `This user may not listen on port ${port}; choose one above 1023.`,
        EADDRNOTAVAIL: `This machine does not have the address ${host}; choose another with --host.`,
        ENOTFOUND: `The address ${host} is not known; choose another with --host.`,
      };
      const sentence = sentences[error.code ?? ''];
      reject(sentence ? new StartError(sentence) : error);
    });
    server.listen({ port, host, backlog: LONGEST_QUEUE }, resolve);
  });
}

/** Addresses that can be opened: listening everywhere, a server is at each address of its machine. */
function urlsOf(server: Server, host: string, secure: boolean): string[] {
  // A server that listens on a port has an address object; only a pipe has a name.
  const { port } = server.address() as AddressInfo;
  const isEverywhere = host === '0.0.0.0' || host === '::';
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
  return (isEverywhere ? ['127.0.0.1', ...addresses] : [host]).map((address) => {
    const name = address.includes(':') ? `[${address}]` : address;
    return `${secure ? 'https' : 'http'}://${name}:${port}`;
  });
}
