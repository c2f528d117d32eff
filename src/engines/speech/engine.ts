/** A word as it is shown, and when it was said, in seconds from the beginning. */
export type Word = Readonly<{ text: string; start: number; end: number }>;

export type Recording = {
  /** Names it in the engine's own storage; unique. */
  id: string;
  /** MP3. */
  audio: Uint8Array;
  /** In seconds. */
  length: number;
  /** What is spoken in it, such as `fr`, where somebody said so; undefined is the engine's own language. */
  language?: string | undefined;
};

/**
 * How well the words fit the sound: `text` fits, `unsure` may be other words, `none` is most likely another language
 * than the engine knows.
 */
export type Certainty = 'text' | 'unsure' | 'none';

/** What was said; no words where nobody speaks. */
export type Recognition = Readonly<{ words: readonly Word[]; certainty: Certainty }>;

/** `elsewhere`: the words will come by another way. */
export type RecognitionResult = Recognition | 'elsewhere';

/** Turns speech into words. Nothing of it runs on the event loop, and nothing is loaded before it is needed. */
export interface SpeechEngine {
  readonly name: string;
  /** Its own language, such as `en`. */
  readonly language: string;
  /** Whether it also transcribes other languages when it is told which. */
  readonly takesOthers: boolean;
  /** Maximum number of recordings that are transcribed at the same time. */
  readonly parallel: number;
  /**
   * @param onProgress hears how much of it is done, from 0 to 1
   * @throws SpeechError where trying again is no use; anything else may go better the next time
   */
  transcribe(recording: Recording, onProgress: (share: number) => void): Promise<RecognitionResult>;
  /** Takes back what lies elsewhere of a recording whose words have come. */
  forget?(id: string): Promise<void>;
  close(): Promise<void>;
}

/** It failed for good; the sentence says what whoever runs this Hearth can do. */
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
