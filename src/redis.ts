/** How often Redis is asked whether it is there, and how long an answer may take: then it counts as away. */
const PING_MS = 2_000;
const SILENCE_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;
const LONGEST_PAUSE_MS = 2_000;

export type RedisClient = Awaited<ReturnType<typeof createRedisClient>>;

export type Redis = {
  /** Rejects at once while Redis is away. */
  client: RedisClient;
  /** What the names of all keys and channels of this Hearth begin with, so that several can share a Redis. */
  prefix: string;
  isAway(): boolean;
  /** Runs a listener each time that Redis answers again. */
  whenBack(listener: () => void): void;
};

/** Loads the client of Redis, which a process without it does not need. */
async function createRedisClient(url: string) {
  const { createClient } = await import('redis');
  return createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    socket: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2),
    },
  });
}

/**
 * Connects to Redis, and again whenever the connection breaks. Resolves also while Redis is away: a process does its
 * work without, and what is reduced then is said by what uses it.
 * @param report is told once each time that Redis is away, and once when it is back
 */
export async function connectRedis(
  url: string,
  prefix: string,
  report: (sentence: string) => void,
): Promise<Redis & { close(): void }> {
  const client = await createRedisClient(url);
  const { host } = new URL(url);
  const listeners: (() => void)[] = [];
  let isAway = false;
  let answeredAt = Date.now();
  const answered = () => {
    answeredAt = Date.now();
  };
  client.on('ready', answered).on('ping-interval', answered);
  // The time limit of the socket is only of one on which nothing is written, either.
  const watch = setInterval(() => {
    if (!client.isReady || Date.now() - answeredAt < PING_MS + SILENCE_MS) return;
    client.emit('error', new Error(`no answer in ${SILENCE_MS / 1_000} s`));
    client.destroy();
    client.connect().catch(() => {});
  }, PING_MS).unref();
  client.on('error', ({ message }: Error) => {
    if (!isAway) report(`Redis at ${host} does not answer: ${message}`);
    isAway = true;
  });
  client.on('ready', () => {
    if (isAway) report(`Redis at ${host} answers again`);
    isAway = false;
    for (const listener of listeners) listener();
  });
  const connected = client.connect().catch(() => {});
  await Promise.race([connected, new Promise((resolve) => setTimeout(resolve, CONNECT_TIMEOUT_MS).unref())]);
  return {
    client,
    prefix,
    isAway: () => !client.isReady,
    whenBack: (listener) => void listeners.push(listener),
    close: () => {
      clearInterval(watch);
      client.destroy();
    },
  };
}
