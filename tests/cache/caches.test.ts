import assert from 'node:assert/strict';
import test from 'node:test';
import { eventType } from '../../src/bus/bus.ts';
import { createLocalBus } from '../../src/bus/local.ts';
import { createCaches, on } from '../../src/cache/caches.ts';

const changed = eventType<{ id: number }>('test.changed');
const tagged = eventType<{ tag: string }>('test.tagged');

function prepared() {
  const bus = createLocalBus((error) => {
    throw error;
  });
  const rows = new Map<number, string>([
    [1, 'one'],
    [2, 'two'],
  ]);
  const loads: number[] = [];
  let held: Promise<void> | undefined;
  const cache = createCaches(bus.subscribeFirst).cached<number, string | undefined>({
    name: 'rows',
    key: (id) => id,
    max: 3,
    async load(id) {
      loads.push(id);
      const value = rows.get(id);
      await held;
      return value;
    },
    tagsOf: (value) => (value ? [value.slice(0, 1)] : []),
    dropOn: [
      on(changed, ({ id }, cache) => cache.drop(id)),
      on(tagged, ({ tag }, cache) => cache.dropTag(tag)),
    ],
  });
  const hold = () => {
    let letGo = () => {};
    held = new Promise<void>((resolve) => {
      letGo = () => {
        held = undefined;
        resolve();
      };
    });
    return () => letGo();
  };
  return { ...bus, rows, loads, cache, hold };
}

test('a value is loaded once, for all who ask at the same time, until its event', async () => {
  const { cache, loads, rows, publish } = prepared();
  assert.deepEqual(await Promise.all([cache.get(1), cache.get(1)]), ['one', 'one']);
  assert.equal(await cache.get(1), 'one');
  assert.deepEqual(loads, [1]);
  rows.set(1, 'first');
  publish(changed, { id: 1 });
  assert.equal(await cache.get(1), 'first');
  assert.deepEqual(loads, [1, 1]);
});

test('a load that was under way when its event came is answered, and not kept', async () => {
  const { cache, rows, publish, hold } = prepared();
  const letGo = hold();
  const early = cache.get(1);
  rows.set(1, 'newer');
  publish(changed, { id: 1 });
  letGo();
  assert.equal(await early, 'one');
  assert.equal(await cache.get(1), 'newer');
});

test('what was put while a load was under way stays', async () => {
  const { cache, hold } = prepared();
  const letGo = hold();
  const early = cache.get(1);
  cache.put(1, 'written');
  letGo();
  await early;
  assert.equal(await cache.get(1), 'written');
});

test('a tag drops its entries, and what is being loaded and turns out to have it', async () => {
  const { cache, rows, publish, hold } = prepared();
  assert.deepEqual(await cache.getMany([1, 2]), ['one', 'two']);
  const letGo = hold();
  rows.set(3, 'three');
  const early = cache.get(3);
  rows.set(3, 'tree');
  publish(tagged, { tag: 't' });
  letGo();
  assert.equal(await early, 'three');
  assert.deepEqual([cache.peek(1), cache.peek(2), cache.peek(3)], ['one', undefined, undefined]);
  assert.equal(await cache.get(3), 'tree');

  const another = hold();
  const unrelated = cache.get(1);
  publish(changed, { id: 1 });
  const begun = cache.get(1);
  publish(tagged, { tag: 'x' });
  rows.set(1, 'once more');
  const later = cache.get(1);
  another();
  assert.deepEqual(await Promise.all([unrelated, begun, later]), ['one', 'one', 'once more']);
  assert.equal(cache.peek(1), 'once more', 'who asks after a drop gets what was there after it');
});

test('what is not there is asked for again, and listeners find no entry that their event made wrong', async () => {
  const { cache, rows, publish, subscribe } = prepared();
  assert.equal(await cache.get(9), undefined);
  rows.set(9, 'nine');
  assert.equal(await cache.get(9), 'nine');
  let seen: string | undefined;
  subscribe(changed, ({ id }) => {
    seen = cache.peek(id);
  });
  publish(changed, { id: 9 });
  assert.equal(seen, undefined);
});

test('two caches cannot share a name', () => {
  const caches = createCaches(() => {});
  caches.recent('shown', 1);
  assert.throws(() => caches.recent('shown', 1), /Two caches have the name shown/);
  assert.deepEqual(caches.names(), ['shown']);
});
