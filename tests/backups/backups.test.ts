import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { backUp } from '../../src/backups/back-up.ts';
import { isReadAgain } from '../../src/backups/copy-media.ts';
import { readManifest, writeManifest } from '../../src/backups/manifest.ts';
import { expired } from '../../src/backups/prune.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { runCommand, startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { runSql } from '../support/rows.ts';
import { until } from '../support/until.ts';

const DAY_MS = 86_400_000;
const backup = (...args: string[]) => runCommand('backup', args);
const restore = (...args: string[]) => runCommand('restore', args);
const picture = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#c2410c' } })
  .jpeg()
  .toBuffer();

async function sendPicture(person: Visitor, content: string): Promise<void> {
  const file = { name: 'plan.jpg', type: 'image/jpeg', bytes: picture };
  const { body } = await person.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
  const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
  assert.equal((await person.post('/groups/1/messages', { content, files })).status, 303);
}

function folderOf(stdout: string): string {
  return /^(\S+) is good/m.exec(stdout)?.[1] ?? assert.fail(stdout);
}

test('a backup that is taken while people write gives back messages, files, search and sessions on an empty machine', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await sendPicture(ada, 'canary of a backup');
  let isWriting = true;
  let written = 0;
  const writing = (async () => {
    for (; isWriting; written++) await ada.post('/groups/1/messages', { content: `number ${written}` });
  })();
  const target = join(temporaryFolder(t), 'backups');
  const { code, stdout, stderr } = await backup('--data', hearth.dataDir, '--to', target);
  isWriting = false;
  await writing;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /is good: 1 account, \d+ messages, 2 files \(2 new\)\. Its keys are in it/);
  assert.ok(written > 0, 'somebody wrote meanwhile');
  const folder = folderOf(stdout);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    assert.equal(statSync(path).mode & 0o077, 0, `${name} is for its owner only`);
    if (statSync(path).isFile()) assert.ok(!readFileSync(path).includes('canary of a backup'), name);
  }
  await hearth.stop();

  const dataDir = join(temporaryFolder(t), 'restored');
  const restored = await restore(folder, '--data', dataDir);
  assert.equal(restored.code, 0, restored.stderr);
  const again = await startHearth(t, { dataDir });
  const same = new Visitor(again.url);
  for (const [name, value] of ada.cookies) same.cookies.set(name, value);
  const page = await same.get('/groups/1');
  assert.equal(page.status, 200, 'the session is still one');
  const other = new Visitor(again.url);
  await other.post('/login', { username: 'ada', password: PASSWORD });
  const first = (await other.get('/groups/1?around=1')).body;
  assert.match(first, /canary of a backup/);
  const [, thumbnail = ''] = /src="(\/media\/[^"]+\/thumbnail[^"]*)"/.exec(first) ?? [];
  assert.equal((await other.get(thumbnail)).status, 200);
  const search = async () => (await other.get('/search?q=canary+backup')).body.replace(/value="[^"]*"/g, '');
  await until(async () => /canary/.test(await search()), 'found again, with a new index');
  const refused = await restore(folder, '--data', dataDir);
  assert.deepEqual([refused.code, /is there already, and stays as it is/.test(refused.stderr)], [1, true]);
});

test('files are copied once; a damaged part is named, and nothing is restored of it', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await sendPicture(ada, 'one');
  const target = join(temporaryFolder(t), 'backups');
  const first = await backup('--data', hearth.dataDir, '--to', target, '--without-keys');
  assert.match(first.stdout, /2 files \(2 new\)\. Its keys are not in it/);
  assert.ok(!existsSync(join(folderOf(first.stdout), 'keys')));
  await sendPicture(ada, 'two');
  const second = await backup('--data', hearth.dataDir, '--to', target);
  assert.match(second.stdout, /4 files \(2 new\)/, second.stderr);
  const folder = folderOf(second.stdout);

  const media = join(target, 'media');
  const file =
    readdirSync(media, { recursive: true, encoding: 'utf8' }).find((name) => !/\.|^..$/.test(name)) ?? '';
  const hash = join(folder, 'manifest.sha256');
  renameSync(hash, `${hash}.away`);
  const partial = await runCommand('restore', [folder, '--data', join(temporaryFolder(t), 'data')]);
  assert.match(partial.stderr, /is not whole: it has no manifest\.sha256/);
  renameSync(`${hash}.away`, hash);
  for (const path of [join(media, file), join(folder, 'chat.sqlite3'), join(folder, 'manifest.json')]) {
    const whole = readFileSync(path);
    const damaged = Buffer.from(whole);
    damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, damaged);
    const dataDir = join(temporaryFolder(t), 'restored');
    const { code, stderr } = await restore(folder, '--data', dataDir);
    assert.deepEqual([code, stderr.includes(path)], [1, true], `${path}: ${stderr}`);
    assert.ok(!existsSync(dataDir));
    writeFileSync(path, whole);
  }
  rmSync(join(media, file));
  const dataDir = join(temporaryFolder(t), 'restored');
  assert.match((await restore(folder, '--data', dataDir)).stderr, /is missing[\s\S]*--without-lost/);
  const without = await restore(folder, '--data', dataDir, '--without-lost');
  assert.match(without.stdout, new RegExp(`with 3 files\\. Lost: ${file}\\.`), without.stderr);
  const again = await startHearthProcess(t, { dataDir });
  const person = new Visitor(again.url);
  await person.post('/login', { username: 'ada', password: PASSWORD });
  assert.match((await person.get('/groups/1')).body, /two/);
  const nowhere = await restore(join(target, 'nothing'), '--data', join(target, 'x'));
  assert.match(nowhere.stderr, /is no backup/);
  assert.match((await backup('--data', join(target, 'nothing'))).stderr, /There is no data in/);
  assert.match((await backup('--keep', 'all')).stderr, /--keep takes two numbers, such as 7,4/);
  assert.match((await backup('--help')).stdout, /^npm run backup -- \[--to FOLDER\]/);
  assert.match((await backup('--nonsense')).stderr, /Unknown option '--nonsense'/);
});

test('a file that was lost or damaged before is named, and everything else is backed up', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (const content of ['kept', 'lost', 'damaged']) await sendPicture(ada, content);
  const media = join(hearth.dataDir, 'media');
  const ids = (await runSql(hearth.dataDir, 'chat', 'SELECT id FROM files ORDER BY seq')) as { id: string }[];
  const [, lost = '', damaged = ''] = ids.map(({ id }) => join(media, id.slice(-2), id));
  rmSync(lost);
  writeFileSync(damaged, readFileSync(damaged).fill(0, 100, 120));
  const target = join(temporaryFolder(t), 'backups');
  const { code, stdout, stderr } = await backup('--data', hearth.dataDir, '--to', target);
  assert.match(stdout, /is good: 1 account, 3 messages, 4 files/);
  const named = [`${ids[1]?.id} (message 2 of group 1)`, `${ids[2]?.id} (message 3 of group 1)`];
  assert.equal(code, 1, 'cron says so');
  assert.match(stderr, /^Lost or damaged in \S+, and not in the backup: /);
  for (const name of named) assert.ok(stderr.includes(name), stderr);

  const dataDir = join(temporaryFolder(t), 'restored');
  const restored = await restore(folderOf(stdout), '--data', dataDir);
  assert.deepEqual([restored.code, named.every((name) => restored.stdout.includes(name))], [0, true]);

  const flags = ['--backup-to', target, '--every', '10m'];
  await hearth.stop();
  rmSync(target, { recursive: true });
  const again = await startHearthProcess(t, { dataDir: hearth.dataDir, flags });
  Object.assign(ada, { url: again.url });
  await until(async () => /A backup lacks files/.test((await ada.get('/groups/1')).body), 'the list says so');
  const page = (await ada.get('/admin')).body;
  assert.match(page, /class="bad-line">Lost or damaged in [^<]+ The last one is of \d{4}-/);
  assert.match((await ada.get('/admin/log')).body, /took a backup that lacks files:/);
});

test('a copy of an earlier backup that was damaged is found within a week, and made anew', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await sendPicture(ada, 'one');
  const target = join(temporaryFolder(t), 'backups');
  const first = await backup('--data', hearth.dataDir, '--to', target);
  const folder = folderOf(first.stdout);
  const manifest = readManifest(folder);
  const week = new Date(Date.now() - 7 * DAY_MS);
  writeManifest(folder, { ...manifest, createdAt: week.toISOString() });
  const copy = join(target, 'media', manifest.media[0]?.path ?? '');
  const whole = readFileSync(copy);
  writeFileSync(copy, Buffer.from(whole).fill(0, 100, 120));
  const second = await backup('--data', hearth.dataDir, '--to', target);
  assert.match(second.stdout, /files \(1 new\)/, second.stderr);
  assert.deepEqual(readFileSync(copy), whole);
  const dataDir = join(temporaryFolder(t), 'restored');
  assert.equal((await restore(folder, '--data', dataDir)).code, 0, 'the first is whole again, too');
});

test('each copy is read once in a week, however often there are backups', () => {
  const ids = Array.from({ length: 256 }, (_, number) => `a-${number.toString(16).padStart(2, '0')}`);
  for (const hours of [1, 24, 24 * 3, 24 * 7, 24 * 20]) {
    const read = new Map(ids.map((id) => [id, 0]));
    const count = Math.ceil((24 * 21) / hours);
    for (let index = 0; index < count; index++) {
      const since = new Date(1_800_000_000_000 + index * hours * 3_600_000);
      const now = new Date(since.getTime() + hours * 3_600_000);
      for (const id of ids) if (isReadAgain(id, since, now)) read.set(id, (read.get(id) ?? 0) + 1);
    }
    const expected = hours <= 24 * 7 ? 3 : count;
    for (const [id, times] of read) assert.equal(times, expected, `${id}, every ${hours} hours`);
  }
});

test('a backup of a folder that lost a file, or of a damaged database, is not called good', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await sendPicture(ada, 'one');
  await hearth.stop();
  const media = join(hearth.dataDir, 'media');
  const target = join(temporaryFolder(t), 'backups');
  const keyFile = join(hearth.dataDir, 'keys', '0001.key');
  const key = readFileSync(keyFile);
  writeFileSync(keyFile, `${Buffer.alloc(32, 7).toString('base64')}\n`);
  const wrongKey = await backup('--data', hearth.dataDir, '--to', target);
  assert.deepEqual(
    [wrongKey.code, /cannot be opened with the keys/.test(wrongKey.stderr)],
    [1, true],
    wrongKey.stderr,
  );
  writeFileSync(keyFile, key);
  rmSync(media, { recursive: true });
  const { code, stderr } = await backup('--data', hearth.dataDir, '--to', target);
  assert.deepEqual([code, /where the files are/.test(stderr)], [1, true], stderr);
  assert.deepEqual(
    readdirSync(target).filter((name) => /^\d/.test(name)),
    [],
    'none of them stays',
  );
});

test('a backup during which the keys were changed is not kept', async (t) => {
  const { dataDir, stop } = await startHearth(t);
  await stop();
  const target = temporaryFolder(t);
  const copy = async () => {
    writeFileSync(join(dataDir, 'keys', '0002.key'), 'another');
    return { rows: {}, files: [], blobs: [] };
  };
  const backup = backUp({
    ...{ dataDir, filesFolder: undefined, target, withKeys: true, keyFolder: undefined, version: '0' },
    source: { copy, blobs: async () => [] },
  });
  await assert.rejects(backup, /The keys were changed while the backup was made: take another one/);
  assert.deepEqual(
    readdirSync(target).filter((name) => /^\d/.test(name)),
    [],
  );
});

test('the rule keeps the last backup of each of the newest days and weeks', () => {
  const names = [
    '2026-11-27T04-00-00',
    '2026-11-27T16-00-00',
    '2026-11-26T04-00-00',
    '2026-11-23T04-00-00',
    '2026-11-22T04-00-00',
    '2026-11-16T04-00-00',
    '2026-11-15T04-00-00',
  ];
  assert.deepEqual(expired(names, { days: 2, weeks: 2 }), [
    '2026-11-27T04-00-00',
    '2026-11-23T04-00-00',
    '2026-11-16T04-00-00',
    '2026-11-15T04-00-00',
  ]);
  assert.deepEqual(expired(names, { days: 0, weeks: 0 }).length, 6, 'the newest always stays');
  assert.deepEqual(expired(['2026-11-27T04-00-00'], { days: 1, weeks: 0 }), []);
});
