/** Names one kind of event and carries the type of its payload. Features declare theirs in their own `events.ts`. */
export type EventType<Payload> = { readonly name: string; readonly payload?: Payload };

/** Declares a kind of event. Payloads carry ids, never what people wrote. */
export function eventType<Payload>(name: string): EventType<Payload> {
  return { name };
}

export type Publish = <Payload>(type: EventType<Payload>, payload: Payload) => void;
export type Subscribe = <Payload>(type: EventType<Payload>, listener: (payload: Payload) => unknown) => void;
export type Events = { publish: Publish; subscribe: Subscribe };

/**
 * An in-process bus. Listeners run at once, in the order they subscribed; one that fails is reported and
 * does not keep the event from the others or from the publisher, whose write has been committed by then.
 */
export function createEvents(report: (error: unknown, event: string) => void): Events {
  const listeners = new Map<string, Array<(payload: never) => unknown>>();

  return {
    publish(type, payload) {
      for (const listener of listeners.get(type.name) ?? []) {
        try {
          const result = listener(payload as never);
          if (result instanceof Promise) result.catch((error: unknown) => report(error, type.name));
        } catch (error) {
          report(error, type.name);
        }
      }
    },
    subscribe(type, listener) {
      const listenersOfType = listeners.get(type.name);
      // The name is unique to its EventType, so the payload that arrives is the one this listener takes.
      if (listenersOfType) listenersOfType.push(listener as (payload: never) => unknown);
      else listeners.set(type.name, [listener as (payload: never) => unknown]);
    },
  };
}
