import { createRequire } from 'node:module';
import { Piscina } from 'piscina';
import type { Converted, Job } from './convert-worker.ts';
import type { Unusable } from './decode.ts';

export type AudioConverter = {
  /** What of this installation is missing to convert anything, if something is. */
  readonly missing: string | undefined;
  /** Turns a recording into what every browser plays; says why where that cannot be. */
  convert(bytes: Uint8Array, maxSeconds: number): Promise<Converted | Unusable>;
  close(): Promise<void>;
};

const PACKAGES = ['audio-decode', 'mediabunny', 'wasm-media-encoders'];
/** A thread that has had nothing to do for this long ends. */
const IDLE_MS = 60_000;

/** @param report hears of a thread that failed; that recording fails, and the next one starts another */
export function createAudioConverter(report: (error: unknown) => void): AudioConverter {
  let pool: Piscina | undefined;

  function start(): Piscina {
    const started = new Piscina<Job, Converted | Unusable>({
      filename: new URL('./convert-worker.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: IDLE_MS,
    });
    // An error that nobody hears would end the process.
    started.on('error', report);
    return started;
  }

  return {
    missing: missingPackage(PACKAGES),
    convert(bytes, maxSeconds) {
      pool ??= start();
      return pool.run({ bytes, maxSeconds } satisfies Job);
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
