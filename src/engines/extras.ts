import { missingPackage } from './missing-package.ts';

type Extra = Readonly<{ packages: readonly string[]; megabytes: number; meaning: string }>;

/** What `npm ci` leaves out for its size, by the name with which `npm run add` installs it. */
export const EXTRAS = {
  faces: {
    packages: [
      '@tensorflow/tfjs',
      '@tensorflow/tfjs-backend-wasm',
      '@tensorflow/tfjs-core',
      '@vladmandic/face-api',
    ],
    megabytes: 58,
    meaning: 'faces are compared on this machine',
  },
  amazon: {
    packages: [
      '@aws-sdk/client-rekognition',
      '@aws-sdk/client-s3',
      '@aws-sdk/client-transcribe',
      '@aws-sdk/lib-storage',
    ],
    megabytes: 27,
    meaning: 'files in an S3 bucket (FILES_BUCKET), SPEECH_ENGINE=aws or callback, FACE_ENGINE=aws',
  },
  sherpa: {
    packages: ['sherpa-onnx-node'],
    megabytes: 33,
    meaning: 'voice messages in any language, with a model of your own (SPEECH_MODEL_DIR)',
  },
} as const satisfies Record<string, Extra>;

export type ExtraName = keyof typeof EXTRAS;

/**
 * @param packages what is needed: names, or paths of files in them
 * @param extra the one that has them; without it they are those of `npm ci`
 * @returns a sentence that says which package is missing and how it is installed; undefined where all are there
 */
export function missingSentence(packages: readonly string[], extra?: ExtraName): string | undefined {
  const missing = missingPackage(packages)?.replace('/package.json', '');
  const command = extra ? `npm run add -- ${extra}` : 'npm ci';
  return missing && `The optional package ${missing} is not installed; ${command} installs it.`;
}
