import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { EXTRAS } from '../../src/engines/extras.ts';
import { newPerson } from '../support/client.ts';
import { atEnd, ROOT, temporaryFolder } from '../support/hearth.ts';
import { until } from '../support/until.ts';

type Locked = { dev?: boolean; optional?: boolean; devOptional?: boolean; link?: boolean };

/** As links where that is possible, which takes no time and no room. */
function copy(from: string, to: string): void {
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'ignore' });
  } catch {
    execFileSync('cp', ['-r', '--remove-destination', from, dirname(to)]);
  }
}

function locked(): [path: string, Locked][] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  return Object.entries(packages);
}

/** What `npm ci --omit=dev --omit=optional` installs, as the lock file has it. */
function installed(): string[] {
  return locked()
    .filter(([path, { dev, optional, devOptional, link }]) => {
      const isTop = /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path);
      // esbuild fetches its program itself where npm has left it out.
      if (path.startsWith('node_modules/@esbuild/')) return existsSync(join(ROOT, path));
      return isTop && !dev && !optional && !devOptional && !link;
    })
    .map(([path]) => path);
}

test('npm ci installs less than 250 MB, and the README says how much', () => {
  const paths = locked()
    .filter(([path, { dev, link }]) => /^node_modules\/(?!.*\/node_modules\/)/.test(path) && !dev && !link)
    .map(([path]) => join(ROOT, path))
    .filter((path) => existsSync(path));
  // In one command, so that what has two names counts once.
  const lines = execFileSync('du', ['-sck', ...paths], { encoding: 'utf8' })
    .trim()
    .split('\n');
  const megabytes = Number.parseInt(lines.at(-1) ?? '', 10) / 1_024;
  assert.ok(megabytes > 100 && megabytes < 250, `${megabytes} MB`);
  const [, said] = /It takes (\d+) MB/.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
  assert.ok(Math.abs(Number(said) - megabytes) < 15, `${said} MB in the README, ${megabytes} MB`);
});

test('engines that npm ci leaves out are listed with what they are for, and a wrong name is refused', () => {
  const add = (...names: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'scripts/add.ts', ...names], {
      cwd: ROOT,
      encoding: 'utf8',
    });
  const list = add();
  assert.equal(list.status, 0);
  for (const name of Object.keys(EXTRAS)) assert.match(list.stdout, new RegExp(`^${name} +installed`, 'm'));
  assert.equal(add('faces').stdout, 'Already installed: faces\n', 'the tests need them');
  const refused = add('facse');
  assert.equal(refused.status, 2);
  assert.equal(refused.stderr, 'There is no "facse" to add. Name some of: faces, amazon, sherpa\n');
  for (const name of Object.values(EXTRAS).flatMap(({ packages }) => packages)) {
    const [, entry] = locked().find(([path]) => path === `node_modules/${name}`) ?? [];
    assert.ok(entry?.dev || entry?.link, `${name} is locked, and not installed by npm ci`);
  }
});

test('Hearth starts and serves with what npm ci --omit=dev --omit=optional installs, and says what is left out', async (t) => {
  const folder = temporaryFolder(t);
  for (const path of installed()) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    copy(join(ROOT, path), join(folder, path));
  }
  const own = [
    'src',
    'views',
    'static',
    'compile.js',
    'scripts',
    'start.js',
    'run.ts',
    'package.json',
    'tls_config.json',
  ];
  for (const name of own) execFileSync('cp', ['-r', join(ROOT, name), join(folder, name)]);
  const flags = ['start.js', '--port', '0', '--data', join(temporaryFolder(t), 'data')];
  const child = spawn(process.execPath, flags, { cwd: folder, env: { ...process.env, RATE_LIMITS: 'off' } });
  atEnd(t, async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      said += text;
    });
  await until(
    () => /Hearth is at (\S+)/.test(said) || child.exitCode !== null,
    () => said,
  );
  // From Node.js 24.19 on, one of the optional packages is needed, and said to be.
  if (Number.parseInt(process.versions.node, 10) >= 24 && /needs better-sqlite3 13/.test(said))
    return assert.match(said, /run npm ci --omit=dev\.\n$/);
  const [, url = ''] = /Hearth is at (\S+)/.exec(said) ?? [];
  const ada = await newPerson(url, 'ada', 1);
  assert.equal((await ada.post('/groups/1/messages', { content: 'hello' })).status, 303);
  const picture = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  await ada.upload('/groups/1/messages', [{ name: 'red.png', type: 'image/png', bytes: picture }], {
    content: 'a picture',
  });
  assert.match((await ada.get('/groups/1')).body, /hello[\s\S]*red\.png/, 'a picture is a file as any other');
  assert.match(said, /voice messages stay without text/);
  assert.match(said, /npm run add -- faces/);
});
