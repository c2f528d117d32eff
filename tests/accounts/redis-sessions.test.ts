import assert from 'node:assert/strict';
import test from 'node:test';
import { promisify } from 'node:util';
import type { SessionData } from 'express-session';
import pino from 'pino';
import { sessionEnded } from '../../src/accounts/events.ts';
import { openSessionStore } from '../../src/accounts/session-store.ts';
import { eventsMissed } from '../../src/bus/bus.ts';
import { createLocalBus } from '../../src/bus/local.ts';
import { createCaches } from '../../src/cache/caches.ts';
import { connectRedis } from '../../src/redis.ts';
import { atEnd, type Ending, temporaryFolder } from '../support/hearth.ts';
import { startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

/** The sessions of one process. */
async function processOn(t: Ending, url: string, isListed = async (_id: string) => true) {
  const redis = await connectRedis(url, 'hearth:test', () => {});
  atEnd(t, redis.close);
  const bus = createLocalBus((error) => {
    throw error;
  });
  const log = pino({ level: 'silent' });
  const opened = (await openSessionStore(temporaryFolder(t), log, redis)).open(
    createCaches(bus.subscribeFirst),
    isListed,
  );
  const store = opened.openStore();
  return {
    redis,
    misses: () => bus.deliver(eventsMissed, {}),
    hears: (sessionId: string) => bus.deliver(sessionEnded, { accountId: 1, sessionId }),
    get: promisify(store.get.bind(store)),
    set: promisify(store.set.bind(store)),
    end: opened.end,
    peek: opened.peek,
  };
}

const session = (more: object = {}) =>
  ({
    cookie: { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000) },
    accountId: 1,
    epoch: 1,
    ...more,
  }) as unknown as SessionData;

test('what one process writes into a session, another reads, also where it has read it before', async (t) => {
  const { url } = await startRedis(t);
  const [first, second] = [await processOn(t, url), await processOn(t, url)];
  await first.set('a', session());
  assert.equal((await second.get('a'))?.accountId, 1);
  await first.set('a', session({ isBrief: true }));
  assert.equal((await second.get('a'))?.isBrief, true);
  assert.equal(await second.get('b'), null);
});

test('a session that ended stays ended: for a request that began before, for a process that did not hear, and for one that still has it', async (t) => {
  const redis = await startRedis(t);
  const [first, second] = [await processOn(t, redis.url), await processOn(t, redis.url)];
  for (const id of ['a', 'b']) await first.set(id, session());
  for (const id of ['a', 'b']) assert.ok(await second.get(id));
  await first.end('a');
  await second.set('a', session({ renewedOn: 'today' }));
  assert.equal(await second.get('a'), null);
  const third = await processOn(t, redis.url);
  assert.equal(await third.get('a'), null);
  second.hears('b');
  assert.equal(second.peek('b'), undefined);
});

test('a Redis that was emptied gets back what processes have seen, and nothing that ended', async (t) => {
  const redis = await startRedis(t);
  const [first, second] = [await processOn(t, redis.url), await processOn(t, redis.url)];
  for (const id of ['a', 'b', 'c']) await first.set(id, session());
  for (const id of ['a', 'b', 'c']) assert.ok(await second.get(id));
  await redis.kill();
  await first.end('a');
  await first.set('d', session());
  assert.ok(await second.get('b'), 'what it has seen counts');
  await assert.rejects(second.get('d'), /cannot be seen right now who is signed in/);
  assert.ok(await first.get('d'), 'begun meanwhile, in this process');
  await redis.start();
  await until(() => !first.redis.isAway() && !second.redis.isAway(), 'both have it back');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(await second.get('b'));
  assert.ok(await second.get('d'), 'told once Redis was back');
  assert.equal(await second.get('a'), null);
  const third = await processOn(t, redis.url);
  assert.ok(await third.get('b'), 'brought back by the second');
  assert.equal(await third.get('a'), null);
  assert.ok(await third.get('c'), 'though nobody asked for it since');
});

test('a session that is in no list of its account is refused, and no process brings it back', async (t) => {
  const redis = await startRedis(t, true);
  const listed = new Set(['a', 'b']);
  const isListed = async (id: string) => listed.has(id);
  const [first, second] = [await processOn(t, redis.url, isListed), await processOn(t, redis.url, isListed)];
  for (const id of ['a', 'b', 'pending'])
    await first.set(id, session(id === 'pending' ? { accountId: undefined } : {}));
  for (const id of ['a', 'b', 'pending']) assert.ok(await second.get(id));
  // It ended at a process that ended, too, before it could tell Redis.
  listed.delete('a');
  await redis.kill();
  await until(() => !first.redis.client.isReady && !second.redis.client.isReady);
  await redis.start();
  const started = await processOn(t, redis.url, isListed);
  await until(() => first.redis.client.isReady && second.redis.client.isReady);
  // As the bus says once Redis is back.
  for (const { misses } of [first, second]) misses();
  for (const { get } of [started, second, first]) assert.equal(await get('a'), null);
  for (const { get } of [started, second, first]) assert.ok((await get('b')) && (await get('pending')));
  // Only the process at which it ended was cut off, and it was killed.
  listed.delete('b');
  second.misses();
  assert.equal(await second.get('b'), null);
});

test('a session that ends or changes while it is read is read so, and known so', async (t) => {
  const redis = await startRedis(t);
  const first = await processOn(t, redis.url);
  for (const id of ['a', 'b']) await first.set(id, session());
  let meanwhile = async () => {};
  const second = await processOn(t, redis.url, async () => {
    await meanwhile();
    return true;
  });
  meanwhile = () => second.end('a');
  assert.equal(await second.get('a'), null);
  meanwhile = async () => void second.set('b', session({ isBrief: true }));
  assert.equal((await second.get('b'))?.isBrief, true);
  await redis.kill();
  await until(() => !second.redis.client.isReady);
  assert.equal(await second.get('a'), null);
  assert.equal((await second.get('b'))?.isBrief, true);
});
