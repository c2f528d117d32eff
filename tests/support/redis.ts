import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createClient } from 'redis';
import { atEnd, type Ending, temporaryFolder } from './hearth.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

export type RedisServer = {
  url: string;
  port: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** It takes what it is sent, and answers nothing. */
  pause(): void;
  resume(): void;
};

/**
 * Starts a Redis server on a free port of this machine only, and ends it after the test.
 * @param isKept whether what it was told is there again after it was killed
 */
export async function startRedis(test: Ending, isKept = false): Promise<RedisServer> {
  const folder = temporaryFolder(test);
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ReturnType<typeof spawn> | undefined;

  async function start(): Promise<void> {
    const keeping = isKept ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...keeping];
    server = spawn('redis-server', flags, { cwd: folder, stdio: 'ignore' });
    await until(() => answers(url), 'Redis starts');
  }

  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'close');
    server.kill('SIGKILL');
    await ended;
  }

  if (!existsSync('/usr/bin/redis-server'))
    throw new Error('Redis is not installed: apt-get install redis-server');
  await start();
  atEnd(test, kill);
  return {
    ...{ url, port, kill, start },
    pause: () => void server?.kill('SIGSTOP'),
    resume: () => void server?.kill('SIGCONT'),
  };
}

async function answers(url: string): Promise<boolean> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    if (client.isOpen) client.destroy();
  }
}
