import type { Sound } from '../audio/decode.ts';
import type { Recognition } from './engine.ts';

/** An engine on this machine, loaded into the process that it has for itself. */
export interface Recogniser {
  recognise(sound: Sound, onProgress: (share: number) => void): Promise<Recognition>;
}

/** What the process is told, and what it says. */
export type Order = {
  job: number;
  kind: 'vosk' | 'sherpa';
  modelDir: string | undefined;
  language: string;
  audio: Uint8Array;
  length: number;
};
export type Report =
  | { job: number; progress: number }
  | ({ job: number } & Recognition)
  | { job: number; failed: string; isFinal: boolean };
