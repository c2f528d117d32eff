// npm test: everything the project checks, in the order of what fails soonest.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

if (!BROWSERS.some((path) => existsSync(path))) installChromium();
run('npx', ['tsc']);
run('npx', ['biome', 'check']);
const tests = readdirSync('tests', { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.test.ts'),
);
run(process.execPath, [
  '--import',
  'tsx',
  '--test',
  `--test-concurrency=${Math.max(2, Math.floor(availableParallelism() / 2))}`,
  // For a whole file, too: axe looks at every page there.
  '--test-timeout=240000',
  '--test-reporter=spec',
  ...tests.sort().map((file) => join('tests', file)),
]);

/** The journeys are walked in Debian's Chromium; as root we fetch it, otherwise we say how. */
function installChromium(): void {
  if (process.getuid?.() !== 0) {
    console.error('The tests need Chromium; install it with: sudo apt-get install chromium');
    process.exit(1);
  }
  console.log('Installing Chromium with apt-get, which the browser tests need.');
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core']);
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) console.error(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
