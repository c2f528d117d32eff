import { type ChildProcess, fork } from 'node:child_process';
import type { Order, Report } from './messages.ts';

/** A process that has had nothing to do for this long ends, and gives back the memory of its model. */
const IDLE_MS = 5 * 60_000;

type Job<Work, Result> = {
  work: Work;
  timeoutMs: number;
  resolve(result: Result): void;
  reject(error: Error): void;
  onProgress(share: number): void;
  timer?: NodeJS.Timeout;
};

/**
 * A process of its own for the jobs of a library, which starts with the first job. A library that aborts or a model
 * that fills the memory end that process, never the chat. The file calls `serveJobs`.
 */
export class JobProcess<Work, Result> {
  readonly #file: URL;
  readonly #parallel: number;
  /** Jobs that the process has not got yet, in their order. */
  readonly #queue: Job<Work, Result>[] = [];
  readonly #running = new Map<number, Job<Work, Result>>();
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastJob = 0;
  #isClosed = false;

  /** @param parallel jobs that the process does at the same time; others wait here */
  constructor(file: URL, parallel: number) {
    this.#file = file;
    this.#parallel = parallel;
  }

  /**
   * @param timeoutMs from the start of the job, after which the process is killed; all that it does then fail
   * @param onProgress called with the share that is done, from 0 to 1
   * @throws Error where the job failed, or the process ended
   */
  run(work: Work, timeoutMs: number, onProgress: (share: number) => void = () => {}): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new Error('Hearth stops.'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, timeoutMs, resolve, reject, onProgress });
      this.#hand();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#end();
    const stopped = new Error('Hearth stops.');
    for (const { reject } of this.#queue.splice(0)) reject(stopped);
    for (const job of [...this.#running.keys()]) this.#take(job)?.reject(stopped);
    clearTimeout(this.#idle);
  }

  /** Hands the next jobs to the process, as many as it does at the same time. */
  #hand(): void {
    while (this.#running.size < this.#parallel) {
      const next = this.#queue.shift();
      if (!next) return;
      clearTimeout(this.#idle);
      this.#child ??= this.#start();
      this.#child.ref();
      this.#child.channel?.ref();
      this.#lastJob += 1;
      next.timer = setTimeout(() => this.#child?.kill('SIGKILL'), next.timeoutMs).unref();
      this.#running.set(this.#lastJob, next);
      this.#child.send({ job: this.#lastJob, work: next.work } satisfies Order);
    }
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
    for (const job of [...this.#running.keys()]) this.#take(job)?.reject(error);
    this.#hand();
  }

  #takeReport(message: unknown): void {
    // Safe cast: `serveJobs` sends no other messages.
    const report = message as Report;
    if ('progress' in report) return this.#running.get(report.job)?.onProgress(report.progress);
    const job = this.#take(report.job);
    // Safe cast: the results are those that the file was typed for.
    if ('result' in report) job?.resolve(report.result as Result);
    else job?.reject(new Error(report.failed));
    this.#hand();
  }

  #take(id: number): Job<Work, Result> | undefined {
    const job = this.#running.get(id);
    clearTimeout(job?.timer);
    this.#running.delete(id);
    if (this.#running.size === 0) {
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => this.#end(), IDLE_MS).unref();
      // An idle child process must not keep this process alive.
      this.#child?.unref();
      this.#child?.channel?.unref();
    }
    return job;
  }

  #end(): void {
    const ending = this.#child;
    this.#child = undefined;
    ending?.kill('SIGKILL');
  }
}
