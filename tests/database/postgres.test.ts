import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getTableConfig } from 'drizzle-orm/sqlite-core';
import pg from 'pg';
import { openDatabases } from '../../src/database/open.ts';
import { groups, messages } from '../../src/database/tables/chat.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { startGate } from '../support/cluster.ts';
import { atEnd, type Ending, runToEnd, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { pipeTo } from '../support/pipe.ts';
import { startPostgres } from '../support/postgres.ts';
import { Reader } from '../support/reader.ts';
import { TABLES, tablesOf } from '../support/tables.ts';
import { until } from '../support/until.ts';

/** One server for the tests of this file; each has a database of its own. */
const postgres = startPostgres({ after });

async function open(t: Ending, url: string) {
  const databases = await openDatabases(temporaryFolder(t), url);
  atEnd(t, () => databases.close());
  return databases;
}

async function query(url: string, sql: string, params: unknown[] = []) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql, params)).rows;
  } finally {
    await client.end();
  }
}

const newGroup = {
  nameIndex: Buffer.from('x'),
  name: Buffer.from('x'),
  createdAt: 1,
  lastSeq: 0,
  lastChange: 0,
};

test('several that start at once make one schema, which is the one of the tables', async (t) => {
  const url = await (await postgres).database();
  await Promise.all([1, 2, 3].map(() => open(t, url)));
  const types: Record<string, string> = { integer: 'bigint', text: 'text', blob: 'bytea' };
  for (const name of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
    const made = await query(
      url,
      `SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
       WHERE table_schema = $1 AND table_name <> 'migrations' AND table_name NOT LIKE 'search_%'`,
      [name],
    );
    const expected = tablesOf(name).flatMap((table) => {
      const config = getTableConfig(table);
      const keys = config.primaryKeys[0]?.columns.map((column) => column.name) ?? [];
      return config.columns.map((column) =>
        [
          config.name,
          column.name,
          types[column.getSQLType()],
          column.notNull || column.primary || keys.includes(column.name) ? 'NO' : 'YES',
        ].join(' '),
      );
    });
    assert.deepEqual(made.map((row) => Object.values(row).join(' ')).sort(), expected.sort());
  }
});

test('a transaction is rolled back as a whole, also where its work goes on after a statement failed', async (t) => {
  const { chat } = await open(t, await (await postgres).database());
  await assert.rejects(
    chat.transaction(async (tx) => {
      await tx.run((orm) => orm.insert(groups).values(newGroup));
      throw new Error('no');
    }),
    /^Error: no$/,
  );
  await assert.rejects(
    chat.transaction(async (tx) => {
      await tx.run((orm) => orm.insert(groups).values(newGroup));
      await tx.run((orm) => orm.insert(groups).values(newGroup)).catch(() => {});
    }),
    /A statement of a transaction failed/,
  );
  assert.deepEqual(await chat.all((orm) => orm.select().from(groups)), []);
});

test('transactions of one group run one after another, those of two groups at once, and one that names none alone', async (t) => {
  const { chat } = await open(t, await (await postgres).database());
  const log: string[] = [];
  const step = (name: string, groupIds?: number[]) => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const done = chat.transaction(async () => {
      log.push(`${name} begins`);
      await gate;
      log.push(`${name} ends`);
    }, groupIds);
    return { go, done };
  };
  const first = step('first of 1', [1]);
  await until(() => log.length === 1);
  const second = step('second of 1', [1, 2]);
  const other = step('other of 3', [3]);
  await until(() => log.length === 2);
  assert.deepEqual(log, ['first of 1 begins', 'other of 3 begins']);
  const whole = step('all');
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(log.length, 2, 'waits for all of them');
  for (const { go } of [first, second, other, whole]) go();
  await Promise.all([first, second, other, whole].map(({ done }) => done));
  assert.ok(log.indexOf('second of 1 begins') > log.indexOf('first of 1 ends'));
  assert.ok(log.indexOf('all begins') > log.indexOf('other of 3 ends'));
});

test('a write that was done and got no answer is told of as soon as there are answers again', async (t) => {
  const url = await (await postgres).database();
  const gate = await startGate(t, Number(new URL(url).port));
  const behind = new URL(url);
  behind.port = new URL(gate.url).port;
  const databases = await open(t, behind.href);
  let told = 0;
  databases.whenUncertain(() => {
    told += 1;
  });
  // A commit takes its time here, in which the connection breaks.
  await query(
    url,
    `CREATE FUNCTION chat.wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
     CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON chat.groups DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW EXECUTE FUNCTION chat.wait()`,
  );
  const add = (name: string) =>
    databases.chat.transaction(async (tx) => {
      await tx.run((orm) => orm.insert(groups).values({ ...newGroup, nameIndex: Buffer.from(name) }));
    });
  const adding = add('one');
  setTimeout(gate.open, 500);
  await assert.rejects(adding, { status: 503 });
  assert.equal(told, 0, 'while nothing answers, nobody can look');
  await add('two');
  for (let tries = 0; told === 0; tries++) {
    assert.ok(tries < 100);
    await sleep(50);
  }
  assert.equal((await query(url, 'SELECT FROM chat.groups')).length, 2, 'it was done');
  await add('three');
  await sleep(1_500);
  assert.equal(told, 1, 'once');
});

test('what refers to an account or a group that is not there is refused, and goes with it', async (t) => {
  const url = await (await postgres).database();
  const { chat } = await open(t, url);
  const row = { groupId: 1, seq: 1, id: 'x', change: 1, authorId: 1, body: Buffer.from('x'), createdAt: 1 };
  await assert.rejects(
    chat.run((orm) => orm.insert(messages).values(row)),
    /foreign key/,
  );
  const [{ keys }] = await query(
    url,
    `SELECT count(*)::int AS keys FROM information_schema.referential_constraints
     WHERE constraint_schema = 'chat' AND unique_constraint_schema = 'users'`,
  );
  assert.ok(keys >= 5, 'between the two schemas');
});

test('Hearth says in one sentence why it cannot start, and shows no password', async (t) => {
  const { database } = await postgres;
  const url = new URL(await database());
  url.password = 'the password';
  const run = (DATABASE_URL: string) =>
    runToEnd(['--port', '0', '--data', temporaryFolder(t)], { DATABASE_URL });
  const nowhere = new URL(url);
  nowhere.port = '1';
  const away = await run(nowhere.href);
  assert.deepEqual([away.code, away.stdout], [2, '']);
  assert.match(
    away.stderr,
    /^PostgreSQL at 127\.0\.0\.1:1 cannot be used: .*ECONNREFUSED.*\. Check DATABASE_URL and that it runs\.\n$/,
  );
  const missing = new URL(url);
  missing.pathname = '/nothing';
  assert.match((await run(missing.href)).stderr, /database "nothing" does not exist/);
  assert.match(
    (await run('mysql://x')).stderr,
    /^DATABASE_URL takes postgres:\/\/name:password@host\/database/,
  );
  await (await openDatabases(temporaryFolder(t), url.href)).close();
  await query(url.href, 'UPDATE users.migrations SET seen = 999');
  const newer = await run(url.href);
  assert.match(newer.stderr, /^The users database was written by a newer Hearth; start that version\.\n$/);
  assert.ok(!(away.stderr + newer.stderr).includes('password@'));
});

test('people talk on PostgreSQL; while it is away they are told, and nothing that was acknowledged is lost', async (t) => {
  const server = await startPostgres(t);
  const url = await server.database();
  const hearth = await startHearthProcess(t, { env: { DATABASE_URL: url } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const reader = new Reader([ada], 1);
  atEnd(t, () => reader.stop());
  const reads = (content: string) =>
    until(() => [...reader.contents.values()].includes(content), `${content} comes`);
  assert.equal((await ada.post('/groups/1/messages', { content: 'before' })).status, 303);
  await reads('before');
  await server.kill();
  const refused = await ada.post('/groups/1/messages', { content: 'meanwhile' });
  assert.equal(refused.status, 503);
  assert.match(refused.body, /The database does not answer\. Try again in a moment\./);
  assert.match(refused.body, /meanwhile/, 'what was typed is still there');
  assert.equal((await ada.get('/search?q=before')).status, 503);
  assert.equal((await new Visitor(hearth.url).get('/healthz')).status, 503);
  const late = await ada.socket('/ws/chat/1').catch(() => undefined);
  assert.notEqual((await late?.closed)?.code, 4403, 'a page that connects meanwhile tries again');
  await server.start();
  assert.equal((await ada.post('/groups/1/messages', { content: 'after' })).status, 303);
  await reads('after');
  // One check serves all who ask within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  assert.equal((await new Visitor(hearth.url).get('/healthz')).status, 200);
  await hearth.kill();
  const next = await startHearthProcess(t, { dataDir: hearth.dataDir, env: { DATABASE_URL: url } });
  const again = Object.assign(ada, { url: next.url });
  const page = (await again.get('/groups/1')).body;
  assert.match(page, /before[\s\S]*after/);
  assert.doesNotMatch(page, />meanwhile</);
  const stored = await query(url, "SELECT encode(body, 'escape') AS body FROM chat.messages");
  assert.equal(stored.length, 2);
  assert.ok(!JSON.stringify(stored).includes('before'), 'sealed');
  const { stderr } = next.output();
  assert.ok(!stderr.includes('postgres://'), stderr);
});

test('a PostgreSQL that takes everything and answers nothing is told of, and does not keep Hearth from ending', async (t) => {
  const url = await (await postgres).database();
  const pipe = await pipeTo(t, url);
  const behind = new URL(url);
  behind.port = new URL(pipe.url).port;
  const hearth = await startHearthProcess(t, { env: { DATABASE_URL: behind.href } });
  await newPerson(hearth.url, 'ada', 1);
  pipe.silence(true);
  const health = await fetch(`${hearth.url}/healthz`, { signal: AbortSignal.timeout(10_000) });
  assert.equal(health.status, 503);
  assert.equal(await hearth.stop(), 1);
  assert.match(hearth.output().stderr, /ended before it could stop in order/);
});
