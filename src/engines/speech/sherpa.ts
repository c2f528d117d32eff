import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Sound } from '../audio/decode.ts';
import { SpeechError, type Word } from './engine.ts';
import type { Recogniser } from './recogniser.ts';

/** What of sherpa-onnx-node is used here; the package declares no types. */
type Sherpa = {
  OfflineRecognizer: {
    createAsync(config: object): Promise<{
      createStream(): { acceptWaveform(piece: { samples: Float32Array; sampleRate: number }): void };
      decodeAsync(stream: object): Promise<Result>;
    }>;
  };
};
type Result = { text: string; tokens?: string[]; timestamps?: number[] };

type Model = {
  config: object;
  /** What is longer is cut, since the model drops or repeats what comes after, in seconds. */
  window: number;
};

/** In seconds: the end of a window that is searched for the quietest place to cut, and the length of such a place. */
const CUT_SEARCH_SECONDS = 3;
const QUIET_SECONDS = 0.1;

/**
 * sherpa-onnx (k2-fsa, Apache-2.0) with the weights in a folder: Whisper, Moonshine, or a Zipformer or NeMo transducer,
 * told apart by the names of their files, as k2-fsa publishes them.
 * @param language such as `en-US`; Whisper models of many languages are told
 * @throws SpeechError where the folder holds none of these
 */
export async function openSherpa(folder: string, language: string): Promise<Recogniser> {
  const { config, window } = findModel(folder, language);
  // The package's JavaScript has this shape.
  const { OfflineRecognizer } = createRequire(import.meta.url)('sherpa-onnx-node') as Sherpa;
  // `new OfflineRecognizer()` would end the process if a file is broken.
  const recogniser = await OfflineRecognizer.createAsync(config).catch((error: unknown) => {
    throw new SpeechError(`The model in ${folder} could not be read: ${String(error)}`);
  });
  return {
    async recognise(sound, onProgress) {
      const words: Word[] = [];
      for (const { from, to } of windowsOf(sound, window)) {
        const stream = recogniser.createStream();
        stream.acceptWaveform({ samples: sound.samples.slice(from, to), sampleRate: sound.rate });
        words.push(...wordsOf(await recogniser.decodeAsync(stream), from / sound.rate, to / sound.rate));
        onProgress(to / sound.samples.length);
      }
      return { words, certainty: 'text' };
    },
  };
}

/** @throws SpeechError with a sentence that names what is expected */
export function findModel(folder: string, language: string): Model {
  const names = list(folder);
  const find = (pattern: RegExp): string | undefined => {
    const matching = names.filter((name) => pattern.test(name)).sort();
    // Quantised weights are smaller and faster, and hardly worse.
    const name = matching.find((file) => file.includes('int8')) ?? matching[0];
    return name && join(folder, name);
  };
  const tokens = find(/tokens\.txt$/);
  const config = (model: object) => ({
    modelConfig: { ...model, tokens, numThreads: Math.max(1, availableParallelism() - 1), provider: 'cpu' },
  });
  const encoder = find(/encode(r|r_model)?[-.\w]*\.(onnx|ort)$/);
  const joiner = find(/joiner[-.\w]*\.onnx$/);
  const decoder = find(/(?<!un)decoder[-.\w]*\.onnx$/);
  const preprocessor = find(/^preprocess[-.\w]*\.onnx$/);
  const uncachedDecoder = find(/^uncached_decode[-.\w]*\.onnx$/);
  const cachedDecoder = find(/^cached_decode[-.\w]*\.onnx$/);
  const mergedDecoder = find(/^decoder_model_merged\.(onnx|ort)$/);
  if (names.some((name) => /chunk-\d+-left/.test(name)))
    throw new SpeechError(`The model in ${folder} is one for streams; take an offline one.`);
  if (tokens && encoder && joiner && decoder)
    return { config: config({ transducer: { encoder, decoder, joiner } }), window: 25 };
  if (tokens && encoder && preprocessor && uncachedDecoder && cachedDecoder) {
    const moonshine = { preprocessor, encoder, uncachedDecoder, cachedDecoder };
    return { config: config({ moonshine }), window: 8 };
  }
  if (tokens && encoder && mergedDecoder)
    return { config: config({ moonshine: { encoder, mergedDecoder } }), window: 8 };
  if (tokens && encoder && decoder) {
    const isEnglish = /\.en-/.test(decoder);
    const whisper = {
      encoder,
      decoder,
      language: isEnglish ? 'en' : (language.split('-')[0] ?? ''),
      task: 'transcribe',
    };
    return { config: config({ whisper }), window: 25 };
  }
  throw new SpeechError(
    `${folder} holds no model that is known: a Whisper, Moonshine or transducer model of sherpa-onnx, with its tokens.txt.`,
  );
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    throw new SpeechError(`There is no folder ${folder}; SPEECH_MODEL_DIR takes one that holds a model.`);
  }
}

/** Windows of at most so many seconds, cut where it is quietest. */
export function windowsOf({ samples, rate }: Sound, seconds: number): { from: number; to: number }[] {
  const windows: { from: number; to: number }[] = [];
  const longest = Math.floor(seconds * rate);
  let from = 0;
  while (samples.length - from > longest) {
    const to = quietest(
      samples,
      from + longest - CUT_SEARCH_SECONDS * rate,
      from + longest,
      Math.floor(QUIET_SECONDS * rate),
    );
    windows.push({ from, to });
    from = to;
  }
  if (samples.length > from) windows.push({ from, to: samples.length });
  return windows;
}

function quietest(samples: Float32Array, from: number, to: number, length: number): number {
  let best = { energy: Number.POSITIVE_INFINITY, at: to };
  for (let at = from; at + length <= to; at += length) {
    let energy = 0;
    for (let index = at; index < at + length; index++) energy += (samples[index] ?? 0) ** 2;
    if (energy < best.energy) best = { energy, at: at + Math.floor(length / 2) };
  }
  return best.at;
}

/** Words with times: those of their tokens where the model gives them, else spread over the window by their length. */
export function wordsOf({ text, tokens = [], timestamps = [] }: Result, start: number, end: number): Word[] {
  const written = text.trim().split(/\s+/).filter(Boolean);
  const whole = written.join('').length;
  const starts = timestamps.length === tokens.length ? startsOf(tokens, timestamps) : [];
  let characters = 0;
  const words = written.map((word) => {
    const spread = start + ((end - start) * characters) / whole;
    characters += word.length;
    return { text: word, start: spread, end: start + ((end - start) * characters) / whole };
  });
  if (starts.length !== words.length) return words;
  return words.map((word, index) => ({
    text: word.text,
    start: Math.min(end, start + (starts[index] ?? 0)),
    end: Math.min(end, start + (starts[index + 1] ?? end - start)),
  }));
}

/** A token that begins with a space, or its stand-in ▁, begins a word. */
function startsOf(tokens: readonly string[], timestamps: readonly number[]): number[] {
  return timestamps.filter((_time, index) => index === 0 || /^[ ▁]/.test(tokens[index] ?? ''));
}
