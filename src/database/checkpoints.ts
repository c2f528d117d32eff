import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';

const CHECK_EVERY_MS = 2_000;
const WORTH_A_CHECKPOINT_BYTES = 4 * 1024 * 1024;

/**
 * Watches the size of a database's write-ahead log and moves it into the database from a worker thread,
 * which opens the file through the same copy of the library. The thread exists only once it is needed.
 */
export function startCheckpoints(file: string): { stop(): Promise<void> } {
  let worker: Worker | undefined;
  let busy = false;

  const timer = setInterval(async () => {
    if (busy) return;
    const size = await stat(`${file}-wal`).then(
      (wal) => wal.size,
      () => 0,
    );
    if (size < WORTH_A_CHECKPOINT_BYTES) return;
    busy = true;
    worker ??= startWorker();
    worker.postMessage('checkpoint');
  }, CHECK_EVERY_MS);
  timer.unref();

  function startWorker(): Worker {
    const started = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), { workerData: file });
    started.unref();
    started.on('message', () => {
      busy = false;
    });
    started.on('error', () => {
      // The next round tries again with a new thread; until then the log only grows.
      worker = undefined;
      busy = false;
    });
    return started;
  }

  return {
    async stop() {
      clearInterval(timer);
      busy = true;
      await worker?.terminate();
    },
  };
}
