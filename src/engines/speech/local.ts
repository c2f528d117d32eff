import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import {
  baseLanguage,
  type RecognitionResult,
  type Recording,
  type SpeechEngine,
  SpeechError,
  type SpeechSettings,
} from './engine.ts';
import type { Order, Report } from './recogniser.ts';

/** A process that has had nothing to do for this long ends, and gives back the memory of its model. */
const IDLE_MS = 5 * 60_000;
/**
 * Time limit per recording, plus an allowance for each of its seconds. After that the process is killed and the
 * recording is retried.
 */
const BASE_TIMEOUT_MS = 120_000;
const TIMEOUT_PER_SECOND_MS = 10_000;

type Waiting = {
  resolve(result: RecognitionResult): void;
  reject(error: Error): void;
  onProgress(share: number): void;
  timer: NodeJS.Timeout;
};

/**
 * An engine on this machine, in a process of its own with the lowest priority, which starts with the first recording.
 * A library that aborts or a model that fills the memory end that process, never the chat.
 */
export class LocalEngine implements SpeechEngine {
  readonly name: Order['kind'];
  readonly language: string;
  readonly takesOthers = false;
  readonly parallel = availableParallelism();
  readonly #settings: Pick<Order, 'kind' | 'modelDir' | 'language'>;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastJob = 0;
  #isClosed = false;

  constructor(kind: Order['kind'], { modelDir, language }: Pick<SpeechSettings, 'modelDir' | 'language'>) {
    this.name = kind;
    this.language = baseLanguage(language);
    this.#settings = { kind, modelDir, language };
  }

  transcribe({ audio, length }: Recording, onProgress: (share: number) => void): Promise<RecognitionResult> {
    if (this.#isClosed) return Promise.reject(new Error('Hearth stops.'));
    clearTimeout(this.#idle);
    this.#child ??= this.#start();
    this.#child.ref();
    this.#child.channel?.ref();
    this.#lastJob += 1;
    const job = this.#lastJob;
    const order: Order = { ...this.#settings, job, audio, length };
    this.#child.send(order);
    return new Promise((resolve, reject) => {
      const timeout = BASE_TIMEOUT_MS + length * TIMEOUT_PER_SECOND_MS;
      const timer = setTimeout(() => this.#child?.kill('SIGKILL'), timeout).unref();
      this.#waiting.set(job, { resolve, reject, onProgress, timer });
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#end();
    for (const job of [...this.#waiting.keys()]) this.#take(job)?.reject(new Error('Hearth stops.'));
    clearTimeout(this.#idle);
  }

  #start(): ChildProcess {
    const started = fork(new URL('./local-process.ts', import.meta.url), {
      serialization: 'advanced',
      // Do not pass on keys and secrets from the environment.
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    started.on('message', (message) => this.#takeReport(message));
    started.on('error', (error) => this.#lose(started, error));
    started.on('exit', (code, signal) =>
      this.#lose(started, new Error(`The speech process ended with ${signal ?? code}.`)),
    );
    return started;
  }

  #lose(lost: ChildProcess, error: Error): void {
    if (this.#child !== lost) return;
    this.#child = undefined;
    for (const job of [...this.#waiting.keys()]) this.#take(job)?.reject(error);
  }

  #takeReport(message: unknown): void {
    // Safe cast: `local-process.ts` sends no other messages.
    const report = message as Report;
    if ('progress' in report) return this.#waiting.get(report.job)?.onProgress(report.progress);
    const job = this.#take(report.job);
    if ('words' in report) job?.resolve({ words: report.words, certainty: report.certainty });
    else job?.reject(report.isFinal ? new SpeechError(report.failed) : new Error(report.failed));
  }

  #take(job: number): Waiting | undefined {
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
