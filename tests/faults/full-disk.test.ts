import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson } from '../support/client.ts';
import { atEnd, ROOT, startHearth, temporaryFolder } from '../support/hearth.ts';

/** A small disk of its own, by a mount namespace of Linux: mount_namespaces(7). */
const onSmallDisk = (folder: string, ...command: string[]) => [
  '--mount',
  '--map-root-user',
  'sh',
  '-c',
  'mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"',
  folder,
  ...command,
];

test('a full disk: health says so, messages are refused with a sentence, and all is well again afterwards', async (t) => {
  const folder = temporaryFolder(t);
  if (spawnSync('unshare', onSmallDisk(folder, 'true')).status !== 0)
    return t.skip('This machine makes no mount namespaces.');
  const start = [process.execPath, 'start.js', '--port', '0', '--data', join(folder, 'data')];
  const child = spawn('unshare', onSmallDisk(folder, ...start), {
    cwd: ROOT,
    env: { ...process.env, RATE_LIMITS: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  atEnd(t, async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  let output = '';
  for await (const text of child.stdout) {
    output += text;
    if (/Hearth is at (\S+)\n/.test(output)) break;
  }
  const url = /Hearth is at (\S+)/.exec(output)?.[1] ?? '';
  const [ada, reader] = [await newPerson(url, 'ada', 1), await newPerson(url, 'joe', 1)];
  const health = async () => {
    // One answer serves for a second.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    return (await ada.get('/healthz')).status;
  };
  assert.equal(await health(), 200);

  const disk = join('/proc', String(child.pid), 'root', folder);
  mkdirSync(disk, { recursive: true });
  const filler = join(disk, 'filler');
  let isFull = false;
  try {
    writeFileSync(filler, Buffer.alloc(64 * 1024 * 1024));
  } catch {
    isFull = true;
  }
  assert.ok(isFull);
  assert.equal(await health(), 503);
  let refused: Awaited<ReturnType<typeof ada.post>> | undefined;
  for (let number = 0; number < 2_000 && refused?.status !== 507; number++)
    refused = await ada.post('/groups/1/messages', { content: `${number} ${'x'.repeat(7_000)}` });
  assert.equal(refused?.status, 507);
  assert.match(refused?.body ?? '', /The disk of this Hearth is full\./);
  const unread = await reader.get('/groups/1');
  assert.deepEqual([unread.status, /data-read-seq="0"/.test(unread.body)], [200, true], 'it can be read');
  assert.notEqual((await ada.get('/search?q=words')).status, 500);

  rmSync(filler);
  assert.equal(await health(), 200);
  assert.equal((await ada.post('/groups/1/messages', { content: 'room again' })).status, 303);
});

test('where the log cannot be written, as its disk is full, Hearth goes on without it', async (t) => {
  const full = openSync('/dev/full', 'w');
  const args = ['start.js', '--port', '0', '--data', join(temporaryFolder(t), 'data')];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', full] });
  closeSync(full);
  atEnd(t, () => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout ?? assert.fail(), 'data')) as [Buffer];
  const url = /Hearth is at (\S+)/.exec(String(line))?.[1] ?? assert.fail(String(line));
  for (let count = 0; count < 20; count++) assert.equal((await fetch(`${url}/login`)).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('a rehearsal whose copy does not fit says where it needs room', async (t) => {
  const [folder, dataDir] = [temporaryFolder(t), temporaryFolder(t)];
  if (spawnSync('unshare', onSmallDisk(folder, 'true')).status !== 0)
    return t.skip('This machine makes no mount namespaces.');
  const hearth = await startHearth(t, { dataDir });
  await hearth.stop();
  const filled = 'head -c 64m /dev/zero > "$TMPDIR/filler" 2> /dev/null; exec "$@"';
  const rehearse = [process.execPath, 'command.js', 'rehearse', '--data', dataDir];
  const { status, stderr } = spawnSync(
    'unshare',
    onSmallDisk(folder, 'sh', '-c', filled, 'sh', ...rehearse),
    {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: folder },
      encoding: 'utf8',
    },
  );
  assert.deepEqual(
    [status, stderr],
    [1, `The copy does not fit into ${folder}. Make room there, or name a folder with room in TMPDIR.\n`],
  );
});
