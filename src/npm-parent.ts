import { spawnSync } from 'node:child_process';

/** How often a server that npm started looks whether npm is still there. */
const PARENT_CHECK_MS = 500;

/**
 * Calls `end` once the npm that started this process, or the shell between the two, is gone. A signal to the PID of
 * `npm start` is meant for Hearth but does not reach it: the shell forwards no signals and keeps running.
 * @param environment where npm notes that it started this process
 */
export function whenNpmEnds(
  environment: Readonly<Record<string, string | undefined>>,
  end: () => void,
): void {
  if (environment.npm_lifecycle_event !== 'start') return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || isRunning(npm))) return;
    clearInterval(timer);
    end();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** Undefined where this system does not say. */
function parentOf(pid: number): number | undefined {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' });
  const parent = Number.parseInt(stdout ?? '', 10);
  return parent > 1 ? parent : undefined;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
