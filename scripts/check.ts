// npm test             everything the project checks, in the order of what fails soonest
// npm run test:unit    types, lint, and the tests that start no server, no browser and no engine
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Those that take longest begin first, so that none of them runs alone at the end. */
const LONGEST = [
  'journeys/accessibility-desk',
  'journeys/silent-line',
  'journeys/accessibility-phone',
  'journeys/voice',
  'voice/queue',
  'faults/at-rest',
  'faults/kill',
  'faults/damage',
  'contracts/speech',
  'journeys/talk',
  'notifications/push',
  'contracts/caches',
  'journeys/acts',
  'journeys/beside',
];

const isUnit = process.argv.includes('--unit');
const missing = [
  ...(BROWSERS.some((path) => existsSync(path)) ? [] : ['chromium', 'fonts-dejavu-core']),
  // A test runs where there is no network.
  ...(existsSync('/usr/sbin/ip') || existsSync('/sbin/ip') || process.platform !== 'linux'
    ? []
    : ['iproute2']),
  // Hearth is tested behind both.
  ...(isThere('caddy') ? [] : ['caddy']),
  ...(isThere('nginx') ? [] : ['nginx-light']),
  // For the checker of HTML. Who cannot install it here skips that one test.
  ...(isThere('java') || process.getuid?.() !== 0 ? [] : ['default-jre-headless']),
];
if (missing.length > 0 && !isUnit) install(missing);
run('npm', ['run', '--silent', 'types']);
run('npx', ['biome', 'check']);
const tests = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && (!isUnit || isUnitTest(file)))
  .sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
run(process.execPath, [
  '--import',
  'tsx',
  '--test',
  `--test-concurrency=${Math.max(2, availableParallelism())}`,
  // For a whole file, too: axe looks at every page there.
  '--test-timeout=600000',
  '--test-reporter=spec',
  ...tests.map((file) => join('tests', file)),
]);

/** Starts no server, no browser and no engine. */
function isUnitTest(file: string): boolean {
  if (/^(?:journeys|faults|voice)\/|^contracts\/speech/.test(file)) return false;
  return !/startHearth|runToEnd/.test(readFileSync(join('tests', file), 'utf8'));
}

function placeOf(file: string): number {
  const place = LONGEST.indexOf(file.replace('.test.ts', ''));
  return place < 0 ? LONGEST.length : place;
}

function isThere(program: string): boolean {
  return ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/opt/homebrew/bin'].some((folder) =>
    existsSync(join(folder, program)),
  );
}

/** What the tests need of Debian: as root we fetch it, otherwise we say how. */
function install(packages: readonly string[]): void {
  if (process.getuid?.() !== 0) {
    console.error(`The tests need: sudo apt-get install ${packages.join(' ')}`);
    process.exit(1);
  }
  console.log(`Installing ${packages.join(' ')} with apt-get, which the tests need.`);
  run('apt-get', ['update', '-qq']);
  run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages]);
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) console.error(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
