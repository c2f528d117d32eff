import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { chooseFaceEngine } from './faces/choose.ts';
import type { FaceEngine } from './faces/engine.ts';
import { chooseEngine } from './speech/choose.ts';
import type { SpeechEngine } from './speech/engine.ts';

/** What turns speech into text; undefined where there is none, which the log says. */
export function openSpeechEngine(config: Config, log: Logger): SpeechEngine | undefined {
  const { engine, missing } = chooseEngine({
    engine: config.speechEngine,
    modelDir: config.speechModelDir,
    bucket: config.speechBucket,
    language: config.speechLanguage,
  });
  if (missing) log.warn({ reason: missing }, 'voice messages stay without text');
  return engine;
}

/** What compares faces; undefined where there is none, which the log says. */
export function openFaceEngine({ faceEngine }: Config, log: Logger): FaceEngine | undefined {
  const { engine, missing } = chooseFaceEngine(faceEngine);
  if (missing) log.info({ reason: missing }, 'faces are not checked');
  return engine;
}
