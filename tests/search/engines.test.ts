import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openDatabases } from '../../src/database/open.ts';
import { PostgresSearchStore } from '../../src/search/postgres-store.ts';
import { SearchStore } from '../../src/search/store.ts';
import type { Document, Query } from '../../src/search/tokens.ts';
import { newPerson, type Visitor } from '../support/client.ts';
import { atEnd, type Ending, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { startPostgres } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const postgres = startPostgres({ after });
const SECRET = Buffer.alloc(32, 5);
const WORDS = 'shed paint green leek tomato seed rain garden saturday spade hose compost'.split(' ');

const pick = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)] as Item;

function document(seq: number, groupId: number): Document {
  const text = Array.from({ length: 1 + Math.floor(Math.random() * 6) }, () => pick(WORDS)).join(' ');
  return {
    groupId,
    seq,
    createdAt: 1_700_000_000_000 + seq * 7,
    text,
    marks: [`\0from ${seq % 3}`],
  };
}

/** An empty index of each engine. */
async function both(t: Ending) {
  const url = await (await postgres).database();
  const databases = await openDatabases(temporaryFolder(t), url);
  atEnd(t, () => databases.close());
  const sqlite = new SearchStore(join(temporaryFolder(t), 'search.sqlite3'), SECRET);
  atEnd(t, () => sqlite.close());
  const shared = new PostgresSearchStore(url, SECRET);
  atEnd(t, () => shared.close());
  return { sqlite, shared };
}

test('the index of PostgreSQL gives the answers of the one of SQLite', async (t) => {
  const { sqlite, shared } = await both(t);
  assert.equal(await shared.claim(), 'new');
  const write = async (documents: readonly Document[], change: number) => {
    const cursors = [1, 2, 3].map((groupId) => ({ groupId, change }));
    sqlite.index(documents, cursors);
    await shared.index(documents, cursors);
  };
  const compare = async (times: number) => {
    for (let round = 0; round < times; round++) {
      const keys = Array.from({ length: Math.floor(Math.random() * 4) }, () =>
        pick([...WORDS, '\0from 1', 'nothing']),
      );
      const time = () => pick([undefined, 1_700_000_000_000 + Math.floor(Math.random() * 2_500)]);
      const query: Query = {
        ...{ groupIds: pick([[1], [2, 3], [1, 2, 3], []]), keys, after: time(), before: time() },
        ...{ below: undefined, limit: 20 },
      };
      const named = (hits: readonly { groupId: number; seq: number }[]) =>
        hits.map(({ groupId, seq }) => `${groupId}/${seq}`);
      const [expected, found] = [sqlite.find(query), await shared.find(query)];
      assert.deepEqual(named(found), named(expected), JSON.stringify(query));
      assert.equal(await shared.count({ ...query, limit: 50 }), sqlite.count({ ...query, limit: 50 }));
      const below = found.at(-1)?.number;
      if (below === undefined) continue;
      const next = sqlite.find({ ...query, below: expected.at(-1)?.number });
      assert.deepEqual(named(await shared.find({ ...query, below })), named(next), 'the next page');
    }
  };
  await write(
    [1, 2, 3].flatMap((group) => Array.from({ length: 100 }, (_, index) => document(index + 1, group))),
    100,
  );
  await compare(80);
  await write(
    Array.from({ length: 50 }, (_, index) => document(index + 20, 2)),
    150,
  );
  await write(
    [1, 2, 3].map((group) => ({ ...document(5, group), text: '', marks: [] })),
    160,
  );
  await compare(60);
  sqlite.forget(1, 40);
  await shared.forget(1, 40);
  sqlite.forget(3);
  await shared.forget(3);
  await compare(60);
  const byGroup = (a: { groupId: number }, b: { groupId: number }) => a.groupId - b.groupId;
  assert.deepEqual((await shared.cursors()).sort(byGroup), sqlite.cursors().sort(byGroup));
});

test('one process writes the index, until its connection ends, and only that one empties it', async (t) => {
  const url = await (await postgres).database();
  const databases = await openDatabases(temporaryFolder(t), url);
  atEnd(t, () => databases.close());
  const open = (secret = SECRET) => {
    const store = new PostgresSearchStore(url, secret);
    atEnd(t, () => store.close());
    return store;
  };
  const [first, second, ofAnotherKey] = [open(), open(), open(Buffer.alloc(32, 6))];
  const written = { ...document(1, 1), text: 'leek' };
  const query: Query = {
    ...{ groupIds: [1], keys: ['leek'], after: undefined, before: undefined },
    ...{ below: undefined, limit: 20 },
  };
  assert.equal(await first.claim(), 'new');
  assert.equal(await first.claim(), 'kept');
  assert.equal(await second.claim(), 'refused');
  assert.equal(await ofAnotherKey.claim(), 'refused');
  await assert.rejects(second.index([written], [{ groupId: 1, change: 1 }]), /Another process/);
  await first.index([written], [{ groupId: 1, change: 1 }]);
  assert.equal((await second.find(query)).length, 1, 'all of them read');

  const client = new pg.Client(url);
  await client.connect();
  atEnd(t, () => client.end());
  const endWriter = () =>
    client.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted");
  await endWriter();
  for (let tries = 0; (await second.claim()) !== 'new'; tries++) {
    assert.ok(tries < 100, 'another one takes over');
    await sleep(20);
  }
  await assert.rejects(first.index([written], [{ groupId: 1, change: 2 }]));
  assert.equal(await first.claim(), 'refused');
  assert.deepEqual(await second.cursors(), [{ groupId: 1, change: 1 }]);
  await endWriter();
  for (let tries = 0; (await ofAnotherKey.claim()) !== 'new'; tries++) {
    assert.ok(tries < 100, 'after an upgrade, too');
    await sleep(20);
  }
  assert.deepEqual(await ofAnotherKey.cursors(), [], 'what was made with another key is not read');
});

test('several processes share one index in PostgreSQL, which is made again when it is empty or of another key', async (t) => {
  const url = await (await postgres).database();
  const env = { DATABASE_URL: url };
  const hearth = await startHearthProcess(t, { env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (let number = 0; number < 30; number++)
    await ada.post('/groups/1/messages', { content: `canarybird number ${number}` });
  const found = async (person: Visitor, query: string) =>
    ((await person.get(`/search?q=${query}`)).body.match(/class="hit"/g) ?? []).length;
  const finds = (person: Visitor, query: string, count: number) =>
    until(async () => (await found(person, query)) === count, query);
  await finds(ada, 'canarybird+29', 1);
  await finds(ada, 'canarybird+17', 1);
  await ada.post('/groups/1/messages/18/remove', {});
  await finds(ada, 'canarybird+17', 0);
  const query = async (sql: string) => {
    const client = new pg.Client(url);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const rows = async () => (await query('SELECT * FROM chat.search_documents')).length;
  const untilIndexed = async () => {
    const isAnother = async () =>
      (await query("SELECT FROM chat.search_meta WHERE fingerprint ~ 'key'")).length;
    await until(
      async () => (await rows()) === 29 && !(await isAnother()),
      'each once, but for what is removed',
    );
  };
  await untilIndexed();
  await hearth.stop();
  for (const sql of [
    'TRUNCATE chat.search_documents, chat.search_cursors',
    "UPDATE chat.search_meta SET fingerprint = 'of another key'",
  ]) {
    await query(sql);
    const again = await startHearthProcess(t, { env, dataDir: hearth.dataDir });
    const same = Object.assign(ada, { url: again.url });
    await untilIndexed();
    await finds(same, 'canarybird+29', 1);
    await again.stop();
  }
});

test('thousands of documents of one millisecond are all found, and so is one of the next', async (t) => {
  const { sqlite, shared } = await both(t);
  await shared.claim();
  const documents = Array.from({ length: 5_001 }, (_, index) => ({
    ...document(index + 1, 1),
    createdAt: index < 5_000 ? 1_700_000_000_000 : 1_700_000_000_001,
    text: 'shed',
  }));
  const query: Query = {
    ...{ groupIds: [1], keys: ['shed'], after: undefined, before: undefined },
    ...{ below: undefined, limit: 10_000 },
  };
  for (const store of [sqlite, shared]) {
    for (let at = 0; at < documents.length; at += 500)
      await store.index(documents.slice(at, at + 500), [{ groupId: 1, change: at }]);
    assert.equal(await store.count(query), documents.length);
  }
});
