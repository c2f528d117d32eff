import { missingPackage } from '../missing-package.ts';
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

/** The engine that was asked for, or why there is none, in a sentence. Nothing of it is loaded yet. */
export function chooseFaceEngine(kind: 'local' | 'aws' | 'off'): { engine?: FaceEngine; missing?: string } {
  if (kind === 'off') return { missing: 'FACE_ENGINE is off.' };
  const missing = missingPackage(PACKAGES[kind])?.replace('/package.json', '');
  if (missing) return { missing: `The optional package ${missing} is not installed; npm ci installs it.` };
  return { engine: kind === 'aws' ? new AwsFaces() : new LocalFaces() };
}
