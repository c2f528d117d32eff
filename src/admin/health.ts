import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Databases } from '../database/open.ts';
import { inWords } from '../files/file.ts';

/** A line of what administrators see of the process and its folder. */
export type HealthLine = Readonly<{ name: string; value: string; isBad: boolean }>;

/** Less free space than this is shown as a problem: uploads stop at 200 MB. */
const LOW_SPACE_BYTES = 1_000_000_000;
const DATABASES = ['users.sqlite3', 'chat.sqlite3', 'search.sqlite3', 'sessions.sqlite3'];

export type HealthDependencies = {
  config: Pick<Config, 'dataDir' | 'databaseUrl' | 'filesBucket' | 'searchIndex'>;
  databases: Pick<Databases, 'canWrite'>;
  isAlone: boolean;
  isCutOff(): boolean;
  livePresence: { readonly otherProcesses: number };
  blobs: { free(): Promise<number> };
  engine: { name: string } | undefined;
  /** Of the backups that this server takes. */
  backupHealth(): HealthLine[];
};

/** How this Hearth is: whether it can write, what it takes, since when it runs, what it has. */
export async function healthOf({
  config,
  databases,
  blobs,
  engine,
  isAlone,
  isCutOff,
  livePresence,
  backupHealth,
}: HealthDependencies): Promise<HealthLine[]> {
  const canWrite = await databases.canWrite();
  const free = await blobs.free();
  const line = (name: string, value: string, isBad = false): HealthLine => ({ name, value, isBad });
  return [
    line(
      'Databases',
      `${config.databaseUrl ? 'PostgreSQL' : 'SQLite'}, ${canWrite ? 'can be written' : 'cannot be written: see the log of the server'}`,
      !canWrite,
    ),
    ...(config.databaseUrl ? [] : [line('Their size', inWords(await sizeOf(config.dataDir)))]),
    ...(isAlone ? [] : [line('Other processes', otherProcesses(isCutOff(), livePresence), isCutOff())]),
    config.filesBucket
      ? line('Files', `in the bucket ${config.filesBucket}`)
      : line('Free on the disk', inWords(free), free < LOW_SPACE_BYTES),
    ...backupHealth(),
    line('Memory', inWords(process.memoryUsage().rss)),
    line('Running for', duration(process.uptime())),
    line('Voice messages', engine ? `become text (${engine.name})` : 'stay without text: see the README'),
    line('Search', config.searchIndex ? 'on' : 'off (SEARCH_INDEX)'),
    line('Node', process.version),
  ];
}

/** What the databases take, where they are files, and what is free. */
export async function spaceOf({
  config,
  blobs,
}: Pick<HealthDependencies, 'config' | 'blobs'>): Promise<HealthLine[]> {
  const free = await blobs.free();
  const databases = config.databaseUrl
    ? []
    : [{ name: 'Databases', value: inWords(await sizeOf(config.dataDir)), isBad: false }];
  const disk = { name: 'Free on the disk', value: inWords(free), isBad: free < LOW_SPACE_BYTES };
  return [...(config.filesBucket ? [] : [disk]), ...databases];
}

function otherProcesses(
  isCutOff: boolean,
  { otherProcesses: count }: HealthDependencies['livePresence'],
): string {
  if (isCutOff) return 'unknown: Redis does not answer, and what happens elsewhere is seen late';
  return count === 0 ? 'none' : `${count}, by way of Redis`;
}

async function sizeOf(dataDir: string): Promise<number> {
  let bytes = 0;
  for (const file of DATABASES)
    for (const ending of ['', '-wal'])
      bytes += await stat(join(dataDir, file + ending)).then(
        ({ size }) => size,
        () => 0,
      );
  return bytes;
}

/** @param seconds such as 93784 → "1 day, 2 hours" */
function duration(seconds: number): string {
  const units = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ] as const;
  const parts: string[] = [];
  let left = seconds;
  for (const [name, length] of units) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${name}${count === 1 ? '' : 's'}`);
  }
  return parts.slice(0, 2).join(', ') || 'less than a minute';
}
