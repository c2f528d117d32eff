import { LRUCache } from 'lru-cache';
import { eventsDelayed, eventsMissed, type Subscribe } from '../bus/bus.ts';
import type { CacheDefinition, Cached, Common } from './definition.ts';
import { CachedValues } from './values.ts';

export { type CacheDefinition, type Cached, type Drop, on } from './definition.ts';

export type Caches = {
  cached<Key, Value>(definition: CacheDefinition<Key, Value>): Cached<Key, Value>;
  /** Like `cached`, for values that are computed synchronously from their key. */
  memo<Key, Value>(definition: Common<Key, Value> & { make(key: Key): Value }): (key: Key) => Value;
  /** The `max` most recently used entries, for values that cannot be loaded again, such as what was pushed last. */
  recent<Key extends string | number, Value>(name: string, max: number): RecentValues<Key, Value>;
  /** The names of all of them. */
  names(): readonly string[];
  /** How many entries each has. */
  sizes(): Readonly<Record<string, number>>;
  /** Of each that loads: how often a value was asked for, or had to be loaded. */
  counts(of: 'lookups' | 'loaded'): Readonly<Record<string, number>>;
};

export type RecentValues<Key, Value> = {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  keys(): Key[];
  clear(): void;
};

/**
 * Creates the caches, the only place where stored and rendered data is kept in memory. The plain stores cache
 * nothing.
 * @param subscribe the `subscribeFirst` of the bus, so that stale entries are dropped before other listeners run
 */
export function createCaches(subscribe: Subscribe): Caches {
  const names: string[] = [];
  const sizes = new Map<string, () => number>();
  const loading = new Map<string, Record<'lookups' | 'loaded', number>>();

  function register(name: string): void {
    if (names.includes(name)) throw new Error(`Two caches have the name ${name}.`);
    names.push(name);
  }

  return {
    names: () => names,
    sizes: () => Object.fromEntries([...sizes].map(([name, sizeOf]) => [name, sizeOf()])),
    counts: (of) => Object.fromEntries([...loading].map(([name, cache]) => [name, cache[of]])),
    cached(definition) {
      register(definition.name);
      const cache = new CachedValues(definition);
      sizes.set(definition.name, () => cache.size);
      loading.set(definition.name, cache);
      for (const drop of definition.dropOn) drop(subscribe, cache);
      for (const event of [eventsMissed, eventsDelayed]) subscribe(event, () => cache.clear());
      return cache;
    },
    memo<Key, Value>(definition: Common<Key, Value> & { make(key: Key): Value }) {
      register(definition.name);
      const { make } = definition;
      const cache = new CachedValues({ ...definition, load: async (key: Key) => make(key) });
      sizes.set(definition.name, () => cache.size);
      for (const drop of definition.dropOn) drop(subscribe, cache);
      return (key: Key) => {
        const kept = cache.peek(key);
        if (kept !== undefined) return kept;
        const value = make(key);
        cache.put(key, value);
        return value;
      };
    },
    recent(name, max) {
      register(name);
      const values = new LRUCache<string | number, { value: unknown }>({
        // See `CachedValues`.
        ...{ maxSize: max, sizeCalculation: () => 1 },
      });
      sizes.set(name, () => values.size);
      return {
        // Safe cast: the map holds only values that `set` of this cache has stored.
        get: (key) => values.get(key)?.value as never,
        set: (key, value) => void values.set(key, { value }),
        // Safe cast, for the same reason.
        keys: () => [...values.keys()] as never[],
        clear: () => values.clear(),
      };
    },
  };
}
