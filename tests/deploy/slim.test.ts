import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { newPerson } from '../support/client.ts';
import { atEnd, ROOT, temporaryFolder } from '../support/hearth.ts';

type Locked = { dev?: boolean; optional?: boolean; devOptional?: boolean; link?: boolean };

/** As links where that is possible, which takes no time and no room. */
function copy(from: string, to: string): void {
  try {
    execFileSync('cp', ['-al', from, to], { stdio: 'ignore' });
  } catch {
    execFileSync('cp', ['-r', '--remove-destination', from, dirname(to)]);
  }
}

/** What `npm ci --omit=dev --omit=optional` installs, as the lock file has it. */
function installed(): string[] {
  const { packages }: { packages: Record<string, Locked> } = JSON.parse(
    readFileSync(join(ROOT, 'package-lock.json'), 'utf8'),
  );
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional, link }]) => {
      const isTop = /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(path);
      // esbuild fetches its program itself where npm has left it out.
      if (path.startsWith('node_modules/@esbuild/')) return existsSync(join(ROOT, path));
      return isTop && !dev && !optional && !devOptional && !link;
    })
    .map(([path]) => path);
}

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
  for (const deadline = Date.now() + 60_000; !/Hearth is at (\S+)/.test(said); ) {
    assert.ok(Date.now() < deadline && child.exitCode === null, said);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
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
  assert.match(said, /faces are not checked/);
});
