import type { Order, Report } from './messages.ts';

const PROGRESS_INTERVAL_MS = 200;

/**
 * Makes this process one that `JobProcess` starts: it does jobs until its parent goes.
 * @param work does one job; called for several at once
 */
export function serveJobs<Work>(
  work: (work: Work, onProgress: (share: number) => void) => Promise<unknown>,
): void {
  // Not `exit`, which waits for the native calls that run: with the lowest priority on a busy machine, 16 s.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.on('message', ({ job, work: ordered }: Order) => {
    let reportedAt = 0;
    const onProgress = (progress: number) => {
      if (Date.now() - reportedAt < PROGRESS_INTERVAL_MS) return;
      reportedAt = Date.now();
      send({ job, progress });
    };
    // Safe cast: the parent sends what its `JobProcess` was typed for.
    work(ordered as Work, onProgress).then(
      (result) => send({ job, result }),
      (error: unknown) => send({ job, failed: error instanceof Error ? error.message : String(error) }),
    );
  });
}

function send(report: Report): void {
  if (process.connected) process.send?.(report);
}
