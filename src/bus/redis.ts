import { randomUUID } from 'node:crypto';
import type { Redis } from '../redis.ts';
import { type Bus, eventsMissed } from './bus.ts';

/**
 * The bus of several processes: what one publishes, the others hear through Redis (redis.io/docs, "Pub/Sub"). Redis keeps
 * nothing, so that what is published while a process or Redis is away is lost to it: `eventsMissed` then says so, and
 * whoever hears it reads again what it needs. The listeners of the publishing process do not wait for Redis.
 */
export async function createRedisBus(
  { client, prefix, whenBack }: Redis,
  local: Bus,
  report: (error: unknown) => void,
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
  whenBack(() => {
    if (isOwing) send(eventsMissed.name, {});
  });

  function send(name: string, payload: unknown): void {
    isOwing = false;
    client.publish(channel, JSON.stringify({ origin, name, payload })).catch(() => {
      isOwing = true;
    });
  }

  function hear(text: string): void {
    try {
      const { origin: from, name, payload } = JSON.parse(text);
      if (from !== origin) local.deliver({ name }, payload);
    } catch (error) {
      report(error);
    }
  }

  // Where Redis is away at the start, it is subscribed to once it answers.
  const connected = subscriber.connect().then(() => subscriber.subscribe(channel, hear));
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
      subscriber.destroy();
    },
  };
}
