// npm run test:node -- 24    installs Hearth anew on that version of Node, starts it, and runs the unit tests on it
import { type SpawnSyncOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const [version = ''] = process.argv.slice(2);
const npm = process.env.npm_execpath;
if (!/^\d+(\.\d+){0,2}$/.test(version) || !npm) {
  console.error('Name a version of Node: npm run test:node -- 24');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), `hearth-node-${version}-`));
try {
  // The packages of this name carry the binary, and the headers that native modules are compiled with.
  const name = `node-${process.platform}-${process.arch}`;
  run(process.execPath, [npm, 'install', '--no-save', '--prefix', folder, `${name}@${version}`], {});
  const home = join(folder, 'node_modules', name);
  const node = join(home, 'bin', 'node');
  const project = join(folder, 'hearth');
  const { stdout } = spawnSync('git', ['ls-files', '-z'], { encoding: 'utf8' });
  for (const file of stdout.split('\0').filter((file) => file !== '' && existsSync(file)))
    cpSync(file, join(project, file));

  const env = {
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
    npm_config_nodedir: home,
  };
  const options = { cwd: project, env };
  run(node, [npm, 'ci', '--include=dev', '--no-audit', '--no-fund'], options);
  await start(node, options);
  run(node, ['--import', 'tsx', 'scripts/check.ts', '--unit'], options);
  console.log(`Hearth installs, starts and passes its unit tests on Node ${version}.`);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Starts Hearth, asks whether it is well, and stops it. */
async function start(node: string, options: SpawnSyncOptions): Promise<void> {
  const data = join(folder, 'data');
  const child = spawn(node, ['start.js', '--port', '0', '--data', data], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  let output = '';
  const url = await new Promise<string | undefined>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const address = /Hearth is at (\S+)/.exec(output)?.[1];
      if (address) resolve(address);
    });
    ended.then(() => resolve(undefined));
  });
  const status = url && (await fetch(`${url}/healthz`)).status;
  child.kill('SIGTERM');
  const [code] = await ended;
  if (status !== 200 || code !== 0)
    throw new Error(`It answered ${status ?? 'nothing'} and ended with ${code}.`);
}

function run(command: string, args: readonly string[], options: SpawnSyncOptions): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (error || status !== 0) throw error ?? new Error(`${args.join(' ')} ended with ${status}.`);
}
