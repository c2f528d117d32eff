import { parentPort, workerData } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';

const HARD_LIMIT_FRAMES = 32_768;

const sqlite = new Sqlite(String(workerData), { timeout: 1_000 });
const passive = sqlite.prepare<[], { log: number; checkpointed: number }>('PRAGMA wal_checkpoint(PASSIVE)');
const truncate = sqlite.prepare('PRAGMA wal_checkpoint(TRUNCATE)');

parentPort?.on('message', () => {
  const { log } = passive.get() ?? { log: 0 };
  // Under endless writing a passive checkpoint never quite catches up; past 128 MiB writers wait for one that does.
  if (log > HARD_LIMIT_FRAMES) truncate.all();
  parentPort?.postMessage('done');
});
