/** Names one kind of event and carries the type of its payload. Features declare theirs in their own `events.ts`. */
export type EventType<Payload> = { readonly name: string; readonly payload?: Payload };

/** Declares a kind of event. Payloads carry ids, never what people wrote. */
export function eventType<Payload>(name: string): EventType<Payload> {
  return { name };
}

/** Tells every listener, of this process and of others. */
export type Publish = <Payload>(type: EventType<Payload>, payload: Payload) => void;
export type Subscribe = <Payload>(type: EventType<Payload>, listener: (payload: Payload) => unknown) => void;
export type Bus = {
  publish: Publish;
  subscribe: Subscribe;
  /** Runs a listener before those of `subscribe`: for caches, so that no other listener reads a stale entry. */
  subscribeFirst: Subscribe;
};
