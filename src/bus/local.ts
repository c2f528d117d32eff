import type { Bus, EventType, Subscribe } from './bus.ts';

/**
 * An in-process bus. Listeners run synchronously, in the order they subscribed. When one fails, the error is reported
 * and the others still run; `publish` does not throw, since the write of the publisher is already committed.
 */
export function createLocalBus(report: (error: unknown, event: string) => void): Bus {
  type Listener = (payload: never) => unknown;
  type Listeners = Map<string, Listener[]>;
  const [first, others, own]: [Listeners, Listeners, Listeners] = [new Map(), new Map(), new Map()];

  function run(listener: Listener, payload: unknown, name: string): void {
    try {
      const result = listener(payload as never);
      if (result instanceof Promise) result.catch((error: unknown) => report(error, name));
    } catch (error) {
      report(error, name);
    }
  }

  function tell<Payload>({ name }: EventType<Payload>, payload: Payload, who: readonly Listeners[]): void {
    for (const listeners of who)
      for (const listener of listeners.get(name) ?? []) run(listener, payload, name);
  }

  return {
    publish: (type, payload) => tell(type, payload, [first, others, own]),
    deliver: (type, payload) => tell(type, payload, [first, others]),
    subscribe: subscribeTo(others),
    subscribeFirst: subscribeTo(first),
    subscribeOwn: subscribeTo(own),
  };

  function subscribeTo(listeners: Listeners): Subscribe {
    return ({ name }, listener) => {
      // Safe cast: a name is unique to its EventType, so the payload has the type that this listener takes.
      listeners.set(name, [...(listeners.get(name) ?? []), listener as Listener]);
    };
  }
}
