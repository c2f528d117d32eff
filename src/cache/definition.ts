import type { EventType, Subscribe } from '../bus/bus.ts';

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

export type Size<Value> = { max: number } | { maxSize: number; sizeOf(value: Value): number };

export type Common<Key, Value> = Size<Value> & {
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
