import type { Sound } from '../audio/decode.ts';
import type { Recognition } from './engine.ts';

/** An engine on this machine, loaded into the process that it has for itself. */
export interface Recogniser {
  recognise(sound: Sound, onProgress: (share: number) => void): Promise<Recognition>;
}

/** A job of that process. */
export type Work = {
  kind: 'vosk' | 'sherpa';
  modelDir: string | undefined;
  language: string;
  audio: Uint8Array;
  length: number;
};
/** The words, or why retrying is useless. */
export type Outcome = Recognition | { impossible: string };
