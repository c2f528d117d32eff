import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { LanguageCode, TranscribeClient } from '@aws-sdk/client-transcribe';
import { type Bucket, openBucket, REQUESTS } from './bucket.ts';
import {
  baseLanguage,
  type RecognitionResult,
  type Recording,
  type SpeechEngine,
  SpeechError,
  type Word,
} from './engine.ts';

type Sdk = typeof import('@aws-sdk/client-transcribe');

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
export class AwsEngine implements SpeechEngine {
  readonly name = 'aws';
  readonly language: string;
  readonly takesOthers = true;
  readonly parallel = 8;
  readonly #spoken: string;
  readonly #stopped = new AbortController();
  readonly #bucket: Bucket;
  #opened: Promise<{ client: TranscribeClient; sdk: Sdk }> | undefined;

  constructor(bucketName: string, language: string) {
    this.language = baseLanguage(language);
    this.#spoken = language;
    this.#bucket = openBucket(bucketName, this.#stopped.signal);
  }

  async transcribe({ id, audio, language = this.#spoken }: Recording): Promise<RecognitionResult> {
    // A job name stays taken while its job exists, so each attempt needs a new one.
    const job = `hearth-${id}-${randomUUID().slice(0, 8)}`;
    // The keys are the same for every attempt, so what a crash left is overwritten and then deleted.
    const input = `hearth/${id}.mp3`;
    const output = `hearth/${id}.json`;
    // Before anything needs a clean-up: after `close` no client may be made.
    await this.#open();
    try {
      await this.#bucket.put(input, audio);
      await this.#start(job, input, output, language);
      await this.#finished(job);
      return { words: wordsOf(JSON.parse(await this.#bucket.read(output)) as Output), certainty: 'text' };
    } finally {
      const left = [this.#bucket.remove(input), this.#bucket.remove(output), this.#delete(job)];
      // A failed clean-up must not fail the transcription.
      await Promise.allSettled(left);
    }
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.#bucket.close();
    await this.#opened?.then(({ client }) => client.destroy()).catch(() => {});
  }

  #open(): Promise<{ client: TranscribeClient; sdk: Sdk }> {
    this.#opened ??= import('@aws-sdk/client-transcribe').then((sdk) => ({
      sdk,
      client: new sdk.TranscribeClient({ requestHandler: REQUESTS }),
    }));
    return this.#opened;
  }

  async #start(job: string, input: string, output: string, language: string): Promise<void> {
    const { sdk, client } = await this.#open();
    const command = new sdk.StartTranscriptionJobCommand({
      TranscriptionJobName: job,
      LanguageCode: codeOf(language, Object.values(sdk.LanguageCode)),
      MediaFormat: 'mp3',
      Media: { MediaFileUri: `s3://${this.#bucket.name}/${input}` },
      OutputBucketName: this.#bucket.name,
      OutputKey: output,
    });
    await client.send(command, { abortSignal: this.#stopped.signal });
  }

  async #finished(job: string): Promise<void> {
    const { sdk, client } = await this.#open();
    const command = new sdk.GetTranscriptionJobCommand({ TranscriptionJobName: job });
    for (const until = Date.now() + LONGEST_MS; Date.now() < until; ) {
      await pause(POLL_MS, undefined, { signal: this.#stopped.signal });
      const { TranscriptionJob: state } = await client.send(command, { abortSignal: this.#stopped.signal });
      if (state?.TranscriptionJobStatus === 'COMPLETED') return;
      if (state?.TranscriptionJobStatus === 'FAILED')
        throw new SpeechError(`Amazon Transcribe: ${state.FailureReason ?? 'the job failed'}`);
    }
    throw new Error('Amazon Transcribe took too long.');
  }

  async #delete(job: string): Promise<void> {
    const { sdk, client } = await this.#open();
    const command = new sdk.DeleteTranscriptionJobCommand({ TranscriptionJobName: job });
    await client.send(command, { abortSignal: this.#stopped.signal });
  }
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
