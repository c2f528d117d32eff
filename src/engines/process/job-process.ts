import { type ChildProcess, fork } from 'node:child_process';
import type { Order, Report } from './messages.ts';

/** A process that has had nothing to do for this long ends, and gives back the memory of its model. */
const IDLE_MS = 5 * 60_000;

type Waiting<Result> = {
  resolve(result: Result): void;
  reject(error: Error): void;
  onProgress(share: number): void;
  timer: NodeJS.Timeout;
};

/**
 * A process of its own for the jobs of a library, which starts with the first job. A library that aborts or a model
 * that fills the memory end that process, never the chat. The file calls `serveJobs`.
 */
export class JobProcess<Work, Result> {
  readonly #file: URL;
  readonly #waiting = new Map<number, Waiting<Result>>();
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastJob = 0;
  #isClosed = false;

  constructor(file: URL) {
    this.#file = file;
  }

  /**
   * @param timeoutMs after which the process is killed; all of its jobs then fail
   * @param onProgress called with the share that is done, from 0 to 1
   * @throws Error where the job failed, or the process ended
   */
  run(work: Work, timeoutMs: number, onProgress: (share: number) => void = () => {}): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new Error('Hearth stops.'));
    clearTimeout(this.#idle);
    this.#child ??= this.#start();
    this.#child.ref();
    this.#child.channel?.ref();
    this.#lastJob += 1;
    const job = this.#lastJob;
    this.#child.send({ job, work } satisfies Order);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#child?.kill('SIGKILL'), timeoutMs).unref();
      this.#waiting.set(job, { resolve, reject, onProgress, timer });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
    for (const job of [...this.#waiting.keys()]) this.#take(job)?.reject(new Error('Hearth stops.'));
    clearTimeout(this.#idle);
  }

  #start(): ChildProcess {
    const started = fork(this.#file, {
      serialization: 'advanced',
      // Do not pass on keys and secrets from the environment.
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    started.on('message', (message) => this.#takeReport(message));
    started.on('error', (error) => this.#lose(started, error));
    started.on('exit', (code, signal) =>
      this.#lose(started, new Error(`The process of the engine ended with ${signal ?? code}.`)),
    );
    return started;
  }

  #lose(lost: ChildProcess, error: Error): void {
    if (this.#child !== lost) return;
    this.#child = undefined;
    for (const job of [...this.#waiting.keys()]) this.#take(job)?.reject(error);
  }

  #takeReport(message: unknown): void {
    // Safe cast: `serveJobs` sends no other messages.
    const report = message as Report;
    if ('progress' in report) return this.#waiting.get(report.job)?.onProgress(report.progress);
    const job = this.#take(report.job);
    // Safe cast: the results are those that the file was typed for.
    if ('result' in report) job?.resolve(report.result as Result);
    else job?.reject(new Error(report.failed));
  }

  #take(job: number): Waiting<Result> | undefined {
    const waiting = this.#waiting.get(job);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(job);
    if (this.#waiting.size === 0) {
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
      // An idle child process must not keep this process alive.
      this.#child?.unref();
      this.#child?.channel?.unref();
    }
    return waiting;
  }

  #end(): void {
    const ending = this.#child;
    this.#child = undefined;
    ending?.kill('SIGKILL');
  }
}
