import { LRUCache } from 'lru-cache';
import { type EventType, eventsMissed, type Subscribe } from '../bus/bus.ts';

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

  function register(name: string): void {
    if (names.includes(name)) throw new Error(`Two caches have the name ${name}.`);
    names.push(name);
  }

  return {
    names: () => names,
    cached(definition) {
      register(definition.name);
      const cache = new CachedValues(definition);
      for (const drop of definition.dropOn) drop(subscribe, cache);
      subscribe(eventsMissed, () => cache.clear());
      return cache;
    },
    memo<Key, Value>(definition: Common<Key, Value> & { make(key: Key): Value }) {
      register(definition.name);
      const { make } = definition;
      const cache = new CachedValues({ ...definition, load: async (key: Key) => make(key) });
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
      return {
        // Safe cast: the map holds only values that `set` of this cache has stored.
        get: (key) => values.get(key)?.value as never,
        set: (key, value) => void values.set(key, { value }),
      };
    },
  };
}

type Id = string | number;
type Entry<Value> = { value: Value; tags: readonly string[] };

/**
 * A load in progress. A stale one still resolves for its callers, but its value is not cached. The tags of a value
 * are only known once it is loaded, so tags dropped in the meantime are recorded here.
 */
type Load<Value> = { promise: Promise<Value>; isStale: boolean; droppedTags: Set<string> };

/** The entries of one cache, and its loads in progress. */
class CachedValues<Key, Value> implements Cached<Key, Value> {
  readonly #definition: CacheDefinition<Key, Value>;
  readonly #entries: LRUCache<Id, Entry<Value>>;
  readonly #loads = new Map<Id, Load<Value>>();
  readonly #idsByTag = new Map<string, Set<Id>>();

  constructor(definition: CacheDefinition<Key, Value>) {
    this.#definition = definition;
    this.#entries = new LRUCache<Id, Entry<Value>>({
      ...('max' in definition
        ? { max: definition.max }
        : {
            maxSize: definition.maxSize,
            sizeCalculation: ({ value }: Entry<Value>) => Math.max(1, definition.sizeOf(value)),
          }),
      dispose: ({ tags }, id) => this.#forgetTags(tags, id),
    });
  }

  get(key: Key): Promise<Value> {
    const id = this.#definition.key(key);
    const entry = this.#entries.get(id);
    if (entry) return Promise.resolve(entry.value);
    const started = this.#loads.get(id);
    // A load that began before a tag was dropped may have read stale data, so it is not shared.
    if (started?.droppedTags.size === 0) return started.promise;
    return this.#begin(key, this.#definition.load(key));
  }

  async getMany(keys: readonly Key[]): Promise<Value[]> {
    const { key: idOf, loadMany } = this.#definition;
    const kept = keys.map((key) => this.#entries.get(idOf(key)));
    if (kept.every((entry) => entry !== undefined)) return kept.map((entry) => entry.value);
    const missing = loadMany
      ? keys.filter((key) => !this.#entries.has(idOf(key)) && !this.#loads.has(idOf(key)))
      : [];
    if (loadMany && missing.length > 1) {
      const loading = loadMany(missing);
      // Safe cast: a missing key yields undefined, and definitions where keys can be missing allow it in `Value`.
      for (const key of missing)
        void this.#begin(
          key,
          loading.then((values) => values.get(idOf(key)) as Value),
        ).catch(() => {});
    }
    return Promise.all(keys.map((key) => this.get(key)));
  }

  peek(key: Key): Value | undefined {
    return this.#entries.get(this.#definition.key(key))?.value;
  }

  put(key: Key, value: Value): void {
    this.#makeStale(this.#definition.key(key));
    this.#keep(key, value);
  }

  drop(key: Key): void {
    const id = this.#definition.key(key);
    this.#makeStale(id);
    this.#entries.delete(id);
  }

  dropTag(tag: string): void {
    for (const started of this.#loads.values()) started.droppedTags.add(tag);
    for (const id of [...(this.#idsByTag.get(tag) ?? [])]) this.#entries.delete(id);
  }

  clear(): void {
    for (const id of [...this.#loads.keys()]) this.#makeStale(id);
    this.#entries.clear();
  }

  #begin(key: Key, loading: Promise<Value>): Promise<Value> {
    const id = this.#definition.key(key);
    this.#makeStale(id);
    const started: Load<Value> = { promise: loading, isStale: false, droppedTags: new Set() };
    started.promise = loading
      .then((value) => {
        if (!started.isStale) this.#keep(key, value, started.droppedTags);
        return value;
      })
      .finally(() => {
        if (this.#loads.get(id) === started) this.#loads.delete(id);
      });
    this.#loads.set(id, started);
    return started.promise;
  }

  #makeStale(id: Id): void {
    const started = this.#loads.get(id);
    if (!started) return;
    started.isStale = true;
    this.#loads.delete(id);
  }

  #keep(key: Key, value: Value, droppedTags?: ReadonlySet<string>): void {
    const { key: idOf, tagsOf, isKept } = this.#definition;
    if (value === undefined || (isKept && !isKept(value))) return;
    const id = idOf(key);
    const tags = tagsOf?.(value, key) ?? [];
    if (tags.some((tag) => droppedTags?.has(tag))) return;
    this.#entries.set(id, { value, tags });
    // What is larger than the whole cache is not kept.
    if (!this.#entries.has(id)) return;
    for (const tag of tags) {
      const ids = this.#idsByTag.get(tag);
      if (ids) ids.add(id);
      else this.#idsByTag.set(tag, new Set([id]));
    }
  }

  #forgetTags(tags: readonly string[], id: Id): void {
    for (const tag of tags) {
      const ids = this.#idsByTag.get(tag);
      ids?.delete(id);
      if (ids?.size === 0) this.#idsByTag.delete(tag);
    }
  }
}
