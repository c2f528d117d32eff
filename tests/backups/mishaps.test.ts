import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { backupsIn } from '../../src/backups/back-up.ts';
import { readManifest, writeManifest } from '../../src/backups/manifest.ts';
import { restoreBackup } from '../../src/backups/restore.ts';
import { type BackupSettings, runBackup } from '../../src/backups/run.ts';
import { BackupSchedule } from '../../src/backups/schedule.ts';
import { undoUpgrade } from '../../src/backups/undo.ts';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { checkNothingMissing } from '../../src/database/integrity.ts';
import { sqliteVersions } from '../../src/database/snapshots.ts';
import { fileFailure } from '../../src/errors.ts';
import { newPerson } from '../support/client.ts';
import { type Ending, startHearth, temporaryFolder } from '../support/hearth.ts';

/** A folder of data, as a stopped Hearth leaves it, with two files. */
const original = await (async () => {
  const hearth = await startHearth({ after });
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (const content of ['one', 'two']) {
    const file = { name: `${content}.txt`, type: 'text/plain', bytes: Buffer.from(`the file ${content}`) };
    const { body } = await ada.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
    const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
    await ada.post('/groups/1/messages', { content, files });
  }
  await hearth.stop();
  return hearth.dataDir;
})();

function fresh(t: Ending) {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  cpSync(original, dataDir, { recursive: true });
  const target = join(folder, 'backups');
  const settings: BackupSettings = {
    ...{ dataDir, databaseUrl: undefined, filesFolder: undefined, filesBucket: undefined },
    ...{
      encryptionKey: undefined,
      target,
      keep: undefined,
      withKeys: true,
      keyFolder: undefined,
      version: '0',
    },
  };
  const restored = join(folder, 'restored');
  const restore = (name: string) =>
    restoreBackup({
      ...{ folder: join(target, name), dataDir: restored, databaseUrl: undefined },
      ...{ filesFolder: join(restored, 'media'), readKey: assert.fail },
    });
  const files = (within: string) =>
    readdirSync(within, { recursive: true, encoding: 'utf8' })
      .filter((name) => /[0-9a-f]{8}-[^.]*$/.test(name))
      .sort();
  return { folder, dataDir, target, settings, restored, restore, files, media: join(dataDir, 'media') };
}

test('backups do not lie among what they are of', async (t) => {
  const { folder, dataDir, media, settings, files } = fresh(t);
  symlinkSync(dataDir, join(folder, 'link'));
  const before = files(media);
  for (const [target, filesFolder] of [
    [dataDir],
    [join(folder, 'link')],
    [media],
    [join(media, 'backups')],
    [folder, join(folder, 'media')],
    [folder, join(folder, 'media', 'files')],
  ] as const)
    await assert.rejects(
      runBackup({ ...settings, target, filesFolder, keep: { days: 0, weeks: 0 } }),
      /is the data folder|would lie among the files/,
    );
  const keyFolder = join(settings.target, 'keys');
  await assert.rejects(runBackup({ ...settings, keyFolder }), /--seal is inside the folder of backups/);
  assert.deepEqual(files(media), before);
});

test('a backup dated in the future neither replaces the newest one nor triggers more backups', async (t) => {
  const { target, settings } = fresh(t);
  await runBackup(settings);
  renameSync(join(target, backupsIn(target)[0] ?? ''), join(target, '2099-01-01T00-00-00'));
  const { done } = await runBackup({ ...settings, keep: { days: 1, weeks: 1 } });
  assert.match(done, /Dated in the future \(the clock was wrong\) and kept: 2099-01-01T00-00-00\.$/);
  assert.equal(backupsIn(target).length, 2);
  const schedule = new BackupSchedule({
    ...{ settings, everyMs: 86_400_000, onChange() {}, onEnd() {}, report: assert.fail },
    databases: { inTurn: async () => assert.fail('none is due') },
  });
  t.after(() => schedule.stop());
  assert.ok((schedule.newest() ?? Infinity) <= Date.now());
  await new Promise(setImmediate);
  await runBackup({ ...settings, keep: { days: 0, weeks: 0 } });
  assert.ok(backupsIn(target).every((name) => name < '2099') && backupsIn(target).length === 1);
});

test('what lies among the keys and is none is not copied, and what was copied is restored', async (t) => {
  const { dataDir, target, settings, restore, restored } = fresh(t);
  writeFileSync(join(dataDir, 'keys', '0001.key~'), 'of an editor');
  mkdirSync(join(dataDir, 'keys', 'old'));
  await runBackup(settings);
  await restore(backupsIn(target)[0] ?? '');
  assert.deepEqual(readdirSync(join(restored, 'keys')), ['0001.key']);
});

test('a damaged file takes no place of a whole copy, whichever backup has that; both are named', async (t) => {
  const { media, target, settings, restore, restored, files } = fresh(t);
  await runBackup(settings);
  const [first = ''] = backupsIn(target);
  const [one = '', two = ''] = files(media);
  const whole = readFileSync(join(media, one));
  writeFileSync(join(media, one), Buffer.from(whole).fill(0, 0, 4));
  rmSync(join(media, two));
  for (const isListed of [true, false]) {
    if (!isListed) {
      const [last = ''] = backupsIn(target);
      writeManifest(join(target, last), { ...readManifest(join(target, last)), media: [] });
    }
    // Damage that leaves the size is found on the day on which the file is read again.
    if (isListed) {
      const manifest = readManifest(join(target, first));
      const createdAt = new Date(Date.now() - 7 * 86_400_000).toISOString();
      writeManifest(join(target, first), { ...manifest, createdAt });
    }
    const { lacks } = await runBackup(settings);
    assert.match(
      lacks ?? '',
      /^Lost or damaged in \S+, and whole in the backup: .+Copy them back from \S+media\.$/,
    );
    for (const name of [one, two]) assert.ok(lacks?.includes(name.slice(3)), lacks);
  }
  const again = await runBackup(settings);
  assert.ok(again.lacks?.includes(one.slice(3)), 'also on the days on which it is not read again');
  await restore(backupsIn(target)[0] ?? '');
  assert.deepEqual(readFileSync(join(restored, 'media', one)), whole);
  rmSync(restored, { recursive: true });
  await restore(first);
  assert.deepEqual(files(join(restored, 'media')), [one, two]);
  const schedule = new BackupSchedule({
    ...{ settings, everyMs: 86_400_000, onChange() {}, onEnd() {}, report: assert.fail },
    databases: { inTurn: async () => undefined },
  });
  t.after(() => schedule.stop());
  assert.equal(schedule.trouble?.kind, 'incomplete', 'a restart does not make it whole');
});

test('a backup that somebody set aside under another name keeps its files', async (t) => {
  const { dataDir, media, target, settings, restore, restored, files } = fresh(t);
  await runBackup(settings);
  cpSync(join(target, backupsIn(target)[0] ?? ''), join(target, 'before-the-merge'), { recursive: true });
  const chat = new BetterSqlite(join(dataDir, 'chat.sqlite3'));
  chat.exec('DELETE FROM files WHERE seq = 1');
  chat.close();
  const before = files(media);
  await runBackup({ ...settings, keep: { days: 0, weeks: 0 } });
  await restore('before-the-merge');
  assert.deepEqual(files(join(restored, 'media')), before);
});

test('a backup is restored into a new disk, and a restore that was broken off is done again', async (t) => {
  const { target, settings, restore, restored, files, media } = fresh(t);
  await runBackup(settings);
  const [name = ''] = backupsIn(target);
  mkdirSync(join(restored, 'lost+found'), { recursive: true });
  await restore(name);
  assert.deepEqual(files(join(restored, 'media')), files(media));
  await assert.rejects(restore(name), /is there already, and stays as it is/);

  rmSync(join(restored, 'users.sqlite3'));
  mkdirSync(join(restored, '.restoring'));
  writeFileSync(join(restored, '.restoring', 'users.sqlite3'), '');
  writeFileSync(join(restored, 'keys', 'of-the-operator'), '');
  assert.throws(() => checkNothingMissing(restored), /run npm run restore again/);
  const { replaced = '' } = await restore(name);
  checkNothingMissing(restored);
  assert.ok(existsSync(join(replaced, 'keys', 'of-the-operator')), 'nothing is lost');
  // It was of no use any more, and somebody has written here since.
  mkdirSync(join(restored, '.restoring'));
  await assert.rejects(restore(name), /is there already, and stays as it is/);
  checkNothingMissing(restored);
});

/** Two snapshots, as two upgrades have left them. */
function upgradedTwice(t: Ending) {
  const { dataDir } = fresh(t);
  const { users, chat } = sqliteVersions(dataDir);
  for (const [time, back] of [
    ['2026-01-01T00-00-00', 2],
    ['2026-02-01T00-00-00', 1],
  ] as const) {
    const names = [
      `users${users - back}-chat${chat - back}`,
      `users${users - back + 1}-chat${chat - back + 1}`,
    ];
    const folder = join(dataDir, 'snapshots', `${time}-${names.join('-to-')}`);
    mkdirSync(folder, { recursive: true });
    for (const [name, version] of [
      ['users', users - back],
      ['chat', chat - back],
    ] as const) {
      cpSync(join(dataDir, `${name}.sqlite3`), join(folder, `${name}.sqlite3`));
      const copy = new BetterSqlite(join(folder, `${name}.sqlite3`));
      copy.pragma(`user_version = ${version}`);
      copy.close();
    }
  }
  let minutes = 0;
  const undo = (name?: string) => {
    minutes += 1;
    const settings = { databaseUrl: undefined, filesFolder: undefined, name };
    return undoUpgrade(dataDir, settings, new Date(Date.now() + minutes * 60_000));
  };
  return { dataDir, users, undo };
}

test('undo goes back one upgrade; one more only where its snapshot is named', async (t) => {
  const { dataDir, users, undo } = upgradedTwice(t);
  await undo();
  assert.equal(sqliteVersions(dataDir).users, users - 1);
  const sentence = await undo().then(
    () => assert.fail('undone'),
    (error: Error) => error.message,
  );
  assert.match(sentence, /^The last upgrade is undone already\. .+ npm run undo -- 2026-01-01\S+$/);
  assert.equal(sqliteVersions(dataDir).users, users - 1);
  await assert.rejects(undo('2026-03-01'), /There is no snapshot 2026-03-01 in /);
  await undo(sentence.split(' ').at(-1));
  assert.equal(sqliteVersions(dataDir).users, users - 2);
});

test('an undo that was broken off is done again with what was kept at first, and nothing starts meanwhile', async (t) => {
  const { dataDir, users, undo } = upgradedTwice(t);
  const obstacle = join(dataDir, 'chat.sqlite3.part');
  mkdirSync(obstacle);
  await assert.rejects(undo());
  assert.throws(() => checkNothingMissing(dataDir), /run "npm run undo" again/);
  rmSync(obstacle, { recursive: true, force: true });
  const { kept } = await undo();
  assert.deepEqual(sqliteVersions(kept).users, users, 'all that there was');
  assert.equal(readdirSync(join(dataDir, 'undone')).length, 1);
  assert.equal(sqliteVersions(dataDir).users, users - 1);
  checkNothingMissing(dataDir);
});

test('a file that cannot be read is named, and everything else is backed up', async (t) => {
  const { media, target, settings, files } = fresh(t);
  const [one = '', two = ''] = files(media);
  rmSync(join(media, one));
  // Opens, and cannot be read: EISDIR.
  mkdirSync(join(media, one));
  const { lacks } = await runBackup(settings);
  assert.ok(lacks?.includes(one.slice(3)) && !lacks.includes(two.slice(3)), lacks);
  assert.deepEqual(files(join(target, 'media')), [two]);
});

test('a full disk, and whatever else the system says of a file, is a sentence', () => {
  const error = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', dest: '/backups/x' });
  assert.equal(fileFailure(error)?.message, '/backups/x cannot be read or written: its disk is full.');
  assert.equal(fileFailure(new TypeError('x is not a function')), undefined);
});

test('what a killed backup has left is removed by the next one, to whatever folder', async (t) => {
  const { folder, dataDir, target, settings } = fresh(t);
  const keyFolder = join(folder, 'keys');
  mkdirSync(join(dataDir, '.backup-abc', '.unfinished'), { recursive: true });
  mkdirSync(join(target, '.unfinished-2026-01-01T00-00-00'), { recursive: true });
  mkdirSync(keyFolder);
  writeFileSync(join(keyFolder, '2026-01-01T00-00-00.key'), 'of a backup of another Hearth');
  await runBackup({ ...settings, keyFolder });
  assert.ok(!existsSync(join(dataDir, '.backup-abc')));
  assert.deepEqual(readdirSync(keyFolder), ['2026-01-01T00-00-00.key', `${backupsIn(target)[0]}.key`]);
  assert.ok(!readdirSync(target).some((name) => name.startsWith('.unfinished')));
  assert.ok(!readdirSync(dataDir).some((name) => name.startsWith('.backup')));
});
