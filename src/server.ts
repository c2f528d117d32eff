import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Logger } from 'pino';
import { openSessionStore } from './accounts/session-store.ts';
import { createApp } from './app.ts';
import type { Config } from './config.ts';
import { type Keyring, loadKeyring } from './crypto/keys.ts';
import { createPasswords, type Passwords } from './crypto/passwords.ts';
import { checkNothingMissing, isDamage } from './database/integrity.ts';
import { lockDataFolder } from './database/lock.ts';
import { refuseMoved } from './database/moved.ts';
import { type Databases, openDatabases } from './database/open.ts';
import { checkKeyring, holdsNothing, secretOf } from './database/sealing.ts';
import { StartError } from './errors.ts';
import { exchangeOf } from './http/exchange.ts';
import { Listeners } from './listeners.ts';
import { openLog } from './log.ts';
import { connectRedis } from './redis.ts';
import { followRequests } from './request-id.ts';
import type { Certificate } from './tls/certificate.ts';

export type Running = {
  /** Where it listens, the one to open first; with `--http-port` two of them. */
  urls: string[];
  /** Stops in order: no new work, open writes committed, sockets closed, everything closed. */
  stop(): Promise<void>;
};

/** How often the files of the certificate are looked at. */
const CERTIFICATE_CHECK_MS = 2_000;
/** Where it cannot be renewed, as in a folder that is read-only, the next try is after this long. */
const RENEWAL_PAUSE_MS = 3_600_000;

/**
 * Opens everything and listens.
 * @param shared what several servers of one process have in common; it is not closed with them
 * @throws StartError with one sentence where that cannot be
 */
export async function startServer(config: Config, shared: { passwords?: Passwords } = {}): Promise<Running> {
  const closers: Closers = [];
  let closing: Promise<void> | undefined;
  const stop = () => {
    closing ??= closeAll(closers);
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

type Closers = Array<() => Promise<void> | void>;

/** In reverse order, each of them. @throws what the first that failed has thrown */
async function closeAll(closers: Closers): Promise<void> {
  const failures: unknown[] = [];
  for (const closer of [...closers].reverse())
    try {
      await closer();
    } catch (error) {
      failures.push(error);
    }
  if (failures.length > 0) throw failures[0];
}

async function open(config: Config, closers: Closers, shared: { passwords?: Passwords }): Promise<string[]> {
  const certificate = config.tls
    ? await (await import('./tls/certificate.ts')).loadCertificate(config)
    : undefined;
  let served = certificate && parsed(certificate);
  followRequests(config.logLevel);
  const { log, flush } = openLog(config.logLevel);
  closers.push(flush);
  const { keyring, databases } = await openData(config, closers, (err) => log.warn({ err }));
  const redis = config.redisUrl
    ? await connectRedis(config.redisUrl, await prefixOf(databases, keyring), (sentence) =>
        log.warn(sentence),
      )
    : undefined;
  if (redis) closers.push(redis.close);
  const sessionStore = await openSessionStore(config.dataDir, log, redis);
  closers.push(() => sessionStore.close());
  const passwords =
    shared.passwords ?? createPasswords(config.passwordCost, (err) => log.error({ err }, 'a worker failed'));
  if (!shared.passwords) closers.push(() => passwords.close());
  const app = await createApp({
    config,
    databases,
    keyring,
    sessionStore,
    redis,
    passwords,
    log,
    certificate: () => served?.own,
    authority: () => served?.authority,
  });
  const exchange = exchangeOf(app.express);
  const listeners = new Listeners(config.host, app);
  closers.push(
    app.flush,
    () => listeners.close(),
    app.closeSockets,
    () => listeners.stopListening(),
  );
  if (certificate) {
    const secure = createHttpsServer({ ...certificate, ...exchange, minVersion: 'TLSv1.2' }, app.express);
    await listeners.serve(secure, config.port, true);
    const take = (renewed: Certificate) => {
      secure.setSecureContext({ ...renewed, minVersion: 'TLSv1.2' });
      served = parsed(renewed);
    };
    closers.push(followCertificate(config, log, take));
    if (config.httpPort !== undefined)
      await listeners.serve(createHttpServer(exchange, app.express), config.httpPort, false);
  } else {
    await listeners.serve(createHttpServer(exchange, app.express), config.port, false);
  }
  setImmediate(app.warm);
  return listeners.urls;
}

/** Parsed once, as every request asks for its names. */
function parsed({ cert, authority }: Certificate) {
  return {
    own: new X509Certificate(cert),
    authority: authority === undefined ? undefined : new X509Certificate(authority),
  };
}

/** Of this Hearth, as its database has it: several can share a Redis. */
async function prefixOf({ users }: Databases, keyring: Keyring): Promise<string> {
  const secret = await secretOf(users, keyring, 'redis');
  return `hearth:${createHash('sha256').update(secret).digest('hex').slice(0, 12)}`;
}

/** The data folder, of which this process is the only one to write, and the databases. */
async function openData(
  { dataDir, databaseUrl, encryptionKey }: Config,
  closers: Closers,
  report: (error: unknown) => void,
) {
  const lock = lockDataFolder(dataDir);
  closers.push(lock.release);
  if (!databaseUrl) {
    refuseMoved(dataDir);
    checkNothingMissing(dataDir);
  }
  const databases = await openDatabases(dataDir, databaseUrl, report);
  closers.push(databases.close);
  const keyring = loadKeyring(encryptionKey, dataDir, await holdsNothing(databases));
  await checkKeyring(databases.users, keyring);
  await checkKeyring(databases.chat, keyring);
  return { keyring, databases };
}

/** Loads a certificate that is replaced or renewed on disk, without a restart. @returns a function that stops it */
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
  let renewedAt = 0;
  let failure = '';
  const timer = setInterval(async () => {
    try {
      const now = stamp();
      // Files that are gone for a moment are being replaced: only a start makes others.
      if (!existsSync(files.certFile) || !existsSync(files.keyFile)) return;
      const { isToBeRenewed, loadCertificate } = await import('./tls/certificate.ts');
      const isDue = Date.now() >= renewedAt + RENEWAL_PAUSE_MS && isToBeRenewed(files);
      if (now === lastStamp && !isDue) return;
      if (isDue) renewedAt = Date.now();
      lastStamp = now;
      take(await loadCertificate(files));
      if (isDue) lastStamp = stamp();
      log.info('the certificate was replaced');
      failure = '';
    } catch (err) {
      if (String(err) === failure) return;
      failure = String(err);
      // Maybe only one of the two files is written yet; writing the other changes the stamp again.
      log.warn({ err }, 'the new certificate cannot be used yet');
    }
  }, CERTIFICATE_CHECK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
