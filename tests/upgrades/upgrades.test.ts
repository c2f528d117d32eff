import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { newestVersions, sqliteVersions } from '../../src/database/snapshots.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { runCommand, runToEnd, startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { nextVersion } from '../support/next-version.ts';

const FOLDERS = new URL('./folders/', import.meta.url).pathname;

async function signedIn(url: string, username: string): Promise<Visitor> {
  const visitor = new Visitor(url);
  assert.equal((await visitor.post('/login', { username, password: PASSWORD })).status, 303);
  return visitor;
}

async function sendFile(person: Visitor, content: string): Promise<void> {
  const file = { name: 'plan.txt', type: 'text/plain', bytes: Buffer.from(`file of ${content}`) };
  const { body } = await person.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
  const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
  await person.post('/groups/1/messages', { content, files });
}

for (const name of readdirSync(FOLDERS).filter((each) => each.startsWith('users-')))
  test(`a folder of an earlier schema is brought up to date with all that is in it: ${name}`, async (t) => {
    const dataDir = join(temporaryFolder(t), 'data');
    cpSync(join(FOLDERS, name), dataDir, { recursive: true });
    for (const database of ['users', 'chat']) {
      const packed = readFileSync(join(dataDir, `${database}.sqlite3.gz`));
      writeFileSync(join(dataDir, `${database}.sqlite3`), gunzipSync(packed));
    }
    const before = sqliteVersions(dataDir);
    assert.equal(name, `users-${before.users}-chat-${before.chat}`);
    const rehearsal = await runCommand('rehearse', ['--data', dataDir]);
    assert.match(
      rehearsal.stdout,
      /The upgrade works on a copy: .*\. 2 accounts and 4 messages are in it/,
      rehearsal.stderr,
    );
    assert.deepEqual(sqliteVersions(dataDir), before, 'a rehearsal changes nothing');

    const hearth = await startHearth(t, { dataDir });
    assert.deepEqual(sqliteVersions(dataDir), newestVersions('sqlite'));
    const ada = await signedIn(hearth.url, 'ada');
    const page = (await ada.get('/groups/1')).body;
    assert.match(page, /The green shed needs paint[\s\S]*I have some, [\s\S]*Then let us begin\b/);
    assert.match((await ada.get('/groups/1/messages/3')).body, /beginn/, 'the earlier version');
    const [, path = ''] = /href="(\/media\/[^"]+)"/.exec(page) ?? [];
    if (existsSync(join(FOLDERS, name, 'media')))
      assert.equal((await ada.get(path)).body, 'a plan of the shed');
    assert.match((await ada.get('/groups/1/pins')).body, /I have some/);
    await ada.post('/groups/1/messages', { content: 'It goes on' });
    const joe = await signedIn(hearth.url, 'joe');
    assert.match((await joe.get('/groups/3')).body, /alone in the garden/);
    assert.match((await joe.get('/groups/1?newest=')).body, /It goes on/);
    const [snapshot = ''] = readdirSync(join(dataDir, 'snapshots'));
    assert.deepEqual(sqliteVersions(join(dataDir, 'snapshots', snapshot)), before, 'both are as they were');
  });

test('an upgrade is undone: what was there is back, and what was written since is kept', async (t) => {
  const next = nextVersion(t);
  const DAY_MS = 86_400_000;
  const compiled = (name: string, days: number) => {
    mkdirSync(join(next, name));
    const time = new Date(Date.now() - days * DAY_MS);
    utimesSync(join(next, name), time, time);
  };
  compiled('compiled-00000000000a', 20);
  // Made long ago, and what still runs.
  compiled('compiled-00000000000b', 10);
  const first = await startHearthProcess(t);
  const { dataDir } = first;
  const ada = await newPerson(first.url, 'ada', 1);
  await sendFile(ada, 'before the upgrade');
  await first.stop();
  const none = await runCommand('undo', ['--data', dataDir]);
  assert.deepEqual([none.code, /no upgrade to undo/.test(none.stderr)], [1, true], none.stderr);
  const rehearsal = await runCommand('rehearse', ['--data', dataDir], {}, next);
  assert.match(
    rehearsal.stdout,
    /The upgrade works on a copy: users (\d+) → \d+, chat \d+ → \d+/,
    rehearsal.stderr,
  );
  const left = readdirSync(next).filter((name) => name.startsWith('compiled-0000'));
  assert.deepEqual(left, ['compiled-00000000000b'], 'the version that runs can go on');
  const command = await runCommand('check-log', ['--data', dataDir], {}, next);
  assert.equal(command.code, 2, 'only a start, which can be undone, upgrades');
  assert.match(command.stderr, /are of an earlier version of Hearth\. Start it once/);

  const script = join(next, 'start.js');
  const upgraded = await startHearthProcess(t, { dataDir, script });
  const later = await signedIn(upgraded.url, 'ada');
  await sendFile(later, 'after the upgrade');
  const running = await runCommand('undo', ['--data', dataDir], {}, next);
  assert.match(running.stderr, /Another Hearth is using the data folder/);
  await upgraded.stop();
  const refused = await runToEnd(['--data', dataDir, '--port', '0']);
  assert.match(refused.stderr, /was written by a newer Hearth/);

  const reader = new BetterSqlite(join(dataDir, 'chat.sqlite3'));
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM messages').get();
  const busy = await runCommand('undo', ['--data', dataDir], {}, next);
  assert.deepEqual(
    [busy.code, /Something else has .*chat\.sqlite3 open/.test(busy.stderr)],
    [1, true],
    busy.stderr,
  );
  reader.close();
  const { code, stdout, stderr } = await runCommand('undo', ['--data', dataDir], {}, next);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /The databases are as they were before the upgrade.*start the version before/);
  const back = await startHearthProcess(t, { dataDir });
  const page = (await (await signedIn(back.url, 'ada')).get('/groups/1')).body;
  assert.match(page, /before the upgrade/);
  assert.doesNotMatch(page, /after the upgrade/);
  await back.stop();

  const kept = /is in (\S+):/.exec(stdout)?.[1] ?? '';
  const archive = await startHearthProcess(t, { dataDir: kept, script });
  const archivist = await signedIn(archive.url, 'ada');
  const all = (await archivist.get('/groups/1')).body;
  assert.match(all, /before the upgrade[\s\S]*after the upgrade/);
  const paths = [...all.matchAll(/href="(\/media\/[^"?]+)"/g)].map(([, path = '']) => path);
  assert.match((await archivist.get(paths.at(-1) ?? '')).body, /file of after the upgrade/);
});

test('a rehearsal finds an upgrade that fails, and one that loses rows', async (t) => {
  const hearth = await startHearthProcess(t);
  await newPerson(hearth.url, 'ada', 1);
  const attempt = (sql: string) =>
    runCommand('rehearse', ['--data', hearth.dataDir], {}, nextVersion(t, sql));
  const broken = await attempt('ALTER TABLE no_such ADD COLUMN x TEXT;');
  assert.deepEqual(
    [broken.code, /fails on a copy: no such table: no_such/.test(broken.stderr)],
    [1, true],
    broken.stderr,
  );
  const loses = await attempt('DELETE FROM memberships;');
  assert.deepEqual(
    [loses.code, /the table memberships of the chat database has 0 rows instead of 1/.test(loses.stderr)],
    [1, true],
    loses.stderr,
  );
  await hearth.stop();
  assert.ok(!existsSync(join(hearth.dataDir, 'snapshots')), 'nothing of it is left');
});

test('the newest three snapshots are kept, and a damaged file is still named', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  mkdirSync(dataDir);
  const hearth = await startHearth(t, { dataDir });
  await hearth.stop();
  for (let round = 0; round < 4; round++) {
    const sqlite = new BetterSqlite(join(dataDir, 'chat.sqlite3'));
    sqlite.exec('ALTER TABLE groups DROP COLUMN imported_seq');
    sqlite.pragma('user_version = 21');
    sqlite.close();
    // As one that was killed has left it, of which the next has the same number.
    const unfinished = join(dataDir, `snapshots/.unfinished-${process.pid}`);
    mkdirSync(unfinished, { recursive: true });
    writeFileSync(join(unfinished, 'users.sqlite3'), 'half of it');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await (await startHearth(t, { dataDir })).stop();
  }
  assert.equal(readdirSync(join(dataDir, 'snapshots')).length, 3);
  writeFileSync(join(dataDir, 'chat.sqlite3'), 'this is not a database'.repeat(100));
  await assert.rejects(startHearth(t, { dataDir }), /is damaged, and is left as it is/);
});

test('an upgrade that fails again and again leaves the snapshot from before it', async (t) => {
  const first = await startHearthProcess(t);
  const { dataDir } = first;
  const ada = await newPerson(first.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'before the upgrade' });
  await first.stop();
  const next = nextVersion(t, 'ALTER TABLE no_such ADD COLUMN x TEXT;');
  const before = sqliteVersions(dataDir);
  for (let tries = 0; tries < 4; tries++) {
    const { code } = await runToEnd(['--data', dataDir, '--port', '0'], {}, join(next, 'start.js'));
    assert.notEqual(code, 0);
  }
  assert.equal(sqliteVersions(dataDir).users, before.users + 1, 'one of the two is upgraded');
  const snapshots = readdirSync(join(dataDir, 'snapshots'));
  assert.deepEqual(
    snapshots.map((name) => sqliteVersions(join(dataDir, 'snapshots', name))),
    [before],
  );
  const { code, stderr } = await runCommand('undo', ['--data', dataDir], {}, next);
  assert.equal(code, 0, stderr);
  const back = await startHearth(t, { dataDir });
  assert.match((await (await signedIn(back.url, 'ada')).get('/groups/1')).body, /before the upgrade/);
});
