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
/** Time limit of one recording, plus a share for each of its seconds: then the process is killed and the recording is tried again. */
const BASE_TIMEOUT_MS = 120_000;
const TIMEOUT_PER_SECOND_MS = 10_000;

type Waiting = {
  resolve(result: RecognitionResult): void;
  reject(error: Error): void;
  onProgress(share: number): void;
  patience: NodeJS.Timeout;
};

/**
 * An engine on this machine, in a process of its own with the lowest priority, which starts with the first recording.
 * A library that aborts or a model that fills the memory end that process, never the chat.
 */
export function createLocalEngine(
  kind: Order['kind'],
  { modelDir, language }: Pick<SpeechSettings, 'modelDir' | 'language'>,
): SpeechEngine {
  let child: ChildProcess | undefined;
  let idle: NodeJS.Timeout | undefined;
  let lastJob = 0;
  let isClosed = false;
  const waiting = new Map<number, Waiting>();

  function start(): ChildProcess {
    const started = fork(new URL('./local-process.ts', import.meta.url), {
      serialization: 'advanced',
      // It has no business with keys and secrets.
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    started.on('message', hear);
    started.on('error', (error) => lose(started, error));
    started.on('exit', (code, signal) =>
      lose(started, new Error(`The speech process ended with ${signal ?? code}.`)),
    );
    return started;
  }

  function lose(lost: ChildProcess, error: Error): void {
    if (child !== lost) return;
    child = undefined;
    for (const job of [...waiting.keys()]) take(job)?.reject(error);
  }

  function hear(message: unknown): void {
    // `local-process.ts` says nothing else.
    const report = message as Report;
    if ('progress' in report) return waiting.get(report.job)?.onProgress(report.progress);
    const job = take(report.job);
    if ('words' in report) job?.resolve({ words: report.words, certainty: report.certainty });
    else job?.reject(report.isFinal ? new SpeechError(report.failed) : new Error(report.failed));
  }

  function take(job: number): Waiting | undefined {
    const found = waiting.get(job);
    clearTimeout(found?.patience);
    waiting.delete(job);
    if (waiting.size === 0) {
      clearTimeout(idle);
      idle = setTimeout(end, IDLE_MS).unref();
      // Nothing waits for it to end.
      child?.unref();
      child?.channel?.unref();
    }
    return found;
  }

  function end(): void {
    const ending = child;
    child = undefined;
    ending?.kill('SIGKILL');
  }

  return {
    name: kind,
    language: baseLanguage(language),
    takesOthers: false,
    parallel: availableParallelism(),
    transcribe({ audio, length }: Recording, onProgress) {
      if (isClosed) return Promise.reject(new Error('Hearth stops.'));
      clearTimeout(idle);
      child ??= start();
      child.ref();
      child.channel?.ref();
      const job = ++lastJob;
      const order: Order = { job, kind, modelDir, language, audio, length };
      child.send(order);
      return new Promise<RecognitionResult>((resolve, reject) => {
        const patience = setTimeout(
          () => child?.kill('SIGKILL'),
          BASE_TIMEOUT_MS + length * TIMEOUT_PER_SECOND_MS,
        ).unref();
        waiting.set(job, { resolve, reject, onProgress, patience });
      });
    },
    async close() {
      isClosed = true;
      end();
      for (const job of [...waiting.keys()]) take(job)?.reject(new Error('Hearth stops.'));
      clearTimeout(idle);
    },
  };
}
