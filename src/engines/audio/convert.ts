import { Piscina } from 'piscina';
import { missingPackage } from '../missing-package.ts';
import type { Converted, Job } from './convert-worker.ts';
import type { Inspected, Unusable } from './decode.ts';

export type AudioConverter = {
  /** The name of an optional package that conversion needs and that is not installed, if any. */
  readonly missing: string | undefined;
  /** Turns a recording into what every browser plays; says why where that cannot be. */
  convert(bytes: Uint8Array, maxSeconds: number): Promise<Converted | Unusable>;
  close(): Promise<void>;
};

const PACKAGES = ['audio-decode', 'mediabunny', 'wasm-media-encoders'];
/** Inspecting takes milliseconds, converting five minutes a few seconds. A job that exceeds its limit is aborted. */
const INSPECT_WITHIN_MS = 4_000;
const CONVERT_TIMEOUT_MS = 90_000;
const START_TIMEOUT_MS = 10_000;
/** A thread that has had nothing to do for this long ends. */
const IDLE_MS = 60_000;

/** @param report called when the worker thread fails; its recording fails, and the next one starts a new thread */
export function createAudioConverter(report: (error: unknown) => void): AudioConverter {
  let pool: Piscina | undefined;

  function start(): Piscina {
    const started = new Piscina({
      filename: new URL('./convert-worker.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
    });
    // An error that nobody hears would end the process.
    started.on('error', report);
    return started;
  }

  async function run<Result>(job: Job, withinMs: number): Promise<Result | Unusable> {
    pool ??= start();
    const patience = new AbortController();
    // If no thread is running, allow extra time to start one.
    const startsIn = pool.threads.length === 0 ? START_TIMEOUT_MS : 0;
    const timer = setTimeout(() => patience.abort(), startsIn + withinMs);
    try {
      return await pool.run(job, { signal: patience.signal });
    } catch (error) {
      if (patience.signal.aborted) return 'not_audio';
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    missing: missingPackage(PACKAGES),
    async convert(bytes, maxSeconds) {
      const inspected = await run<Inspected>({ bytes, maxSeconds }, INSPECT_WITHIN_MS);
      if (typeof inspected === 'string') return inspected;
      return run<Converted>({ bytes, maxSeconds, inspected }, CONVERT_TIMEOUT_MS);
    },
    async close() {
      await pool?.destroy();
    },
  };
}
