import { stat } from 'node:fs/promises';
import { Piscina } from 'piscina';

const CHECK_EVERY_MS = 250;
const WORTH_A_CHECKPOINT_BYTES = 4 * 1024 * 1024;

/**
 * Keeps the write-ahead log (WAL) of a database short. A worker thread, which opens the file through the same copy of
 * the library, copies the log into the database and syncs. `finish` then copies the rest between two writes, so that
 * the next write restarts the log: syncing a log that is overwritten is faster than syncing one that grows. The
 * thread is started when it is first needed.
 * @param finish checkpoints what is left, on the connection that writes
 */
export function startCheckpoints(file: string, finish: () => void): { stop(): Promise<void> } {
  let pool: Piscina | undefined;
  let isBusy = false;
  // A restarted log keeps its size; only its modification time shows whether another checkpoint is due.
  let finishedAt = 0;

  const timer = setInterval(async () => {
    if (isBusy) return;
    const wal = await stat(`${file}-wal`).catch(() => undefined);
    if (!wal || wal.size < WORTH_A_CHECKPOINT_BYTES || wal.mtimeMs <= finishedAt || isBusy) return;
    isBusy = true;
    try {
      pool ??= new Piscina({
        filename: new URL('./checkpoint-worker.ts', import.meta.url).href,
        minThreads: 0,
        maxThreads: 1,
        idleTimeout: 60_000,
        // Without a listener, an `error` event would end the process. The next round tries again.
      }).on('error', () => {});
      await pool.run(file);
      finish();
      finishedAt = Date.now();
    } catch {
      // Stopping, or a passing fault: the next round tries again, and until then the log only grows.
    } finally {
      isBusy = false;
    }
  }, CHECK_EVERY_MS);
  timer.unref();

  return {
    async stop() {
      clearInterval(timer);
      await pool?.destroy();
    },
  };
}
