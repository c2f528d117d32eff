import { missingSentence } from '../extras.ts';
import { AwsFaces } from './aws.ts';
import type { FaceEngine } from './engine.ts';
import { LocalFaces } from './local.ts';

const PACKAGES = {
  local: [
    '@vladmandic/face-api/package.json',
    '@tensorflow/tfjs',
    '@tensorflow/tfjs-backend-wasm/package.json',
  ],
  aws: ['@aws-sdk/client-rekognition'],
};

const EXTRA_OF = { local: 'faces', aws: 'amazon' } as const;

/** The engine that was asked for, or why there is none, in a sentence. Nothing of it is loaded yet. */
export function chooseFaceEngine(kind: 'local' | 'aws' | 'off'): { engine?: FaceEngine; missing?: string } {
  if (kind === 'off') return { missing: 'FACE_ENGINE is off.' };
  const missing = missingSentence(PACKAGES[kind], EXTRA_OF[kind]);
  if (missing) return { missing };
  return { engine: kind === 'aws' ? new AwsFaces() : new LocalFaces() };
}
