/** A word as it is shown, and when it was said, in seconds from the beginning. */
export type Word = Readonly<{ text: string; start: number; end: number }>;

export type Recording = {
  /** Names it in the engine's own storage; unique. */
  id: string;
  /** MP3. */
  audio: Uint8Array;
  /** In seconds. */
  length: number;
  /** Spoken language, such as `fr`, if it was specified; undefined means the language of the engine. */
  language?: string | undefined;
};

/**
 * How well the words fit the sound: `text` is a good fit, `unsure` may contain wrong words, `none` is most likely
 * speech in a language that the engine does not know.
 */
export type Certainty = 'text' | 'unsure' | 'none';

/** What was said; no words where nobody speaks. */
export type Recognition = Readonly<{ words: readonly Word[]; certainty: Certainty }>;

/** `elsewhere`: the words arrive later, in a callback. */
export type RecognitionResult = Recognition | 'elsewhere';

/** Transcribes recordings. Must not do work on the event loop, and loads its dependencies only when needed. */
export interface SpeechEngine {
  readonly name: string;
  /** Its own language, such as `en`. */
  readonly language: string;
  /** Whether it also transcribes other languages when it is told which. */
  readonly takesOthers: boolean;
  /** Maximum number of recordings that are transcribed at the same time. */
  readonly parallel: number;
  /**
   * @param onProgress called with the share that is done, from 0 to 1
   * @throws SpeechError when retrying is useless; any other error may be temporary
   */
  transcribe(recording: Recording, onProgress: (share: number) => void): Promise<RecognitionResult>;
  /** Deletes the remote copy of a recording whose words have arrived. */
  forget?(id: string): Promise<void>;
  close(): Promise<void>;
}

/** A permanent failure; the message says what the administrator of the server can do. */
export class SpeechError extends Error {
  override readonly name = 'SpeechError';
}

export type SpeechSettings = Readonly<{
  engine: 'auto' | 'vosk' | 'sherpa' | 'aws' | 'callback' | 'off';
  /** A folder with a model for `vosk` or `sherpa`; undefined is the one that comes with the packages. */
  modelDir: string | undefined;
  /** The bucket that `aws` and `callback` put recordings in. */
  bucket: string | undefined;
  /** What is spoken, such as `en-US`, for the engines that have to be told. */
  language: string;
}>;

/** `en` of `en-US`. */
export function baseLanguage(language: string): string {
  return language.split('-')[0]?.toLowerCase() ?? '';
}
