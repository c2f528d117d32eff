import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LanguageCode, TranscribeClient } from '@aws-sdk/client-transcribe';
import { openBucket, REQUESTS } from './bucket.ts';
import { baseLanguage, type SpeechEngine, SpeechError, type Word } from './engine.ts';

const POLL_MS = 2_000;
/** A job that takes longer than this is given up, and tried again. */
const LONGEST_MS = 30 * 60_000;

/** A transcript as Transcribe writes it into the bucket (docs.aws.amazon.com, "How Amazon Transcribe works: output"). */
type Output = {
  results?: {
    items?: {
      type: 'pronunciation' | 'punctuation';
      start_time?: string;
      end_time?: string;
      alternatives?: { content: string }[];
    }[];
  };
};

/**
 * Amazon Transcribe, one batch job a recording. What was put in the bucket, what came out and the job are removed
 * afterwards, whether it worked or not.
 */
export function createAwsEngine(bucketName: string, language: string): SpeechEngine {
  const stopped = new AbortController();
  const options = { abortSignal: stopped.signal };
  const bucket = openBucket(bucketName, stopped.signal);
  let opened:
    | Promise<{ client: TranscribeClient; sdk: typeof import('@aws-sdk/client-transcribe') }>
    | undefined;
  const open = () => {
    opened ??= import('@aws-sdk/client-transcribe').then((sdk) => ({
      sdk,
      client: new sdk.TranscribeClient({ requestHandler: REQUESTS }),
    }));
    return opened;
  };

  async function finished(job: string): Promise<void> {
    const { sdk, client } = await open();
    for (const until = Date.now() + LONGEST_MS; Date.now() < until; ) {
      await pause(POLL_MS, undefined, { signal: stopped.signal });
      const { TranscriptionJob: found } = await client.send(
        new sdk.GetTranscriptionJobCommand({ TranscriptionJobName: job }),
        options,
      );
      if (found?.TranscriptionJobStatus === 'COMPLETED') return;
      if (found?.TranscriptionJobStatus === 'FAILED')
        throw new SpeechError(`Amazon Transcribe: ${found.FailureReason ?? 'the job failed'}`);
    }
    throw new Error('Amazon Transcribe took too long.');
  }

  return {
    name: 'aws',
    language: baseLanguage(language),
    takesOthers: true,
    parallel: 8,
    async transcribe({ id, audio, language: spoken }) {
      const { sdk, client } = await open();
      // Each try is a job of its own: names are taken for as long as their job is there.
      const job = `hearth-${id}-${randomUUID().slice(0, 8)}`;
      // These are the same each time: what a crash has left is written over, and then removed.
      const input = `hearth/${id}.mp3`;
      const output = `hearth/${id}.json`;
      try {
        await bucket.put(input, audio);
        await client.send(
          new sdk.StartTranscriptionJobCommand({
            TranscriptionJobName: job,
            LanguageCode: codeOf(spoken ?? language, Object.values(sdk.LanguageCode)),
            MediaFormat: 'mp3',
            Media: { MediaFileUri: `s3://${bucket.name}/${input}` },
            OutputBucketName: bucket.name,
            OutputKey: output,
          }),
          options,
        );
        await finished(job);
        return { words: wordsOf(JSON.parse(await bucket.read(output)) as Output), certainty: 'text' };
      } finally {
        const left = [
          bucket.remove(input),
          bucket.remove(output),
          client.send(new sdk.DeleteTranscriptionJobCommand({ TranscriptionJobName: job }), options),
        ];
        // What cannot be removed is not what the recording fails by.
        await Promise.allSettled(left);
      }
    },
    async close() {
      stopped.abort();
      bucket.close();
      await opened?.then(({ client }) => client.destroy()).catch(() => {});
    },
  };
}

/** The code that Transcribe has for a language without a region: `fr-FR` for `fr`. */
function codeOf(language: string, codes: readonly LanguageCode[]): LanguageCode {
  const { region } = new Intl.Locale(language).maximize();
  const wanted = [language, `${language}-${region}`].map((code) => code.toLowerCase());
  return (
    codes.find((code) => wanted.includes(code.toLowerCase())) ??
    codes.find((code) => code.startsWith(`${language}-`)) ??
    // Transcribe says in its refusal what it does not know.
    (language as LanguageCode)
  );
}

function wordsOf({ results }: Output): Word[] {
  const words: Word[] = [];
  for (const { type, start_time, end_time, alternatives } of results?.items ?? []) {
    const text = alternatives?.[0]?.content ?? '';
    const before = words.at(-1);
    if (type === 'pronunciation') words.push({ text, start: Number(start_time), end: Number(end_time) });
    else if (before) words[words.length - 1] = { ...before, text: before.text + text };
  }
  return words;
}
