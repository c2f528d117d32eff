import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { openDatabases } from '../../src/database/open.ts';
import { newPerson } from '../support/client.ts';
import { ON_SQLITE, ROOT, runCommand, startHearth, temporaryFolder } from '../support/hearth.ts';
import { startPostgres } from '../support/postgres.ts';
import { startRedis } from '../support/redis.ts';

const postgres = startPostgres({ after });

async function look(dataDir: string, env: Record<string, string> = {}, flags: string[] = []) {
  const { code, stdout, stderr } = await runCommand('doctor', ['--data', dataDir, ...flags], env);
  assert.equal(stderr, '');
  return { code, stdout, bad: stdout.split('\n').filter((line) => line.startsWith('BAD')) };
}

test('the doctor finds nothing at a sound Hearth, before its first start and after', ON_SQLITE, async (t) => {
  const fresh = await look(join(temporaryFolder(t), 'data'));
  assert.deepEqual([fresh.code, fresh.bad], [0, []]);
  assert.match(fresh.stdout, /note The data folder .* is not there yet: the first start makes it\./);
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada', 1);
  const sound = await look(hearth.dataDir);
  assert.deepEqual([sound.code, sound.bad], [0, []], sound.stdout);
  assert.match(
    sound.stdout,
    /ok {3}The users database is whole: \d+ rows\nok {3}The key fits the users database\n/,
  );
  assert.match(sound.stdout, /Hearth has what it needs\.\n$/);
});

test('the doctor names what is wrong, and what to do', ON_SQLITE, async (t) => {
  const hearth = await startHearth(t);
  await hearth.stop();
  const copy = (name: string) => {
    const folder = join(temporaryFolder(t), name);
    cpSync(hearth.dataDir, folder, { recursive: true });
    chmodSync(folder, 0o700);
    return folder;
  };
  const open = copy('open');
  chmodSync(open, 0o755);
  chmodSync(join(open, 'keys/0001.key'), 0o644);
  const readable = await look(open);
  assert.equal(readable.code, 1);
  assert.deepEqual(
    readable.bad.map((line) => line.replaceAll(open, 'FOLDER')),
    [
      'BAD  Other users of this machine can read FOLDER: chmod 700 FOLDER',
      'BAD  Other users can read the key 0001.key: chmod 600 FOLDER/keys/0001.key',
    ],
  );
  const empty = copy('empty');
  writeFileSync(join(empty, 'chat.sqlite3'), '');
  rmSync(join(empty, 'chat.sqlite3-wal'), { force: true });
  assert.match((await look(empty)).bad[0] ?? '', /chat\.sqlite3 is empty, but .* holds the rest of a Hearth/);
  const damaged = copy('damaged');
  writeFileSync(join(damaged, 'chat.sqlite3'), 'no database at all, but some text that is long enough');
  assert.match(
    (await look(damaged)).bad[0] ?? '',
    /chat\.sqlite3 is damaged: stop Hearth and restore a backup/,
  );
  const newer = copy('newer');
  const database = new BetterSqlite(join(newer, 'users.sqlite3'));
  database.pragma('user_version = 999');
  database.close();
  assert.match((await look(newer)).bad[0] ?? '', /written by a newer Hearth: start that version/);
  const otherKey = await look(hearth.dataDir, { ENCRYPTION_KEY: 'ab'.repeat(32) });
  assert.match(otherKey.bad[0] ?? '', /The key does not fit the users database: put back data\/keys/);
  assert.match((await look(hearth.dataDir, { FILE_LIMIT_MB: 'many' })).bad[0] ?? '', /FILE_LIMIT_MB/);
  const away = { DATABASE_URL: 'postgres://me:the-password@127.0.0.1:1/x', REDIS_URL: 'redis://127.0.0.1:1' };
  const engines = await look(hearth.dataDir, {
    ...away,
    // The client of S3 says how long it will go with this Node.
    NODE_NO_WARNINGS: '1',
    FILES_BUCKET: 'a-bucket',
    FILES_ENDPOINT: 'http://127.0.0.1:1',
    SMTP_URL: 'smtp://127.0.0.1:1',
    ORIGINS: 'http://x.example',
  });
  assert.equal(engines.bad.length, 4);
  assert.match(
    engines.bad[0] ?? '',
    /PostgreSQL at 127\.0\.0\.1:1 cannot be used: .*Check DATABASE_URL and that it runs\.$/,
  );
  assert.match(
    engines.bad[1] ?? '',
    /Redis at 127\.0\.0\.1:1 does not answer: .*Check REDIS_URL and that it runs\.$/,
  );
  assert.match(engines.bad[2] ?? '', /^BAD {2}The bucket a-bucket cannot be used: .*Check FILES_BUCKET/);
  assert.match(engines.bad[3] ?? '', /^BAD {2}The mail server does not take mails: .*Check SMTP_URL\.$/);
  assert.ok(!engines.stdout.includes('the-password'));
});

test('the doctor finds what belongs to another user', { skip: process.getuid?.() !== 0 }, async (t) => {
  const hearth = await startHearth(t);
  await hearth.stop();
  const NOBODY = 65_534;
  const chown = (name: string) => chownSync(join(hearth.dataDir, name), NOBODY, NOBODY);
  for (const name of ['..', '.', ...readdirSync(hearth.dataDir, { recursive: true, encoding: 'utf8' })])
    chown(name);
  const asked = () =>
    spawnSync(process.execPath, ['command.js', 'doctor', '--data', hearth.dataDir], {
      ...{ cwd: ROOT, uid: NOBODY, gid: NOBODY, encoding: 'utf8' },
    }).stdout;
  assert.match(asked(), /Hearth has what it needs/);
  chownSync(join(hearth.dataDir, 'chat.sqlite3'), 0, 0);
  assert.match(
    asked(),
    /BAD {2}This user cannot write what is in .*, such as chat\.sqlite3: change its owner/,
  );
});

test('the doctor looks at PostgreSQL and Redis, too', async (t) => {
  const url = await (await postgres).database();
  const redis = await startRedis(t);
  const dataDir = temporaryFolder(t);
  const withoutFiles = { DATABASE_URL: url, REDIS_URL: redis.url, ENCRYPTION_KEY: 'ab'.repeat(32) };
  assert.match((await look(dataDir, withoutFiles)).stdout, /BAD {2}FILES_FOLDER or FILES_BUCKET is not set/);
  const env = { ...withoutFiles, FILES_FOLDER: temporaryFolder(t) };
  assert.match((await look(dataDir, env)).stdout, /note There is no schema users yet/);
  await (await openDatabases(dataDir, url)).close();
  const { code, stdout } = await look(dataDir, env);
  assert.equal(code, 0, stdout);
  assert.match(
    stdout,
    /ok {3}PostgreSQL 1\d\.\d+.* answers\nok {3}PostgreSQL has the same time as this machine\n/,
  );
  assert.match(stdout, /ok {3}Redis at 127\.0\.0\.1:\d+ has the same time as this machine\n/);
});
