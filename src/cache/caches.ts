import { LRUCache } from 'lru-cache';
import { type EventType, eventsMissed, type Subscribe } from '../bus/bus.ts';
import { CachedValues } from './values.ts';

/** Values that are kept in memory until an event says that they are wrong. */
export type Cached<Key, Value> = {
  /** The cached value, or the result of a load; concurrent callers share one load. */
  get(key: Key): Promise<Value>;
  /** Like `get`, for several keys, in their order. Missing values are loaded together if `loadMany` is defined. */
  getMany(keys: readonly Key[]): Promise<Value[]>;
  /** What is in memory right now. */
  peek(key: Key): Value | undefined;
  /** Caches a value that was just written or came with an event. The result of a load in progress is not cached. */
  put(key: Key, value: Value): void;
  drop(key: Key): void;
  /** Drops every entry with a tag, see `tagsOf`. */
  dropTag(tag: string): void;
  clear(): void;
};

/** Subscribes a cache to an event that makes entries stale. */
export type Drop<Key, Value> = (
  subscribe: Subscribe,
  cache: Pick<Cached<Key, Value>, 'peek' | 'put' | 'drop' | 'dropTag' | 'clear'>,
) => void;

/** An entry of `dropOn`. */
export function on<Payload, Key, Value>(
  event: EventType<Payload>,
  act: (
    payload: Payload,
    cache: Pick<Cached<Key, Value>, 'peek' | 'put' | 'drop' | 'dropTag' | 'clear'>,
  ) => void,
): Drop<Key, Value> {
  return (subscribe, cache) => subscribe(event, (payload) => act(payload, cache));
}

type Size<Value> = { max: number } | { maxSize: number; sizeOf(value: Value): number };

type Common<Key, Value> = Size<Value> & {
  /** Unique name, listed by `Caches.names`. */
  name: string;
  /** Turns a key into the string or number that identifies its entry. */
  key(key: Key): string | number;
  /** Must cover every event that makes an entry stale. */
  dropOn: readonly Drop<Key, Value>[];
};

export type CacheDefinition<Key, Value> = Common<Key, Value> & {
  /** `undefined` is not cached, since the value may be created later. */
  load(key: Key): Promise<Value>;
  /** Resolves to a map from `key(key)` to the value. */
  loadMany?(keys: readonly Key[]): Promise<ReadonlyMap<string | number, Value>>;
  /** Groups of entries that an event drops together. */
  tagsOf?(value: Value, key: Key): readonly string[];
  /** Whether a value is kept; without it, all are. */
  isKept?(value: Value): boolean;
};

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
};

export type RecentValues<Key, Value> = {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
};

/**
 * Creates the caches, the only place where stored and rendered data is kept in memory. The plain stores cache
 * nothing.
 * @param subscribe the `subscribeFirst` of the bus, so that stale entries are dropped before other listeners run
 */
export function createCaches(subscribe: Subscribe): Caches {
  const names: string[] = [];
  const sizes = new Map<string, () => number>();

  function register(name: string): void {
    if (names.includes(name)) throw new Error(`Two caches have the name ${name}.`);
    names.push(name);
  }

  return {
    names: () => names,
    sizes: () => Object.fromEntries([...sizes].map(([name, sizeOf]) => [name, sizeOf()])),
    cached(definition) {
      register(definition.name);
      const cache = new CachedValues(definition);
      sizes.set(definition.name, () => cache.size);
      for (const drop of definition.dropOn) drop(subscribe, cache);
      subscribe(eventsMissed, () => cache.clear());
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
      const values = new LRUCache<string | number, { value: unknown }>({ max });
      sizes.set(name, () => values.size);
      return {
        // Safe cast: the map holds only values that `set` of this cache has stored.
        get: (key) => values.get(key)?.value as never,
        set: (key, value) => void values.set(key, { value }),
      };
    },
  };
}
