import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Config } from '../config.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { StartError } from '../errors.ts';
import { startServer } from '../server.ts';
import { LessonPages } from './page-server.ts';
import { type Captured, Tap, TRUE_WORD } from './tap.ts';

const PORTS = { http: 8000, https: 8443, page: 8080 };
const LEA = { username: 'lea', password: 'three-sunflowers' };
const TOM = { username: 'tom', password: 'a-good-password-of-tom' };

export type RunningLesson = { urls: { page: string; http: string; https: string }; stop(): Promise<void> };

/**
 * Starts a Hearth of its own over HTTP and HTTPS, with accounts that are made for the lesson, each way behind a tap, and
 * the page that shows what the taps see. All of it is on loopback, in a folder that is thrown away at the end.
 * @param shared as for `startServer`
 * @throws StartError where it is asked to listen elsewhere
 */
export async function startLesson(
  config: Config,
  shared: { passwords?: Passwords } = {},
): Promise<RunningLesson> {
  if (!['127.0.0.1', 'localhost'].includes(config.host))
    throw new StartError('The lesson stays on this machine: leave --host out.');
  const folder = mkdtempSync(join(tmpdir(), 'hearth-lesson-'));
  const closers: (() => Promise<void>)[] = [];
  const end = async () => {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  };
  let ending: Promise<void> | undefined;
  const stop = () => {
    ending ??= end();
    return ending;
  };
  try {
    const server = await startServer(ownConfig(config, folder), shared);
    closers.push(server.stop);
    const [secure = '', plain = ''] = server.urls;
    await fill(plain);
    const tell = (captured: Captured) => pages.tell(captured);
    const taps = {
      http: new Tap('http', portOf(plain), tell),
      https: new Tap('https', portOf(secure), tell),
    };
    const first = config.port === 0 ? 0 : config.port;
    const chosen =
      first === PORTS.http ? PORTS : { http: first, https: first && first + 1, page: first && first + 2 };
    closers.push(taps.http.close.bind(taps.http), taps.https.close.bind(taps.https));
    // By name: browsers say the name of a site when they connect to it, and none for an address.
    const urls = {
      http: `http://localhost:${await taps.http.listen(chosen.http)}`,
      https: `https://localhost:${await taps.https.listen(chosen.https)}`,
    };
    const { issuer, validTo, fingerprint256 } = new X509Certificate(readFileSync(join(folder, 'cert.pem')));
    const pages = new LessonPages({
      certificate: { issuer: /^CN=(.+)$/m.exec(issuer)?.[1] ?? issuer, validTo, fingerprint: fingerprint256 },
      log: pino({ level: config.logLevel, base: null }, process.stderr),
      ...{ taps, urls, account: LEA, httpTarget: plain, assetVersion: config.assetVersion },
    });
    closers.push(() => pages.close());
    return { urls: { ...urls, page: `http://localhost:${await pages.listen(chosen.page)}/lesson` }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Everything in the folder of the lesson, on free ports behind the taps. */
function ownConfig(config: Config, folder: string): Config {
  return {
    ...config,
    ...{ host: '127.0.0.1', tls: true, port: 0, httpPort: 0 },
    ...{
      certFile: join(folder, 'cert.pem'),
      keyFile: join(folder, 'key.pem'),
      dataDir: join(folder, 'data'),
    },
    ...{ registration: undefined, inboxOnly: false, adminUsername: undefined, encryptionKey: undefined },
    ...{ smtpUrl: undefined, origins: [], trustedProxies: [] },
  };
}

/** Two people, and what they have written to each other. */
async function fill(url: string): Promise<void> {
  const post = async (path: string, form: Record<string, string>, cookie = '') => {
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(url + path, {
      ...{ method: 'POST', redirect: 'manual', headers, body: new URLSearchParams(form) },
    });
    if (answer.status !== 303) throw new Error(`The lesson could not be set up: ${path} ${answer.status}`);
    return answer.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ');
  };
  const lea = await post('/register', LEA);
  const tom = await post('/register', TOM);
  for (const cookie of [lea, tom]) await post('/groups/1/join', {}, cookie);
  await post('/groups/1/messages', { content: 'Shall we eat together tomorrow?' }, lea);
  await post('/groups/1/messages', { content: `Yes! At ${TRUE_WORD}, at the fountain.` }, tom);
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}
