import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { atEnd, type Ending, temporaryFolder } from './hearth.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

/** Where Debian keeps the programs of each version. */
const VERSIONS = '/usr/lib/postgresql';
/** Who runs the server where the tests run as root, which PostgreSQL refuses to be. */
const NOBODY = 65_534;

export type PostgresServer = {
  /** A new database. @returns its URL */
  database(): Promise<string>;
  /** Ends the server at once, as a power cut does. */
  kill(): Promise<void>;
  /** Starts it again where it was. */
  start(): Promise<void>;
};

function programs(): string {
  const [newest] = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : [];
  if (!newest) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  return join(VERSIONS, newest, 'bin');
}

/** Starts a PostgreSQL server in a temporary folder, on a free port of this machine only, and ends it after the test. */
export async function startPostgres(test: Ending): Promise<PostgresServer> {
  const bin = programs();
  const folder = join(temporaryFolder(test), 'postgres');
  const port = await freePort();
  const isRoot = process.getuid?.() === 0;
  const as = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  mkdirSync(folder);
  if (isRoot) {
    execFileSync('chmod', ['755', join(folder, '..')]);
    chownSync(folder, NOBODY, NOBODY);
  }
  const data = join(folder, 'data');
  const flags = [
    '-D',
    data,
    '--auth=trust',
    '--username=hearth',
    '--no-sync',
    '--encoding=UTF8',
    '--locale=C',
  ];
  execFileSync(join(bin, 'initdb'), flags, { ...as, stdio: 'ignore', cwd: folder });
  writeFileSync(
    join(data, 'postgresql.auto.conf'),
    `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = ''\nmax_connections = 200\nshared_buffers = 32MB\n`,
  );
  let server: ReturnType<typeof spawn> | undefined;
  const urlOf = (name: string) => `postgres://hearth@127.0.0.1:${port}/${name}`;

  async function start(): Promise<void> {
    server = spawn(join(bin, 'postgres'), ['-D', data], { ...as, stdio: 'ignore', cwd: folder });
    await until(() => answers(urlOf('postgres')), 'PostgreSQL starts');
  }

  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'close');
    // Its children end with it: SIGQUIT is its own way to stop at once, without a checkpoint.
    server.kill('SIGQUIT');
    await ended;
  }

  await start();
  atEnd(test, kill);
  let databases = 0;
  return {
    async database() {
      const name = `hearth_${++databases}`;
      const client = new pg.Client(urlOf('postgres'));
      await client.connect();
      await client.query(`CREATE DATABASE ${name}`);
      await client.end();
      return urlOf(name);
    },
    kill,
    start,
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
