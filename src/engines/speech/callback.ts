import { openBucket } from './bucket.ts';
import { baseLanguage, type SpeechEngine } from './engine.ts';

/** Where a recording lies in the bucket; its name is the id that the answer brings back. */
const keyOf = (id: string) => `voice/${id}.mp3`;

/**
 * The serverless shape: a recording is put in a bucket, a function that hears of it there makes the text, and a POST to
 * `/api/voice/transcripts` brings it. The recording is removed when that has come.
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
