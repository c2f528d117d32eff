import { randomUUID } from 'node:crypto';
import type { Redis } from '../redis.ts';
import { currentRequestId, withRequestId } from '../request-id.ts';
import { type Bus, eventsDelayed, eventsMissed } from './bus.ts';

const DELAYED_EVERY_MS = 2_000;
/** Before it is tried again to tell the others that something was lost. */
const SETTLE_MS = 1_000;

/**
 * The bus of several processes: what one publishes, the others hear through Redis (redis.io/docs, "Pub/Sub"). Redis keeps
 * nothing, so that what is published while a process or Redis is away is lost to it: `eventsMissed` then says so, and
 * whoever hears it reads again what it needs. The listeners of the publishing process do not wait for Redis.
 */
export async function createRedisBus(
  { client, prefix, whenBack }: Redis,
  local: Bus,
  report: (error: unknown) => void,
  tellHeard: (event: string) => void,
): Promise<Bus & { stop(): Promise<void> }> {
  const origin = randomUUID();
  const channel = `${prefix}:bus`;
  const subscriber = client.duplicate();
  let wasAway = false;
  /** Whether something that others have to know could not be told. */
  let isOwing = false;

  subscriber.on('error', () => {
    wasAway = true;
  });
  subscriber.on('ready', () => {
    if (wasAway) local.deliver(eventsMissed, {});
    wasAway = false;
  });
  whenBack(settle);
  const watch = setInterval(() => {
    if (!subscriber.isReady || !client.isReady) local.deliver(eventsDelayed, {});
  }, DELAYED_EVERY_MS).unref();

  function send(name: string, payload: unknown): void {
    client
      .publish(channel, JSON.stringify({ origin, name, payload, requestId: currentRequestId() }))
      .catch(() => {
        isOwing = true;
        // It may have been refused by a connection that is open again by now.
        setTimeout(settle, SETTLE_MS).unref();
      });
  }

  function settle(): void {
    if (!isOwing || !client.isReady) return;
    isOwing = false;
    send(eventsMissed.name, {});
  }

  function hear(text: string): void {
    try {
      const { origin: from, name, payload, requestId } = JSON.parse(text);
      if (from === origin) return;
      withRequestId(requestId, () => {
        tellHeard(name);
        local.deliver({ name }, payload);
      });
    } catch (error) {
      report(error);
    }
  }

  // Where Redis is away at the start, it is subscribed to once it answers, and what was published before is lost.
  const connected = subscriber.connect().then(async () => {
    await subscriber.subscribe(channel, hear);
    local.deliver(eventsMissed, {});
  });
  connected.catch(report);
  await Promise.race([
    connected.catch(() => {}),
    new Promise((resolve) => setTimeout(resolve, 1_000).unref()),
  ]);
  return {
    ...local,
    publish(type, payload) {
      local.publish(type, payload);
      if (!type.isLocal) send(type.name, payload);
    },
    async stop() {
      clearInterval(watch);
      subscriber.destroy();
    },
  };
}
