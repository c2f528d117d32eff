import type { Bus, Subscribe } from './bus.ts';

/**
 * The bus of one process. Listeners run at once, in the order they subscribed; one that fails is reported and
 * does not keep the event from the others or from the publisher, whose write has been committed by then.
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
      // The name is unique to its EventType, so the payload that arrives is the one this listener takes.
      listeners.set(name, [...(listeners.get(name) ?? []), listener as Listener]);
    };
  }
}
