import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket as NetSocket } from 'node:net';
import { join } from 'node:path';
import { Visitor } from './client.ts';
import { atEnd, type Ending, type HearthProcess, startHearthProcess, temporaryFolder } from './hearth.ts';
import { freePort } from './ports.ts';
import { type PostgresServer, startPostgres } from './postgres.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { until } from './until.ts';

export type Cluster = {
  postgres: PostgresServer;
  redis: RedisServer;
  databaseUrl: string;
  /** What every process is started with. */
  environment: Record<string, string>;
  /** Where each process listens; one that is started again has the same address. */
  urls: readonly string[];
  /** The address of Caddy, which gives each request to the next of them. */
  url: string;
  process(index: number): HearthProcess;
  /** Starts a process again that was stopped or killed. */
  startAgain(index: number): Promise<void>;
};

/**
 * Several processes of one Hearth on PostgreSQL and Redis, behind Caddy.
 * @param redisUrls where each process finds Redis, when not directly
 */
export async function startCluster(
  test: Ending,
  {
    size = 3,
    env = {},
    redisUrls = [],
  }: { size?: number; env?: Record<string, string>; redisUrls?: string[] } = {},
  redis?: RedisServer,
): Promise<Cluster> {
  const [postgres, server] = await Promise.all([startPostgres(test), redis ?? startRedis(test)]);
  const databaseUrl = await postgres.database();
  const files = temporaryFolder(test);
  const ports = await Promise.all(Array.from({ length: size + 1 }, () => freePort()));
  const [balanced = 0, ...own] = ports;
  const common = {
    DATABASE_URL: databaseUrl,
    FILES_FOLDER: files,
    ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    TRUSTED_PROXIES: '127.0.0.1',
    ORIGINS: `http://localhost:${balanced}`,
    LOG_LEVEL: 'warn',
    ...env,
  };
  const folders = own.map(() => join(temporaryFolder(test), 'data'));
  const start = (index: number) =>
    startHearthProcess(test, {
      flags: ['--port', String(own[index])],
      dataDir: folders[index] ?? '',
      env: { ...common, REDIS_URL: redisUrls[index] ?? server.url },
    });
  const processes = await Promise.all(own.map((_, index) => start(index)));
  return {
    postgres,
    redis: server,
    databaseUrl,
    environment: { ...common, REDIS_URL: server.url },
    urls: processes.map(({ url }) => url),
    url: await startCaddy(test, balanced, own),
    process(index) {
      const found = processes[index];
      if (!found) throw new Error(`There is no process ${index}.`);
      return found;
    },
    async startAgain(index) {
      processes[index] = await start(index);
    },
  };
}

async function startCaddy(test: Ending, port: number, upstreams: readonly number[]): Promise<string> {
  const folder = temporaryFolder(test);
  writeFileSync(
    join(folder, 'Caddyfile'),
    `{
      admin off
      auto_https off
      storage file_system ${folder}
    }
    http://localhost:${port} {
      reverse_proxy ${upstreams.map((upstream) => `127.0.0.1:${upstream}`).join(' ')} {
        lb_policy round_robin
        lb_try_duration 5s
        fail_duration 1s
      }
    }`,
  );
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const caddy = spawn('caddy', ['run', '--config', join(folder, 'Caddyfile')], { env, stdio: 'ignore' });
  atEnd(test, async () => {
    caddy.kill('SIGKILL');
    if (caddy.exitCode === null && caddy.signalCode === null) await once(caddy, 'exit');
  });
  const url = `http://localhost:${port}`;
  const answer = () => new Visitor(url).get('/healthz').catch(() => undefined);
  await until(async () => (await answer())?.status === 200, 'Caddy starts');
  return url;
}

export type Gate = {
  url: string /** Lets nothing through, and keeps connections open. */;
  shut(): void;
  open(): void;
};

/** A way to a server that can be cut as a network is: what is sent is lost, and nobody is told. */
export async function startGate(test: Ending, port: number): Promise<Gate> {
  let isShut = false;
  const streams = new Set<NetSocket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      streams.add(from);
      from.on('data', (bytes) => {
        if (!isShut) to.write(bytes);
      });
      from.on('error', () => to.destroy());
      from.on('close', () => {
        streams.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(test, () => {
    for (const stream of streams) stream.destroy();
    server.close();
  });
  const { port: own } = server.address() as { port: number };
  return {
    url: `redis://127.0.0.1:${own}`,
    shut() {
      isShut = true;
    },
    open() {
      // What was sent meanwhile is lost, so that no half of a command arrives.
      for (const stream of streams) stream.destroy();
      isShut = false;
    },
  };
}
