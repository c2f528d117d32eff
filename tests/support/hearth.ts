import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is closed when a test, or a bench, is over. */
export type Ending = { after(close: () => unknown): void };

export const ROOT = new URL('../..', import.meta.url).pathname;

/** What `npm start` gives to node, so that what is tested and measured is what people run. */
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const [NODE_FLAGS, START]: [readonly string[], string] = [
  scripts.start.split(' ').slice(1, -1),
  scripts.start.split(' ').at(-1),
];

export type Hearth = {
  url: string;
  /** Every address it printed. */
  urls: string[];
  dataDir: string;
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
  /** Instead of what `npm start` runs. */
  script?: string;
};

/** What each test still has to close. */
const endings = new WeakMap<Ending, (() => unknown)[]>();

/**
 * Closes what was opened last first, which `after` alone does not: a folder was taken away under a second server that
 * still wrote to it.
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
export async function runToEnd(
  args: string[],
  env: Record<string, string> = {},
  script = START,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, output } = launch(script, args, env);
  const [code] = await once(child, 'close');
  return { code, ...output() };
}

/** Starts a real Hearth on a free port with a folder of its own, and stops it after the test. */
export async function startHearth(test: Ending, options: Options = {}): Promise<Hearth> {
  const dataDir = options.dataDir ?? join(temporaryFolder(test), 'data');
  const flags = ['--port', '0', '--data', dataDir, ...(options.flags ?? [])];
  const { child, output } = launch(options.script ?? START, flags, { RATE_LIMITS: 'off', ...options.env });
  const ended = once(child, 'close');
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const found = /Hearth is at (.+)\n/.exec(output().stdout)?.[1];
      if (found) resolve(found);
    });
    ended.then(() => reject(new Error(`Hearth did not start: ${output().stderr}`)));
  });
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    const [code] = await ended;
    return code as number | null;
  };
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

function launch(script: string, args: string[], env: Record<string, string>) {
  const { ENCRYPTION_KEY, SESSION_SECRET, ADMIN_USERNAME, NODE_TEST_CONTEXT, ...inherited } = process.env;
  const loader = script.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child: ChildProcess = spawn(process.execPath, [...NODE_FLAGS, ...loader, script, ...args], {
    cwd: ROOT,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      chunks[name] += text;
    });
  }
  return { child, output: () => ({ ...chunks }) };
}
