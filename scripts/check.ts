// npm test             everything the project checks, in the order of what fails soonest
// npm run test:postgres    the tests of features, with every Hearth on PostgreSQL
// npm run test:unit    types, lint, and the tests that start no server, no browser and no engine
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run as runTests } from 'node:test';
import { spec } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { startPostgres } from '../tests/support/postgres.ts';
import { compileTests } from './compile-tests.ts';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Those that take longest begin first, so that none of them runs alone at the end; each has a process of its own. */
const LONGEST = [
  'second-factors/faces',
  'voice/queue',
  'journeys/accessibility-desk',
  'journeys/silent-line',
  'journeys/voice',
  'journeys/accessibility-phone',
  'upgrades/upgrades',
  'contracts/faces',
  'contracts/speech',
  'voice/doors',
  'faults/at-rest',
  'faults/cluster',
  'backups/backups',
  'notifications/push',
  'terminal/terminal',
  'faults/kill',
  'contracts/caches',
  'upgrades/rolling',
  'cluster/outages',
  'cluster/roles',
  'cluster/cluster',
  'backups/schedule',
  'faults/damage',
];
/** Those that change what others in their process rely on, such as a package, or that measure time. */
const APART = [
  'voice/convert',
  'voice/without-packages',
  'files/bucket',
  'messages/hostile-text',
  'crypto/passwords',
];
/**
 * All others share processes, which start once and get faster as they run: a file costs half the processor's time that
 * it costs in a process of its own.
 */
const SHARED_PROCESSES = 8;
/** The tests of pages share browsers, too. */
const SHARED_BROWSERS = 3;

/**
 * Most processes of tests end soon: optimising what they run takes a tenth of their time. With this budget V8 does it
 * after 15 times as much work. Later versions of Node do not know the flag.
 */
const OPTIMISE_LATE = process.version.startsWith('v20.') ? ['--interrupt-budget=1000000'] : [];
/** Where the network is slow, the tests begin without what is only faster. */
const INSTALL_MS = 120_000;
/** More files than these fail for another reason than chance. */
const MAX_RUN_AGAIN = 4;

const isUnit = process.argv.includes('--unit');
const isPostgres = process.argv.includes('--postgres');
/** What is of one engine, or starts its own, or looks at pages and not at what is stored. */
const NOT_ON_POSTGRES =
  /^(?:architecture|backups|cluster|config|contracts|crypto|database|faults|journeys|lesson|terminal|tls|upgrades|voice)\//;
const missing = [
  ...(BROWSERS.some((path) => existsSync(path)) ? [] : ['chromium', 'fonts-dejavu-core']),
  // A test runs where there is no network.
  ...(existsSync('/usr/sbin/ip') || existsSync('/sbin/ip') || process.platform !== 'linux'
    ? []
    : ['iproute2']),
  // Hearth is tested behind both.
  ...(isThere('caddy') ? [] : ['caddy']),
  ...(isThere('nginx') ? [] : ['nginx-light']),
  // A browser trusts the authority that Hearth made.
  ...(isThere('certutil') ? [] : ['libnss3-tools']),
  // Hearth is tested on it, too.
  ...(existsSync('/usr/lib/postgresql') || process.platform !== 'linux' ? [] : ['postgresql']),
  ...(isThere('redis-server') ? [] : ['redis-server']),
  // It reads the rules of alerts.
  ...(isThere('promtool') ? [] : ['prometheus']),
  ...(isThere('systemd-analyze') || process.platform !== 'linux' ? [] : ['systemd']),
  // The terminal client is used in a real terminal.
  ...(isThere('tmux') ? [] : ['tmux']),
  // For the checker of HTML. Who cannot install it here skips that one test.
  ...(isThere('java') || process.getuid?.() !== 0 ? [] : ['default-jre-headless']),
];
// `npm ci` leaves it out for its size, by .npmrc.
if (!existsSync('node_modules/typescript')) {
  console.log('Installing what the tests need with npm.');
  run('npm', ['install', '--include=dev', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
}
if (missing.length > 0 && !isUnit) install(missing);
if (!isUnit && !isThere('chromium-headless-shell') && process.getuid?.() === 0) installShell();
const checked = Promise.all([
  runBeside('npm', ['run', '--silent', 'types']),
  runBeside('npx', ['biome', 'check']),
]);
const tests = readdirSync('tests', { recursive: true, encoding: 'utf8' })
  .filter(
    (file) =>
      file.endsWith('.test.ts') &&
      !file.includes('node_modules') &&
      (!isUnit || isUnitTest(file)) &&
      !(isPostgres && NOT_ON_POSTGRES.test(file)),
  )
  .sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1));
const endings: (() => unknown)[] = [];
if (isPostgres) {
  const server = await startPostgres({ after: (end) => endings.push(end) });
  process.env.TEST_POSTGRES = await server.database();
}
const compiled = resolve(`compiled-tests-${process.pid}`);
process.on('exit', () => rmSync(compiled, { recursive: true, force: true }));
const [sources] = await Promise.all([compileTests(tests, compiled), checked]);
// What is compiled already needs no tsx; the processes of the tests begin with what this one is said to have begun with.
process.execArgv.splice(0, Infinity, '--enable-source-maps', ...OPTIMISE_LATE);
// Two more than processors: a third of the time a file waits, for a line to be given up or a voice to be heard.
const failed = await failedOf(inProcesses(tests), availableParallelism() + 2);
const unstable = failed.filter((file) => !isUnitTest(file));
// What browsers, servers and several processes do depends on what else the machine does: such a file is run again, with
// nothing beside it.
if (unstable.length > 0 && unstable.length === failed.length && unstable.length <= MAX_RUN_AGAIN) {
  console.log(`\nRunning again, with nothing beside it: ${unstable.join(', ')}\n`);
  const failedAgain = await failedOf(
    unstable.map((file) => [file]),
    1,
  );
  process.exitCode = failedAgain.length > 0 ? 1 : 0;
  console.log(
    failedAgain.length > 0
      ? `\nFailed twice: ${failedAgain.join(', ')}`
      : `\nUNSTABLE, a fault to be found: failed at first and passed alone: ${unstable.join(', ')}`,
  );
} else process.exitCode = failed.length > 0 ? 1 : 0;
for (const end of endings) await end();

/** Which files run in one process, one after the other. */
function inProcesses(files: readonly string[]): string[][] {
  const alone = files.filter((file) => [...LONGEST, ...APART].includes(nameOf(file)));
  const shared = files.filter((file) => !alone.includes(file));
  const isPage = (file: string) => file.startsWith('journeys/');
  const longest = alone.slice(0, availableParallelism());
  return [
    ...longest.map((file) => [file]),
    ...dealt(shared.filter(isPage), SHARED_BROWSERS),
    ...dealt(
      shared.filter((file) => !isPage(file)),
      SHARED_PROCESSES,
    ),
    ...alone.slice(longest.length).map((file) => [file]),
  ];
}

/** Deals files out as cards are. */
function dealt(files: readonly string[], count: number): string[][] {
  const hands = Array.from({ length: count }, (_, hand) =>
    files.filter((_, index) => index % count === hand),
  );
  return hands.filter((hand) => hand.length > 0);
}

/** Runs files of tests. @param processes the files of each process. @returns the files that failed */
async function failedOf(processes: readonly (readonly string[])[], concurrency: number): Promise<string[]> {
  const failed = new Set<string>();
  const failedProcesses = new Set<readonly string[]>();
  const filesOf = new Map(processes.map((files) => [entryOf(files), files]));
  const events = runTests({ files: [...filesOf.keys()], concurrency, timeout: 1_200_000 });
  events.on('test:fail', ({ file = '' }) => {
    const files = filesOf.get(file);
    if (files) failedProcesses.add(files);
    else failed.add(sources.get(file) ?? relative('tests', file));
  });
  await pipeline(events, new spec(), process.stdout, { end: false });
  // A process fails with one of its tests; with none of them, any of its files may be the reason.
  for (const files of failedProcesses)
    if (!files.some((file) => failed.has(file))) for (const file of files) failed.add(file);
  return [...failed];
}

/** What a process runs: a compiled file, or one that runs several. */
function entryOf(files: readonly string[]): string {
  const [first = '', ...others] = files;
  if (others.length === 0) return compiledOf(first);
  const entry = join(compiled, `${nameOf(first).replace('/', '-')}-and-others.js`);
  const urls = files.map((file) => pathToFileURL(compiledOf(file)).href);
  // The runner ends what files share, such as their servers, as soon as no test is left: none ends before all are there.
  const lines = [
    "import { before } from 'node:test';",
    'let loaded;',
    'const all = new Promise((resolve) => { loaded = resolve; });',
    'before(() => all);',
    `for (const url of ${JSON.stringify(urls)}) await import(url);`,
    'loaded();',
  ];
  writeFileSync(entry, `${lines.join('\n')}\n`);
  return entry;
}

function compiledOf(file: string): string {
  return join(compiled, file.replace(/\.ts$/, '.js'));
}

function nameOf(file: string): string {
  return file.replace('.test.ts', '');
}

/** Starts no server, no browser and no engine. */
function isUnitTest(file: string): boolean {
  if (/^(?:journeys|faults|voice)\/|^contracts\/(?:speech|faces)/.test(file)) return false;
  return !/startHearth|startPostgres|startRedis|startCluster|runToEnd|createServer/.test(
    readFileSync(join('tests', file), 'utf8'),
  );
}

function placeOf(file: string): number {
  const place = LONGEST.indexOf(nameOf(file));
  return place < 0 ? LONGEST.length : place;
}

function isThere(program: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return [...folders, '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'].some((folder) =>
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

/** With it the tests are faster. Where there is none, all of them run in the whole Chromium. */
function installShell(): void {
  // Together, as both are of one version.
  const packages = ['chromium', 'chromium-headless-shell'];
  const { status } = spawnSync('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], {
    stdio: 'ignore',
    timeout: INSTALL_MS,
  });
  if (status !== 0)
    console.log('Without chromium-headless-shell, which could not be installed, this takes longer.');
}

/** Runs it beside others; where it fails, all of this ends. */
async function runBeside(command: string, args: readonly string[]): Promise<void> {
  const [status] = await once(spawn(command, args, { stdio: 'inherit' }), 'close');
  if (status !== 0) process.exit(status ?? 1);
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) console.error(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
