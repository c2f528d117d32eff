import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { makeBackupKey, openSealedFile, sealFile } from '../../src/backups/sealed-file.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { runCommand, startHearth, startHearthProcess, temporaryFolder } from '../support/hearth.ts';

const backup = (...args: string[]) => runCommand('backup', args);
const restore = (...args: string[]) => runCommand('restore', args);

test('a sealed backup opens with its own key only, and its key goes with it', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'canary of a sealed backup' });
  const target = join(temporaryFolder(t), 'backups');
  const keys = join(temporaryFolder(t), 'keys');
  const flags = ['--data', hearth.dataDir, '--to', target, '--seal', keys];
  const first = await backup(...flags);
  assert.match(first.stdout, /is good: 1 account, 1 message, .*It is sealed; its key is in /, first.stderr);
  const [name = ''] = readdirSync(target).filter((file) => /^\d/.test(file));
  const folder = join(target, name);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  assert.ok(
    files.includes('chat.sqlite3.sealed') && !files.some((file) => /sqlite3$|\.key$/.test(file)),
    `${files}`,
  );
  assert.ok(
    !readdirSync(hearth.dataDir).some((file) => file.startsWith('.backup')),
    'what was not sealed is gone',
  );
  assert.ok(!readFileSync(join(folder, 'chat.sqlite3.sealed')).includes('SQLite format'));

  const dataDir = join(temporaryFolder(t), 'restored');
  const without = await restore(folder, '--data', dataDir);
  assert.deepEqual([without.code, /is sealed: name its key with --key/.test(without.stderr)], [1, true]);
  const second = await backup(...flags, '--keep', '1,1');
  assert.deepEqual([second.code, /Removed 2/.test(second.stdout)], [0, true], second.stderr);
  const [newest = ''] = readdirSync(target).filter((file) => /^\d/.test(file));
  assert.notEqual(newest, name);
  assert.deepEqual(readdirSync(keys), [`${newest}.key`], 'what is not kept takes its key along');
  const wrong = join(keys, 'wrong.key');
  writeFileSync(wrong, `${'ab'.repeat(32)}\n`);
  const refused = await restore(join(target, newest), '--data', dataDir, '--key', wrong);
  assert.deepEqual([refused.code, /does not open/.test(refused.stderr)], [1, true], refused.stderr);

  // As a disk is mounted: the folder is there, and empty.
  mkdirSync(dataDir);
  const done = await restore(join(target, newest), '--data', dataDir, '--key', join(keys, `${newest}.key`));
  assert.equal(done.code, 0, done.stderr);
  await hearth.stop();
  const again = await startHearth(t, { dataDir });
  const visitor = new Visitor(again.url);
  await visitor.post('/login', { username: 'ada', password: PASSWORD });
  assert.match((await visitor.get('/groups/1')).body, /canary of a sealed backup/);
});

test('a sealed file of any length opens to what it was, and a changed one does not', async (t) => {
  const folder = temporaryFolder(t);
  const key = makeBackupKey(folder, 'one');
  const file = join(folder, 'file');
  for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    const content = Buffer.alloc(length, 'hearth');
    writeFileSync(file, content);
    await sealFile(file, `${file}.sealed`, key);
    await openSealedFile(`${file}.sealed`, file, key);
    assert.ok(readFileSync(file).equals(content), `${length} bytes`);
    const sealed = readFileSync(`${file}.sealed`);
    for (const changed of [
      sealed.subarray(0, -1),
      Buffer.concat([sealed, Buffer.from([0])]),
      Buffer.from(sealed.map((byte, at) => (at === sealed.length - 1 ? byte ^ 1 : byte))),
    ]) {
      writeFileSync(`${file}.sealed`, changed);
      await assert.rejects(openSealedFile(`${file}.sealed`, file, key), /does not open/);
    }
  }
  assert.throws(() => makeBackupKey(folder, 'one'), /cannot be written/, 'no key is written over');
});
