import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { SessionData, Store } from 'express-session';
import pino from 'pino';
import { openSessionStore } from '../../src/accounts/session-store.ts';
import { createCaches } from '../../src/cache/caches.ts';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { atEnd, temporaryFolder } from '../support/hearth.ts';
import { until } from '../support/until.ts';

const session = (maxAge = 60_000): SessionData => {
  const cookie = { originalMaxAge: maxAge, maxAge, expires: new Date(Date.now() + maxAge) };
  // The fields of a session that its store looks at.
  return { cookie, accountId: 1, epoch: 1, renewedOn: '2026-11-21' } as unknown as SessionData;
};
const caches = () => createCaches(() => {});
const get = (store: Store, id: string) =>
  new Promise<SessionData | null | undefined>((resolve, reject) =>
    store.get(id, (error, found) => (error ? reject(error) : resolve(found))),
  );
const set = (store: Store, id: string, value = session()) =>
  new Promise<void>((resolve, reject) =>
    store.set(id, value, (error) => (error ? reject(error) : resolve())),
  );
const destroy = (store: Store, id: string) =>
  new Promise<void>((resolve) => store.destroy(id, () => resolve()));

test('a session is there for every door, after a restart too, and gone once it has run out', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openSessionStore(folder, pino({ level: 'silent' }));
  const { openStore } = first.open(caches(), async () => true);
  const [plain, encrypted] = [openStore(), openStore()];
  await set(plain, 'one');
  await set(plain, 'short', session(30));
  assert.equal((await get(encrypted, 'one'))?.accountId, 1);
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(await get(plain, 'short'), null);
  await first.close();
  const second = await openSessionStore(folder, pino({ level: 'silent' }));
  atEnd(t, () => second.close());
  assert.equal((await get(second.open(caches(), async () => true).openStore(), 'one'))?.accountId, 1);
});

test('a session that has ended stays ended, whatever a request that began before does afterwards', async (t) => {
  const folder = temporaryFolder(t);
  const writing = await openSessionStore(folder, pino({ level: 'silent' }));
  await set(writing.open(caches(), async () => true).openStore(), 'one');
  await writing.close();

  const opened = await openSessionStore(folder, pino({ level: 'silent' }));
  atEnd(t, () => opened.close());
  const store = opened.open(caches(), async () => true).openStore();
  const early = get(store, 'one');
  await destroy(store, 'one');
  assert.equal(await early, null, 'a read that was under way');
  assert.equal(await get(store, 'one'), null);
  await set(store, 'one');
  assert.equal(await get(store, 'one'), null, 'a write that came late');
});

test('sessions that cannot be opened, as by a full disk, are not damaged: they stay, and the start is refused', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'sessions.sqlite3');
  mkdirSync(file);
  await assert.rejects(openSessionStore(folder, pino({ level: 'silent' })), {
    code: 'SQLITE_CANTOPEN',
    path: file,
  });
  assert.deepEqual(readdirSync(folder), ['sessions.sqlite3']);
});

test('a sweep that fails, such as on a full disk, is said and ends nothing', async (t) => {
  const folder = temporaryFolder(t);
  const sqlite = new BetterSqlite(join(folder, 'sessions.sqlite3'));
  sqlite.exec(`
    CREATE TABLE sessions (sid PRIMARY KEY, expired, sess);
    INSERT INTO sessions VALUES ('old', 1, '{}');
    CREATE TRIGGER refuse BEFORE DELETE ON sessions BEGIN SELECT RAISE(ABORT, 'no room'); END;
  `);
  sqlite.close();
  const lines: string[] = [];
  const log = pino({}, { write: (line) => lines.push(line) });
  const store = await openSessionStore(folder, log);
  atEnd(t, () => store.close());
  await until(() => lines.some((line) => line.includes('no room')), 'it is said');
});
