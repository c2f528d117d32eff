import { openBucket } from './bucket.ts';
import { baseLanguage, type SpeechEngine } from './engine.ts';

/** Where a recording lies in the bucket; its name is the id that the answer brings back. */
const keyOf = (id: string) => `voice/${id}.mp3`;

/**
 * For serverless set-ups: a recording is put in a bucket, which triggers a function that transcribes it and sends a
 * POST to `/api/voice/transcripts`. The recording is deleted when that has arrived.
 */
export function createCallbackEngine(bucketName: string, language: string): SpeechEngine {
  const stopped = new AbortController();
  const bucket = openBucket(bucketName, stopped.signal);
  return {
    name: 'callback',
    language: baseLanguage(language),
    takesOthers: true,
    parallel: 8,
    async transcribe({ id, audio, length, language: spoken }) {
      await bucket.put(keyOf(id), audio, { id, length: length.toFixed(2), language: spoken ?? language });
      return 'elsewhere';
    },
    forget: (id) => bucket.remove(keyOf(id)),
    async close() {
      stopped.abort();
      bucket.close();
    },
  };
}
