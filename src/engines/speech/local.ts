import { availableParallelism } from 'node:os';
import { JobProcess } from '../process/job-process.ts';
import {
  baseLanguage,
  type Recognition,
  type Recording,
  type SpeechEngine,
  SpeechError,
  type SpeechSettings,
} from './engine.ts';
import type { Outcome, Work } from './recogniser.ts';

/**
 * Time limit per recording, plus an allowance for each of its seconds. After that the process is killed and the
 * recording is retried.
 */
const BASE_TIMEOUT_MS = 120_000;
const TIMEOUT_PER_SECOND_MS = 10_000;

/** An engine on this machine, in a process of its own with the lowest priority. */
export class LocalEngine implements SpeechEngine {
  readonly name: Work['kind'];
  readonly language: string;
  readonly takesOthers = false;
  readonly parallel = availableParallelism();
  readonly #settings: Pick<Work, 'kind' | 'modelDir' | 'language'>;
  readonly #process = new JobProcess<Work, Outcome>(
    new URL('./local-process.ts', import.meta.url),
    this.parallel,
  );

  constructor(kind: Work['kind'], { modelDir, language }: Pick<SpeechSettings, 'modelDir' | 'language'>) {
    this.name = kind;
    this.language = baseLanguage(language);
    this.#settings = { kind, modelDir, language };
  }

  async transcribe({ audio, length }: Recording, onProgress: (share: number) => void): Promise<Recognition> {
    const timeoutMs = BASE_TIMEOUT_MS + length * TIMEOUT_PER_SECOND_MS;
    const outcome = await this.#process.run({ ...this.#settings, audio, length }, timeoutMs, onProgress);
    if ('impossible' in outcome) throw new SpeechError(outcome.impossible);
    return outcome;
  }

  async close(): Promise<void> {
    this.#process.close();
  }
}
