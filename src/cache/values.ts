import { LRUCache } from 'lru-cache';
import type { CacheDefinition, Cached } from './definition.ts';

type Id = string | number;
type Entry<Value> = { value: Value; tags: readonly string[] };

/**
 * A load in progress. A stale one still resolves for its callers, but its value is not cached. The tags of a value
 * are only known once it is loaded, so tags dropped in the meantime are recorded here.
 */
type Load<Value> = { promise: Promise<Value>; isStale: boolean; droppedTags: Set<string> };

/** The entries of one cache, and its loads in progress. */
export class CachedValues<Key, Value> implements Cached<Key, Value> {
  readonly #definition: CacheDefinition<Key, Value>;
  readonly #entries: LRUCache<Id, Entry<Value>>;
  readonly #loads = new Map<Id, Load<Value>>();
  readonly #idsByTag = new Map<string, Set<Id>>();
  /** How often a value was asked for, and how often it had to be loaded. */
  lookups = 0;
  loaded = 0;

  constructor(definition: CacheDefinition<Key, Value>) {
    this.#definition = definition;
    this.#entries = new LRUCache<Id, Entry<Value>>({
      // With `max`, room for all entries would be taken at the start, which took a fifth of it.
      ...('max' in definition
        ? { maxSize: definition.max, sizeCalculation: () => 1 }
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
    this.lookups += 1;
    if (entry) return Promise.resolve(entry.value);
    const started = this.#loads.get(id);
    // A load that began before a tag was dropped may have read stale data, so it is not shared.
    if (started?.droppedTags.size === 0) return started.promise;
    return this.#begin(key, this.#definition.load(key));
  }

  async getMany(keys: readonly Key[]): Promise<Value[]> {
    const { key: idOf, loadMany } = this.#definition;
    const kept = keys.map((key) => this.#entries.get(idOf(key)));
    if (kept.every((entry) => entry !== undefined)) {
      this.lookups += keys.length;
      return kept.map((entry) => entry.value);
    }
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

  get size(): number {
    return this.#entries.size;
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
    this.loaded += 1;
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
