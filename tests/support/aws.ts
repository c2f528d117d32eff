import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { atEnd, type Ending, temporaryFolder } from './hearth.ts';

export const BUCKET = 'hearth-voices';

/** What of s3rver is used here; it declares no types. */
type S3rver = new (options: object) => { run(): Promise<AddressInfo>; close(): Promise<void> };

/** The fields of StartTranscriptionJob that Hearth uses; any other field is rejected. */
const startRequest = z.strictObject({
  TranscriptionJobName: z.string().regex(/^[\w.-]{1,200}$/),
  LanguageCode: z.literal('en-US'),
  MediaFormat: z.literal('mp3'),
  Media: z.strictObject({
    MediaFileUri: z.string().regex(new RegExp(`^s3://${BUCKET}/hearth/[\\w.-]+\\.mp3$`)),
  }),
  OutputBucketName: z.literal(BUCKET),
  OutputKey: z.string().regex(/^hearth\/[\w.-]+\.json$/),
});
const nameRequest = z.strictObject({ TranscriptionJobName: z.string() });

/** A server that speaks S3 (s3rver) on this machine, with one bucket. */
export async function startBucket(test: Ending, name: string) {
  const S3 = createRequire(import.meta.url)('s3rver') as S3rver;
  const directory = temporaryFolder(test);
  const server = new S3({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name, configs: [] }],
  });
  const { port } = await server.run();
  atEnd(test, () => server.close());
  const endpoint = `http://127.0.0.1:${port}`;
  const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
  const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
  atEnd(test, () => s3.destroy());
  return { endpoint, credentials, s3, directory };
}

/**
 * A bucket (s3rver) and a fake Amazon Transcribe on this machine. The fake validates its requests, and returns the
 * same transcript for any recording in the bucket.
 */
export async function startAws(test: Ending) {
  const { endpoint, credentials, s3 } = await startBucket(test, BUCKET);

  const jobs = new Map<string, { request: z.infer<typeof startRequest>; polls: number }>();
  const asked: string[] = [];
  const failures: unknown[] = [];
  /** What the next job ends with. */
  let failure: string | undefined;

  async function answer(operation: string, body: string): Promise<object> {
    asked.push(operation);
    if (operation === 'StartTranscriptionJob') {
      const request = startRequest.parse(JSON.parse(body));
      jobs.set(request.TranscriptionJobName, { request, polls: 0 });
      return { TranscriptionJob: { ...request, TranscriptionJobStatus: 'IN_PROGRESS' } };
    }
    const { TranscriptionJobName } = nameRequest.parse(JSON.parse(body));
    const job = jobs.get(TranscriptionJobName);
    assert.ok(job, 'there is such a job');
    if (operation === 'DeleteTranscriptionJob') {
      jobs.delete(TranscriptionJobName);
      return {};
    }
    assert.equal(operation, 'GetTranscriptionJob');
    const { request } = job;
    job.polls += 1;
    if (job.polls < 2) return { TranscriptionJob: { ...request, TranscriptionJobStatus: 'IN_PROGRESS' } };
    if (failure)
      return {
        TranscriptionJob: { ...request, TranscriptionJobStatus: 'FAILED', FailureReason: failure },
      };
    const Key = request.Media.MediaFileUri.replace(`s3://${BUCKET}/`, '');
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    assert.equal((await Body?.transformToByteArray())?.[0], 0xff, 'what lies there is MP3');
    await s3.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: request.OutputKey, Body: JSON.stringify(OUTPUT) }),
    );
    return { TranscriptionJob: { ...request, TranscriptionJobStatus: 'COMPLETED' } };
  }

  const transcribe = createServer(async (request, response) => {
    try {
      const [service = '', operation = ''] = String(request.headers['x-amz-target']).split('.');
      assert.equal(service, 'Transcribe');
      assert.equal(request.headers['content-type'], 'application/x-amz-json-1.1');
      assert.match(String(request.headers.authorization), /^AWS4-HMAC-SHA256 .*\/us-east-1\/transcribe\//);
      const found = await answer(operation, await text(request));
      response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify(found));
    } catch (error) {
      failures.push(error);
      response.statusCode = 400;
      response.end(JSON.stringify({ __type: 'BadRequestException', Message: String(error) }));
    }
  });
  await new Promise<void>((resolve) => transcribe.listen(0, '127.0.0.1', resolve));
  atEnd(test, () => {
    transcribe.closeAllConnections();
    transcribe.close();
  });

  return {
    /** What the SDK reads in the environment of whoever uses it. */
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ENDPOINT_URL_TRANSCRIBE: `http://127.0.0.1:${(transcribe.address() as AddressInfo).port}`,
    },
    asked,
    failures,
    jobs,
    failWith(reason: string | undefined) {
      failure = reason;
    },
    async keys(): Promise<string[]> {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      return Contents.map(({ Key = '' }) => Key);
    },
    async read(key: string): Promise<{ bytes: Uint8Array; metadata: Record<string, string> } | undefined> {
      try {
        const { Body, Metadata = {} } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
        return { bytes: (await Body?.transformToByteArray()) ?? new Uint8Array(), metadata: Metadata };
      } catch (error) {
        if (error instanceof S3ServiceException) return undefined;
        throw error;
      }
    },
  };
}

/** The sentence of the stand-in. */
export const TRANSCRIBED = 'Water the leeks, please.';

const word = (content: string, start: number) => ({
  type: 'pronunciation',
  start_time: String(start),
  end_time: String(start + 0.3),
  alternatives: [{ confidence: '0.99', content }],
});
const mark = (content: string) => ({ type: 'punctuation', alternatives: [{ confidence: '0.0', content }] });

const OUTPUT = {
  jobName: 'job',
  accountId: '123456789012',
  status: 'COMPLETED',
  results: {
    transcripts: [{ transcript: TRANSCRIBED }],
    items: [
      word('Water', 0.1),
      word('the', 0.5),
      word('leeks', 0.8),
      mark(','),
      word('please', 1.3),
      mark('.'),
    ],
  },
};
