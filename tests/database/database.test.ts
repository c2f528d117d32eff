import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { eq, sql } from 'drizzle-orm';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { openSqlite } from '../../src/database/driver/sqlite.ts';
import { createGroupCommit } from '../../src/database/group-commit.ts';

import { groups, threadFollows } from '../../src/database/tables/chat.ts';
import { temporaryFolder } from '../support/hearth.ts';

const group = (name: string) => ({
  nameIndex: Buffer.from(name),
  name: Buffer.from(name),
  createdAt: 0,
  lastSeq: 0,
  lastChange: 0,
});

test('a transaction is written whole or not at all, and nothing else gets in between', async (t) => {
  const database = openSqlite(temporaryFolder(t), 'chat');
  t.after(() => database.close());
  const add = (...names: string[]) =>
    database.transaction(async (tx) => {
      for (const name of names) await tx.run((orm) => orm.insert(groups).values(group(name)));
      return (await tx.all((orm) => orm.select().from(groups))).length;
    });
  const count = async () => (await database.all((orm) => orm.select().from(groups))).length;
  await assert.rejects(add('one', 'two', 'one'), /UNIQUE/);
  assert.equal(await count(), 0);
  const counts = await Promise.all([add('one', 'two'), count(), add('three'), count()]);
  assert.deepEqual([counts[0], counts[2]], [2, 3]);
  assert.ok([2, 3].includes(counts[1]) && counts[3] === 3, 'no half of a transaction is read');
});

test('is durable and strict: WAL, full synchronisation, foreign keys', async (t) => {
  const database = openSqlite(temporaryFolder(t), 'chat');
  t.after(() => database.close());
  const row = await database.get((orm) =>
    orm
      .select({
        journal: sql<string>`(SELECT journal_mode FROM pragma_journal_mode)`,
        synchronous: sql<number>`(SELECT synchronous FROM pragma_synchronous)`,
        foreignKeys: sql<number>`(SELECT foreign_keys FROM pragma_foreign_keys)`,
      })
      .from(sql`(SELECT 1)`),
  );
  assert.deepEqual(row, { journal: 'wal', synchronous: 2, foreignKeys: 1 });
});

test('the write-ahead log is moved into the database while it is written, and does not grow without end', async (t) => {
  const folder = temporaryFolder(t);
  const database = openSqlite(folder, 'chat');
  t.after(() => database.close());
  const size = (name: string) => statSync(join(folder, name)).size;
  const blob = Buffer.alloc(256 * 1024, 1);
  let written = 0;
  for (
    const deadline = Date.now() + 20_000;
    size('chat.sqlite3') < 24 * 1024 * 1024;
    written += blob.length
  ) {
    assert.ok(Date.now() < deadline, `${written} bytes were written and none has reached the database`);
    const values = { ...group(`group ${written}`), name: blob };
    await database.run((orm) => orm.insert(groups).values(values));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(size('chat.sqlite3-wal') < written, 'it was started over');
});

test('a file that is no database, or one of a newer Hearth, is refused in one sentence', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(
    join(folder, 'users.sqlite3'),
    'this is not a database, it is a text of some length'.repeat(50),
  );
  assert.throws(() => openSqlite(folder, 'users'), /is damaged, and is left as it is/);
  const newer = new BetterSqlite(join(folder, 'chat.sqlite3'));
  newer.pragma('user_version = 999');
  newer.close();
  assert.throws(() => openSqlite(folder, 'chat'), /newer Hearth/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name === 'snapshots'),
    [],
  );
});

test('a prepared write takes each value as its column does, and refuses one that is missing', async (t) => {
  const database = openSqlite(temporaryFolder(t), 'chat');
  t.after(() => database.close());
  const value = (name: string) => sql.placeholder(name);
  const { add, rename, changed } = database.prepare((orm) => ({
    add: orm
      .insert(groups)
      .values({ ...group('one'), name: value('name'), topic: value('topic') })
      .prepare(),
    rename: orm
      .update(groups)
      .set({ name: sql`${value('name')}` })
      .prepare(),
    changed: orm
      .update(groups)
      .set({ lastSeq: 7 })
      .where(eq(groups.name, value('name')))
      .returning({ lastSeq: groups.lastSeq })
      .prepare(),
  }));
  await assert.rejects(database.run(add, { name: Buffer.from('first') }), /topic has no value/);
  assert.equal(await database.run(add, { name: Buffer.from('first'), topic: null }), 1);
  assert.equal(await database.run(rename, { name: Buffer.from('second') }), 1);
  assert.deepEqual(await database.all(changed, { name: Buffer.from('second') }), [{ lastSeq: 7 }]);
  const [row] = await database.all((orm) => orm.select().from(groups));
  assert.deepEqual([row?.name, row?.topic, row?.lastSeq], [Buffer.from('second'), null, 7]);
  const { follow } = database.prepare((orm) => ({
    follow: orm
      .insert(threadFollows)
      .values({ accountId: value('id'), groupId: 1, seq: 1, isFollowed: value('is'), readSeq: 1 })
      .prepare(),
  }));
  const rows = [
    { id: 1, is: true },
    { id: 2, is: false },
  ];
  assert.equal(await database.runEach(follow, rows), 2);
  await assert.rejects(database.runEach(follow, [{ id: 3, is: true }, ...rows]), /UNIQUE/);
  const follows = await database.all((orm) => orm.select().from(threadFollows));
  assert.deepEqual(
    follows.map(({ accountId, isFollowed }) => ({ id: accountId, is: isFollowed })),
    rows,
    'all of them are written, or none',
  );
});

test('what arrives within a turn is written together, in order', async () => {
  const batches: number[][] = [];
  const { commit } = createGroupCommit<number, number>(async (jobs) => {
    batches.push([...jobs]);
    return jobs.map((job) => job * 2);
  });
  assert.deepEqual(await Promise.all([commit(1), commit(2), commit(3)]), [2, 4, 6]);
  assert.equal(await commit(4), 8);
  assert.deepEqual(batches, [[1, 2, 3], [4]]);
});

test('one job that fails does not take the others with it', async () => {
  const { commit, flush } = createGroupCommit<string, string>(async (jobs) => {
    if (jobs.includes('bad')) throw new Error('refused');
    return jobs;
  });
  const results = await Promise.allSettled([commit('a'), commit('bad'), commit('b')]);
  assert.deepEqual(
    results.map((result) => result.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await flush();
});
