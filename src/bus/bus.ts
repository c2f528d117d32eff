/** Names one kind of event and carries the type of its payload. Features declare theirs in their own `events.ts`. */
export type EventType<Payload> = {
  readonly name: string;
  /** Whether only the process that publishes it hears it. */
  readonly isLocal?: boolean;
  readonly payload?: Payload;
};

/** Declares a kind of event. Payloads carry ids, never what people wrote. */
export function eventType<Payload>(name: string, { isLocal = false } = {}): EventType<Payload> {
  return { name, isLocal };
}

/** Events of other processes may have been lost: whoever relies on having heard all of them begins anew. */
export const eventsMissed = eventType<Record<string, never>>('bus.events-missed');

/**
 * Other processes cannot be heard at present, and may have changed who may do what. Delivered every two seconds for as
 * long as that lasts: what is remembered of it counts no longer than that.
 */
export const eventsDelayed = eventType<Record<string, never>>('bus.events-delayed', { isLocal: true });

/** Another process has stopped. It told what changed, and has left to others what it was still to notify of. */
export const workLeft = eventType<Record<string, never>>('bus.work-left');

/** Tells every listener, of this process and of others. */
export type Publish = <Payload>(type: EventType<Payload>, payload: Payload) => void;
export type Subscribe = <Payload>(type: EventType<Payload>, listener: (payload: Payload) => unknown) => void;
export type Bus = {
  publish: Publish;
  subscribe: Subscribe;
  /** Runs a listener before those of `subscribe`: for caches, so that no other listener reads a stale entry. */
  subscribeFirst: Subscribe;
  /** Runs a listener only in the process that published the event: for work that has to be done once. */
  subscribeOwn: Subscribe;
  /** Tells the listeners of this process of what another one did. */
  deliver: Publish;
};
