import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { after } from 'node:test';
import pg from 'pg';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { runCommand, runToEnd, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { startPostgres } from '../support/postgres.ts';

const postgres = startPostgres({ after });

test('a Hearth on PostgreSQL is backed up while people write, and comes back in an empty database', async (t) => {
  const server = await postgres;
  const DATABASE_URL = await server.database();
  const folder = temporaryFolder(t);
  const FILES_FOLDER = join(folder, 'files');
  mkdirSync(FILES_FOLDER);
  const hearth = await startHearthProcess(t, { env: { DATABASE_URL, FILES_FOLDER } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const file = { name: 'plan.txt', type: 'text/plain', bytes: Buffer.from('a plan') };
  const { body } = await ada.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
  const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
  await ada.post('/groups/1/messages', { content: 'canary on PostgreSQL', files });
  let isWriting = true;
  const writing = (async () => {
    for (let number = 0; isWriting; number++)
      await ada.post('/groups/1/messages', { content: `number ${number}` });
  })();
  const target = join(folder, 'backups');
  const keys = join(folder, 'backup-keys');
  const args = ['--data', hearth.dataDir, '--to', target, '--seal', keys];
  const { code, stdout, stderr } = await runCommand('backup', args, { DATABASE_URL, FILES_FOLDER });
  isWriting = false;
  await writing;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /is good: 1 account, \d+ messages, 1 file /);
  assert.deepEqual(await databasesLike(DATABASE_URL, 'hearth_check_%'), [], 'nothing stays of the trial');
  await hearth.stop();

  const [name = ''] = readdirSync(target).filter((each) => /^\d/.test(each));
  const backup = join(target, name);
  const key = ['--key', join(keys, `${name}.key`)];
  const dataDir = join(folder, 'restored');
  const restore = (env: Record<string, string>) =>
    runCommand('restore', [backup, '--data', dataDir, ...key], env);
  assert.match((await restore({})).stderr, /is of PostgreSQL: set DATABASE_URL to an empty database/);
  assert.match((await restore({ DATABASE_URL })).stderr, /has data already, and stays as it is/);
  assert.ok(!existsSync(dataDir));

  const empty = { DATABASE_URL: await server.database(), FILES_FOLDER: join(folder, 'other-files') };
  const restored = await restore(empty);
  assert.equal(restored.code, 0, restored.stderr);
  const again = await startHearthProcess(t, { dataDir, env: empty });
  const visitor = new Visitor(again.url);
  await visitor.post('/login', { username: 'ada', password: PASSWORD });
  const page = (await visitor.get('/groups/1?around=1')).body;
  assert.match(page, /canary on PostgreSQL/);
  const [, path = ''] = /href="(\/media\/[^"]+)"/.exec(page) ?? [];
  assert.equal((await visitor.get(path)).body, 'a plan');
  await again.stop();
  const unmounted = { ...empty, FILES_FOLDER: temporaryFolder(t) };
  const refused = await runToEnd(['--port', '0', '--data', dataDir], unmounted);
  assert.deepEqual(
    [refused.code, /There is nothing in \S+ \(FILES_FOLDER\)/.test(refused.stderr)],
    [2, true],
  );
});

test('a copy that cannot be tried is not called good', async (t) => {
  const server = await postgres;
  const url = new URL(await server.database());
  const hearth = await startHearthProcess(t, { env: { DATABASE_URL: url.href } });
  await newPerson(hearth.url, 'ada', 1);
  await run(
    url.href,
    `CREATE ROLE plain LOGIN; GRANT USAGE ON SCHEMA users, chat TO plain;
    GRANT SELECT ON ALL TABLES IN SCHEMA users, chat TO plain; GRANT SELECT ON ALL SEQUENCES IN SCHEMA users, chat TO plain`,
  );
  url.username = 'plain';
  const target = join(temporaryFolder(t), 'backups');
  const args = ['--data', hearth.dataDir, '--to', target];
  const { code, stderr } = await runCommand('backup', args, { DATABASE_URL: url.href });
  assert.deepEqual([code, /cannot be tried: .*CREATEDB/.test(stderr)], [1, true], stderr);
  assert.deepEqual(
    readdirSync(target).filter((name) => /^\d/.test(name)),
    [],
  );
});

async function run(url: string, sql: string, params?: unknown[]) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql, params)).rows;
  } finally {
    await client.end();
  }
}

async function databasesLike(url: string, pattern: string): Promise<string[]> {
  const rows = await run(url, 'SELECT datname FROM pg_database WHERE datname LIKE $1', [pattern]);
  return rows.map(({ datname }) => datname);
}
