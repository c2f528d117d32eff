import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Trouble } from '../../src/backups/run.ts';
import { BackupSchedule } from '../../src/backups/schedule.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { runCommand, runToEnd, startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { until } from '../support/until.ts';

const backupsIn = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => /^\d/.test(name)) : [];

test('a server takes backups by itself, and says to administrators when one fails and when one is good again', async (t) => {
  const target = join(temporaryFolder(t), 'backups');
  const flags = ['--backup-to', target, '--every', '24h'];
  const first = await startHearth(t);
  const { dataDir } = first;
  const ada = await newPerson(first.url, 'ada', 1);
  const file = { name: 'plan.txt', type: 'text/plain', bytes: Buffer.from('a plan') };
  const { body } = await ada.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
  const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
  await ada.post('/groups/1/messages', { content: 'with a file', files });
  assert.match((await ada.get('/admin')).body, /not taken by this server/);
  await first.stop();
  const media = join(dataDir, 'media');

  renameSync(media, `${media}-lost`);
  const failing = await startHearthProcess(t, { flags, dataDir });
  const visitor = await signedIn(failing.url);
  await until(async () => /A backup failed/.test((await visitor.get('/groups/1')).body), 'the list says so');
  const page = (await visitor.get('/admin')).body;
  assert.match(page, /class="bad-line">The last try failed: There is no \S+, where the files are/);
  assert.match((await visitor.get('/admin/log')).body, /could not take a backup:/);
  const bob = await newPerson(failing.url, 'bob', 1);
  assert.doesNotMatch((await bob.get('/groups/1')).body, /A backup failed/, 'is not for everybody');
  assert.deepEqual(backupsIn(target), []);
  await failing.stop();

  renameSync(`${media}-lost`, media);
  const good = await startHearthProcess(t, { flags, dataDir });
  await until(() => backupsIn(target).length === 1, 'a backup');
  const again = await signedIn(good.url);
  await until(async () => /The last good one is of \d{4}-/.test((await again.get('/admin')).body), 'a line');
  assert.doesNotMatch((await again.get('/groups/1')).body, /A backup failed/);
  assert.match((await again.get('/metrics')).body, /^hearth_backup_age_seconds \d/m);
  await good.stop();

  cpSync(join(target, backupsIn(target)[0] ?? ''), join(target, 'old-copy'), { recursive: true });
  const soon = await startHearthProcess(t, { flags, dataDir });
  const last = await signedIn(soon.url);
  assert.match(
    (await last.get('/admin')).body,
    /The last good one is of \d{4}-/,
    'a copy of another name is none',
  );
  await sleep(500);
  await soon.stop();
  assert.equal(backupsIn(target).length, 1, 'a restart takes none too many');
  const restored = join(temporaryFolder(t), 'restored');
  const [name = ''] = backupsIn(target);
  const { code, stderr } = await runCommand('restore', [join(target, name), '--data', restored]);
  assert.equal(code, 0, stderr);
});

test('a stop breaks off a backup, and the next one removes what is left of it', async (t) => {
  const target = join(temporaryFolder(t), 'backups');
  const hearth = await startHearthProcess(t, { flags: ['--backup-to', target] });
  await until(() => existsSync(target), 'it has begun');
  assert.equal(await hearth.stop(), 0);
  const args = ['--data', hearth.dataDir, '--to', target];
  assert.equal((await runCommand('backup', args)).code, 0);
  assert.ok(!readdirSync(target).some((name) => /^\.(unfinished|check)/.test(name)));
});

test('what failed is tried again within the hour, and said once', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.now() });
  const changes: (Trouble | undefined)[] = [];
  const hearth = await startHearthProcess(t);
  await newPerson(hearth.url, 'ada', 1);
  await hearth.stop();
  const target = join(temporaryFolder(t), 'backups');
  const keys = join(hearth.dataDir, 'keys');
  renameSync(keys, `${keys}-lost`);
  const settings = {
    ...{
      dataDir: hearth.dataDir,
      databaseUrl: undefined,
      filesFolder: undefined,
      filesBucket: undefined,
      encryptionKey: undefined,
    },
    ...{ target, keep: undefined, withKeys: true, keyFolder: undefined, version: '0' },
  };
  const schedule = new BackupSchedule({
    ...{
      settings,
      everyMs: 86_400_000,
      onChange: (trouble) => changes.push(trouble),
      onEnd() {},
      report: assert.fail,
    },
    databases: { inTurn: (_name, work) => work(new AbortController().signal) },
  });
  t.after(() => schedule.stop());
  await until(() => changes.length === 1, 'it failed');
  assert.match(schedule.trouble?.why ?? '', /key/);
  t.mock.timers.tick(3_600_000);
  await sleep(3_000);
  assert.equal(changes.length, 1, 'said once');
  renameSync(`${keys}-lost`, keys);
  let ticks = 0;
  await until(() => {
    // As far as it is tried again, and not a day on while it is being taken.
    if (ticks++ < 12) t.mock.timers.tick(600_000);
    return changes.length === 2;
  }, 'good again');
  assert.deepEqual([changes[1], schedule.trouble, backupsIn(target).length], [undefined, undefined, 1]);
  // However far the clock has been put forward until then.
  t.mock.timers.tick(Math.max(0, (schedule.newest() ?? 0) + 86_400_000 - Date.now() - 120_000));
  await sleep(1_000);
  assert.equal(backupsIn(target).length, 1, 'not before it is due');
  t.mock.timers.tick(240_000);
  await until(() => backupsIn(target).length === 2, 'when it is due');
});

test('times, numbers and folders that cannot be are one sentence', async (t) => {
  const data = join(temporaryFolder(t), 'data');
  const inside = [
    '--port',
    '0',
    '--data',
    data,
    '--backup-to',
    `${data}-backups`,
    '--seal',
    `${data}-backups/keys`,
  ];
  for (const [flags, sentence] of [
    [inside, /^--seal is inside the folder of backups/m],
    [['--port', '0', '--data', data, '--backup-to', data], /is the data folder: name another folder/],
    [['--port', '0', '--data', data, '--backup-to', 'README.md'], /^README\.md is a file: name a folder\.$/m],
    [['--every', 'daily'], /^--every takes a time from 10m, such as 30m, 24h or 7d\.$/m],
    [['--every', '1m'], /^--every takes a time from 10m/m],
    [['--keep', '7'], /^--keep takes two numbers, such as 7,4\.$/m],
  ] as const) {
    const { code, stderr } = await runToEnd([...flags]);
    assert.deepEqual([code, sentence.test(stderr)], [2, true], stderr);
  }
});

async function signedIn(url: string): Promise<Visitor> {
  const visitor = new Visitor(url);
  await visitor.post('/login', { username: 'ada', password: PASSWORD });
  return visitor;
}
