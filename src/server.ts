import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import { openSessionStore } from './accounts/session-store.ts';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { loadKeyring } from './crypto/keys.ts';
import { createPasswords, type Passwords } from './crypto/passwords.ts';
import { checkNothingMissing, isDamage } from './database/integrity.ts';
import { lockDataFolder } from './database/lock.ts';
import { openDatabases } from './database/open.ts';
import { checkKeyring } from './database/sealing.ts';
import { StartError } from './errors.ts';
import type { Certificate } from './tls.ts';

export type Running = {
  /** Where it listens, the one to open first; with `--http-port` two of them. */
  urls: string[];
  /** Stops in order: no new work, open writes committed, sockets closed, everything closed. */
  stop(): Promise<void>;
};

/** How long open requests may take to end at shutdown; then they are cut off. */
const SHUTDOWN_TIMEOUT_MS = 3_000;
/** How often the files of the certificate are looked at. */
const CERTIFICATE_CHECK_MS = 2_000;
const LONGEST_REQUEST_MS = 2 * 3_600_000;
const LONGEST_SILENCE_MS = 120_000;

/**
 * Opens everything and listens.
 * @param shared what several servers of one process have in common; it is not closed with them
 * @throws StartError with one sentence where that cannot be
 */
export async function startServer(config: Config, shared: { passwords?: Passwords } = {}): Promise<Running> {
  const closers: Array<() => Promise<void> | void> = [];
  let closing: Promise<void> | undefined;
  const stop = () => {
    closing ??= (async () => {
      for (const closer of [...closers].reverse()) await closer();
    })();
    return closing;
  };
  try {
    return { urls: await open(config, closers, shared), stop };
  } catch (error) {
    await stop();
    throw isDamage(error)
      ? new StartError(
          `A database in ${config.dataDir} is damaged, and is left as it is: put it back from a backup.`,
        )
      : error;
  }
}

async function open(
  config: Config,
  closers: Array<() => Promise<void> | void>,
  shared: { passwords?: Passwords },
): Promise<string[]> {
  const { host, dataDir } = config;
  const certificate = config.tls ? await (await import('./tls.ts')).loadCertificate(config) : undefined;
  let served = certificate && new X509Certificate(certificate.cert);
  const stderr = pino.destination({ fd: 2, sync: false });
  const log = pino({ level: config.logLevel, base: null }, stderr);
  closers.push(() => stderr.flushSync());

  const lock = lockDataFolder(dataDir);
  closers.push(lock.release);
  checkNothingMissing(dataDir);
  const isFirstStart =
    !existsSync(join(dataDir, 'users.sqlite3')) && !existsSync(join(dataDir, 'chat.sqlite3'));
  const keyring = loadKeyring(config.encryptionKey, dataDir, isFirstStart);
  const databases = openDatabases(dataDir);
  closers.push(databases.close);
  await checkKeyring(databases.users, keyring);
  await checkKeyring(databases.chat, keyring);
  const sessionStore = await openSessionStore(dataDir, log);
  closers.push(() => sessionStore.close());
  const passwords = shared.passwords ?? createPasswords();
  if (!shared.passwords) closers.push(() => passwords.close());

  const app = await createApp({
    config,
    databases,
    keyring,
    sessionStore,
    passwords,
    log,
    certificate: () => served,
  });
  const servers: Server[] = [];
  const streams = new Set<Socket>();
  /** Requests whose body is still coming in. */
  const unread = new Set<IncomingMessage>();
  closers.push(
    app.flush,
    () => closeServers(servers, streams, unread),
    app.closeSockets,
    () => stopListening(servers),
  );

  const urls: string[] = [];
  const serve = async (server: Server, port: number, secure: boolean) => {
    // A large file over a slow line takes its time, as long as it keeps coming.
    server.requestTimeout = LONGEST_REQUEST_MS;
    server.timeout = LONGEST_SILENCE_MS;
    app.upgrades.attach(server);
    server.on('connection', (stream: Socket) => {
      streams.add(stream);
      stream.once('close', () => streams.delete(stream));
    });
    server.on('request', (request: IncomingMessage) => {
      if (request.method === 'GET' || request.method === 'HEAD') return;
      unread.add(request);
      for (const event of ['end', 'close']) request.once(event, () => unread.delete(request));
    });
    servers.push(server);
    await listen(server, host, port);
    urls.push(...urlsOf(server, host, secure));
  };
  if (certificate) {
    const secure = createHttpsServer({ ...certificate, minVersion: 'TLSv1.2' }, app.express);
    await serve(secure, config.port, true);
    closers.push(
      followCertificate(config, log, (renewed) => {
        secure.setSecureContext({ ...renewed, minVersion: 'TLSv1.2' });
        served = new X509Certificate(renewed.cert);
      }),
    );
    if (config.httpPort !== undefined) await serve(createHttpServer(app.express), config.httpPort, false);
  } else {
    await serve(createHttpServer(app.express), config.port, false);
  }
  setImmediate(app.warm);
  return urls;
}

/** Takes a certificate that is replaced or renewed on disk without a restart. @returns stops that */
function followCertificate(
  files: Pick<Config, 'certFile' | 'keyFile' | 'tlsConfigFile'>,
  log: Logger,
  take: (certificate: Certificate) => void,
): () => void {
  const stamp = () =>
    [files.certFile, files.keyFile]
      .map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs)
      .join(' ');
  let lastStamp = stamp();
  const timer = setInterval(async () => {
    if (stamp() === lastStamp) return;
    lastStamp = stamp();
    try {
      take(await (await import('./tls.ts')).loadCertificate(files));
      log.info('the certificate was replaced');
    } catch (err) {
      // Half of a pair may be written by now: the other half changes the stamp again.
      log.warn({ err }, 'the new certificate cannot be used yet');
    }
  }, CERTIFICATE_CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function listen(server: Server, host: string, port: number): Promise<void> {
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
    server.listen(port, host, resolve);
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

function stopListening(servers: readonly Server[]): void {
  for (const server of servers) if (server.listening) server.close();
}

/**
 * Resolves when every connection is gone; those that are not within the patience are cut off, also the ones that
 * HTTP does not know of: sockets after their upgrade, and those that never began to speak TLS.
 */
async function closeServers(
  servers: readonly Server[],
  streams: ReadonlySet<Socket>,
  unread: ReadonlySet<IncomingMessage>,
): Promise<void> {
  const cut = setTimeout(() => {
    for (const stream of streams) stream.destroy();
  }, SHUTDOWN_TIMEOUT_MS);
  // Nothing was done yet for a form that is half sent, and its other half may never come.
  for (const request of unread) request.socket.destroy();
  for (const server of servers) server.closeIdleConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  clearTimeout(cut);
}

/** The version in package.json. */
export function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  // Our own package.json, which has a version.
  return (JSON.parse(text) as { version: string }).version;
}
