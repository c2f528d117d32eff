import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { compiledSources } from '../../compile.js';

/** What is closed when a test, or a bench, is over. */
export type Ending = { after(close: () => unknown): void };

export const ROOT = new URL('../..', import.meta.url).pathname;

/** What `npm start` gives to node, so that what is tested and measured is what people run. */
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const [NODE_FLAGS, START]: [readonly string[], string] = [
  scripts.start.split(' ').slice(1, -1),
  scripts.start.split(' ').at(-1),
];

/** How late V8 optimises, as `npm test` sets it for its processes. */
const BUDGET = process.execArgv.filter((flag) => flag.startsWith('--interrupt-budget='));

export type Hearth = {
  url: string;
  /** Every address that it has. */
  urls: string[];
  dataDir: string;
  stop(): Promise<unknown>;
};

/** One in a process of its own. */
export type HearthProcess = Hearth & {
  pid: number;
  output(): { stdout: string; stderr: string };
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
};

type Options = {
  flags?: string[];
  env?: Record<string, string>;
  dataDir?: string;
};

/** bcrypt's lowest work factor: of a Hearth in this process; one of its own takes what can be set. */
export const LOWEST_COST = 4;

/** For a test that looks into the files of SQLite, or relies on its one writer: it is left out on PostgreSQL. */
export const ON_SQLITE = { skip: process.env.TEST_POSTGRES ? 'on SQLite only' : false };

/** What each test still has to close. */
const endings = new WeakMap<Ending, (() => unknown)[]>();

/**
 * Registers a cleanup. Cleanups run in reverse order, which `test.after` does not do: a folder must not be removed
 * while a second server still writes to it.
 */
export function atEnd(test: Ending, close: () => unknown): void {
  const open = endings.get(test);
  if (open) {
    open.push(close);
    return;
  }
  const first = [close];
  endings.set(test, first);
  test.after(async () => {
    for (const closeNext of first.reverse()) await closeNext();
  });
}

/** A folder that is gone after the test. */
export function temporaryFolder(test: Ending): string {
  const folder = mkdtempSync(join(tmpdir(), 'hearth-test-'));
  atEnd(test, () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** Runs Hearth as `npm start` does, and resolves to what came of it once it has ended. */
export function runToEnd(args: string[], env: Record<string, string> = {}, script = START): Promise<Ended> {
  return ended(script, args, args, env);
}

/** Runs a command as `npm run` does. @param folder of another version */
export function runCommand(
  name: string,
  args: string[],
  env: Record<string, string> = {},
  folder = ROOT,
): Promise<Ended> {
  return ended(join(folder, 'command.js'), [name, ...args], args, env);
}

type Ended = { code: number | null; stdout: string; stderr: string };

async function ended(
  script: string,
  args: string[],
  flags: string[],
  env: Record<string, string>,
): Promise<Ended> {
  const dataDir = flags.includes('--data') ? flags[flags.indexOf('--data') + 1] : undefined;
  const database = dataDir === undefined ? {} : await databaseOf(dataDir);
  const { child, output } = launch(script, args, { ...database, ...env });
  const [code] = await once(child, 'close');
  return { code, ...output() };
}

/** Starts Hearth in this process, on a free port with a folder of its own, and stops it after the test. */
export async function startHearth(test: Ending, options: Options = {}): Promise<Hearth> {
  const { flags, dataDir } = flagsOf(test, options);
  loaded ??= load();
  const { readCommand, startServer, version, passwords } = await loaded;
  const environment = environmentOf({
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'silent',
    ...options.env,
  });
  const command = readCommand(flags, { ...environment, ...(await databaseOf(dataDir)) }, version());
  if (command.kind !== 'start') throw new Error(command.text);
  const { urls, stop } = await startServer(command.config, { passwords });
  atEnd(test, stop);
  return { url: urls[0] ?? '', urls, dataDir, stop };
}

let loaded: ReturnType<typeof load> | undefined;

/** Loads the compiled sources, which takes half the time, and password hashing at the lowest cost. */
async function load() {
  const folder = await compiledSources();
  const read = (name: string) => import(pathToFileURL(join(folder, name)).href);
  const { readCommand }: typeof import('../../src/config.ts') = await read('config.js');
  const { startServer }: typeof import('../../src/server.ts') = await read('server.js');
  const { version }: typeof import('../../src/version.ts') = await read('version.js');
  const { createPasswords }: typeof import('../../src/crypto/passwords.ts') =
    await read('crypto/passwords.js');
  const passwords = createPasswords(LOWEST_COST);
  after(() => passwords.close());
  return { readCommand, startServer, version, passwords };
}

/** Starts Hearth as `npm start` does, on a free port with a folder of its own, and ends it after the test. */
export async function startHearthProcess(
  test: Ending,
  options: Options & { script?: string } = {},
): Promise<HearthProcess> {
  const { flags, dataDir } = flagsOf(test, options);
  const { child, output } = launch(options.script ?? START, flags, {
    RATE_LIMITS: 'off',
    PASSWORD_COST: '10',
    ...(await databaseOf(dataDir)),
    ...options.env,
  });
  const ended = once(child, 'close');
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = /Hearth is at (.+)\n/.exec(output().stdout)?.[1];
      if (found) resolve(found);
    });
    ended.then(() => reject(new Error(`Hearth did not start: ${output().stderr}`)));
  });
  const end = ender(child, ended);
  atEnd(test, () => end('SIGKILL'));
  const urls = line.split(' and ');
  return {
    url: urls[0] ?? '',
    urls,
    dataDir,
    pid: child.pid ?? 0,
    output,
    stop: () => end('SIGTERM'),
    async kill() {
      await end('SIGKILL');
    },
  };
}

/** Starts the lesson on free ports in a process of its own, and ends it after the test. Rejects with what it said. */
export async function startLessonProcess(
  test: Ending,
  flags: readonly string[] = [],
): Promise<{ page: string; http: string; https: string; stop(): Promise<number | null> }> {
  const { child, output } = launch(START, ['--lesson', '--port', '0', ...flags], { RATE_LIMITS: 'off' });
  const ended = once(child, 'close');
  const said = await new Promise<RegExpExecArray>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const line = /The lesson is at (\S+); its chat is at (\S+) and (\S+)\n/.exec(output().stdout);
      if (line) resolve(line);
    });
    ended.then(() => reject(new Error(output().stderr)));
  });
  const end = ender(child, ended);
  atEnd(test, () => end('SIGKILL'));
  const [, page = '', http = '', https = ''] = said;
  return { page, http, https, stop: () => end('SIGTERM') };
}

/** Sends a signal to a process that still runs, and resolves to its exit code. */
function ender(child: ChildProcess, ended: Promise<unknown[]>) {
  return async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [code] = await ended;
    return code as number | null;
  };
}

/**
 * Where `TEST_POSTGRES` names a PostgreSQL server, every Hearth of the tests is on it: `npm run test:postgres`. Each data
 * folder has a database of its own, also after a restart.
 */
export async function databaseOf(dataDir: string): Promise<{ DATABASE_URL?: string }> {
  const server = process.env.TEST_POSTGRES;
  if (!server) return {};
  const name = `hearth_${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
  const client = new pg.Client(server);
  await client.connect();
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = name;
  return { DATABASE_URL: url.href };
}

function flagsOf(test: Ending, options: Options): { flags: string[]; dataDir: string } {
  const dataDir = options.dataDir ?? join(temporaryFolder(test), 'data');
  return { flags: ['--port', '0', '--data', dataDir, ...(options.flags ?? [])], dataDir };
}

function environmentOf(env: Record<string, string>): Record<string, string | undefined> {
  const { ENCRYPTION_KEY, SESSION_SECRET, ADMIN_USERNAME, NODE_TEST_CONTEXT, ...inherited } = process.env;
  return { ...inherited, ...env };
}

function launch(script: string, args: string[], env: Record<string, string>) {
  const loader = script.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child: ChildProcess = spawn(
    process.execPath,
    [...NODE_FLAGS, ...BUDGET, ...loader, script, ...args],
    {
      cwd: ROOT,
      env: environmentOf(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const chunks = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      chunks[name] += text;
    });
  }
  return { child, output: () => ({ ...chunks }) };
}
