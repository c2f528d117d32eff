import { LRUCache } from 'lru-cache';
import type { EventType, Subscribe } from '../bus/bus.ts';

/** Values that are kept in memory until an event says that they are wrong. */
export type Cached<Key, Value> = {
  /** From memory, or loaded; those who ask at the same time share one load. */
  get(key: Key): Promise<Value>;
  /** The same for many, in their order; what is missing is loaded together where `loadMany` says how. */
  getMany(keys: readonly Key[]): Promise<Value[]>;
  /** What is in memory right now. */
  peek(key: Key): Value | undefined;
  /** Keeps what was just written, or is known from an event. A load that is under way is not kept any more. */
  put(key: Key, value: Value): void;
  drop(key: Key): void;
  /** Drops every entry with a tag, see `tagsOf`. */
  dropTag(tag: string): void;
  clear(): void;
};

/** What an event does to a cache. */
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
  /** Says in the list of caches what is kept. */
  name: string;
  /** Distinguishes keys. */
  key(key: Key): string | number;
  /** Every event that makes an entry wrong. */
  dropOn: readonly Drop<Key, Value>[];
};

export type CacheDefinition<Key, Value> = Common<Key, Value> & {
  /** An undefined value is not kept: what is not there may be made. */
  load(key: Key): Promise<Value>;
  /** By what `key` makes of a key. */
  loadMany?(keys: readonly Key[]): Promise<ReadonlyMap<string | number, Value>>;
  /** Groups of entries that an event drops together. */
  tagsOf?(value: Value, key: Key): readonly string[];
  /** Whether a value is kept; without it, all are. */
  isKept?(value: Value): boolean;
};

export type Caches = {
  cached<Key, Value>(definition: CacheDefinition<Key, Value>): Cached<Key, Value>;
  /** The same for what is made at once of its key alone. */
  memo<Key, Value>(definition: Common<Key, Value> & { make(key: Key): Value }): (key: Key) => Value;
  /** The newest `max` entries of what cannot be loaded again, such as what was pushed last. */
  recent<Key extends string | number, Value>(name: string, max: number): RecentValues<Key, Value>;
  /** The names of all of them. */
  names(): readonly string[];
};

export type RecentValues<Key, Value> = {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
};

/**
 * The one place that keeps what was read or rendered in memory, in front of stores that keep nothing.
 * @param subscribe that of listeners which run first
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
        // Each name has one type of value, which `set` alone puts there.
        get: (key) => values.get(key)?.value as never,
        set: (key, value) => void values.set(key, { value }),
      };
    },
  };
}

type Id = string | number;
type Entry<Value> = { value: Value; tags: readonly string[] };

/**
 * A load that is under way; a stale one is answered and not kept. Its tags are known once it has a value: until then it
 * notes which were dropped.
 */
type Load<Value> = { promise: Promise<Value>; isStale: boolean; droppedTags: Set<string> };

/** The values of one cache, and the loads of those that it has not. */
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
    // One that began before a tag was dropped may have read what was there before.
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
      // What is not there has no value: the type says so where that can be.
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
