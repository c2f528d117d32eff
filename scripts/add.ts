// npm run add                   lists the engines that npm ci leaves out
// npm run add -- faces amazon   installs them, until the next npm ci
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXTRAS, type ExtraName } from '../src/engines/extras.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const names = Object.keys(EXTRAS) as ExtraName[];
const isThere = (name: string) => existsSync(join(root, 'node_modules', name));
const isInstalled = (name: ExtraName) => EXTRAS[name].packages.every(isThere);

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !names.some((extra) => extra === name));
const wanted = names.filter((name) => asked.includes(name));
if (asked.length === 0) list();
else if (unknown !== undefined) refuse(`There is no "${unknown}" to add. Name some of: ${names.join(', ')}`);
else if (wanted.every(isInstalled)) console.log(`Already installed: ${wanted.join(', ')}`);
else install();

function list(): void {
  for (const name of names) {
    const { megabytes, meaning } = EXTRAS[name];
    console.log(
      `${name.padEnd(8)} ${isInstalled(name) ? 'installed' : `${megabytes} MB`.padEnd(9)} ${meaning}`,
    );
  }
  console.log('\nInstall some of them: npm run add -- faces');
}

function install(): void {
  // Together with those that are there, since npm removes what is not named.
  const all = names.filter((name) => wanted.includes(name) || isInstalled(name));
  const npm = process.env.npm_execpath;
  const flags = ['install', '--no-save', '--save-prod', '--no-audit', '--no-fund', '--loglevel=error'];
  // What was left out at the installation stays out, and what is there stays.
  if (!isThere(`@esbuild/${process.platform}-${process.arch}`)) flags.push('--omit=optional');
  flags.push(isThere('typescript') ? '--include=dev' : '--omit=dev');
  const packages = all.flatMap((name) => EXTRAS[name].packages.map(withVersion));
  if (npm) run(process.execPath, [npm, ...flags, ...packages]);
  else run('npm', [...flags, ...packages]);
  run(process.execPath, [join(root, 'prune.js')]);
  console.log(
    `Installed: ${all.join(', ')}. Start Hearth again to use it; after the next npm ci, add it again.`,
  );
}

/** In the version of the lock file, which is tested; a folder of Hearth's own by its path. */
function withVersion(name: string): string {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const { version, link, resolved } = packages[`node_modules/${name}`];
  return `${name}@${link ? `file:${resolved}` : version}`;
}

function run(command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) refuse(`${command} could not be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

function refuse(sentence: string): void {
  console.error(sentence);
  process.exitCode = 2;
}
