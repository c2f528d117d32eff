import { createRequire } from 'node:module';
import { Piscina } from 'piscina';
import type { Converted, Job } from './convert-worker.ts';
import type { Inspected, Unusable } from './decode.ts';

export type AudioConverter = {
  /** What of this installation is missing to convert anything, if something is. */
  readonly missing: string | undefined;
  /** Turns a recording into what every browser plays; says why where that cannot be. */
  convert(bytes: Uint8Array, maxSeconds: number): Promise<Converted | Unusable>;
  close(): Promise<void>;
};

const PACKAGES = ['audio-decode', 'mediabunny', 'wasm-media-encoders'];
/** Reading a container takes milliseconds, converting five minutes a few seconds. The thread of what takes longer is ended. */
const INSPECT_WITHIN_MS = 4_000;
const CONVERT_TIMEOUT_MS = 90_000;
const START_TIMEOUT_MS = 10_000;
/** A thread that has had nothing to do for this long ends. */
const IDLE_MS = 60_000;

/** @param report hears of a thread that failed; that recording fails, and the next one starts another */
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
    // Where there is no thread one starts first, which is not the recording's fault.
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

/** The first of these optional packages that is not installed. */
export function missingPackage(names: readonly string[]): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  return names.find((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
}
