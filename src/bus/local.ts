import type { Bus, Subscribe } from './bus.ts';

/**
 * An in-process bus. Listeners run synchronously, in the order they subscribed. When one fails, the error is reported
 * and the others still run; `publish` does not throw, since the write of the publisher is already committed.
 */
export function createLocalBus(report: (error: unknown, event: string) => void): Bus {
  type Listener = (payload: never) => unknown;
  const first = new Map<string, Listener[]>();
  const others = new Map<string, Listener[]>();

  function run(listener: Listener, payload: unknown, name: string): void {
    try {
      const result = listener(payload as never);
      if (result instanceof Promise) result.catch((error: unknown) => report(error, name));
    } catch (error) {
      report(error, name);
    }
  }

  return {
    publish({ name }, payload) {
      for (const listeners of [first, others])
        for (const listener of listeners.get(name) ?? []) run(listener, payload, name);
    },
    subscribe: subscribeTo(others),
    subscribeFirst: subscribeTo(first),
  };

  function subscribeTo(listeners: Map<string, Listener[]>): Subscribe {
    return ({ name }, listener) => {
      // Safe cast: a name is unique to its EventType, so the payload has the type that this listener takes.
      listeners.set(name, [...(listeners.get(name) ?? []), listener as Listener]);
    };
  }
}
