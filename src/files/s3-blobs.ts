import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { CHUNK_BYTES, openRange, SEALED_CHUNK_BYTES, sealStream } from '../crypto/sealed-stream.ts';
import { StartError } from '../errors.ts';
import { type BlobStore, CONTENT, type Part, THUMBNAIL } from './blob-store.ts';

/** In milliseconds. */
const TIMEOUTS = { connectionTimeout: 10_000, requestTimeout: 60_000, socketTimeout: 60_000 };

type S3 = typeof import('@aws-sdk/client-s3');
type Opened = { s3: S3; client: S3Client; Upload: typeof import('@aws-sdk/lib-storage').Upload };

/**
 * Files in a bucket of Amazon S3, or of storage that speaks S3, sealed before they leave this process.
 * @param endpoint of storage elsewhere; the SDK finds region and credentials where it always does
 * @throws StartError where the bucket cannot be used
 */
export async function openS3BlobStore(
  bucket: string,
  endpoint: string | undefined,
): Promise<BlobStore & { close(): void }> {
  const { s3, client, Upload } = await open(endpoint);
  try {
    await client.send(new s3.HeadBucketCommand({ Bucket: bucket }));
  } catch (error) {
    client.destroy();
    const why = error instanceof Error ? `${error.name} ${error.message}`.trim() : String(error);
    throw new StartError(
      `The bucket ${bucket} cannot be used: ${why}. Check FILES_BUCKET, FILES_ENDPOINT and the keys of AWS.`,
    );
  }
  const keyOf = (id: string, { suffix }: Part) => `${id.slice(-2)}/${id}${suffix}`;
  const remove = async (key: string) => {
    await client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key: key }));
  };

  async function* sealedRange(
    name: string,
    part: Part,
    key: Uint8Array,
    size: number,
    start: number,
    end: number,
  ) {
    if (size === 0) return;
    const { first, last } = sealedBytes(start, end);
    const range = `bytes=${first}-${last}`;
    const { Body } = await client.send(new s3.GetObjectCommand({ Bucket: bucket, Key: name, Range: range }));
    if (!(Body instanceof Readable)) throw new Error(`${name} has no content in the bucket.`);
    try {
      const take = takeFrom(Body);
      // Chunks are asked for in their order, which is that of the bytes that come.
      yield* openRange(
        { key, part: part.part, size, readAt: (_position, length) => take(length) },
        start,
        end,
      );
    } finally {
      Body.destroy();
    }
  }

  return {
    async write(id, part, key, source) {
      const sealed = sealStream(key, part.part);
      const object = { Bucket: bucket, Key: keyOf(id, part), Body: sealed };
      const piped = pipeline(source, sealed);
      piped.catch(() => {});
      try {
        // What fails half-way is taken back, with the parts that were sent.
        await new Upload({ client, params: object, queueSize: 2 }).done();
        await piped;
      } catch (error) {
        source.destroy();
        sealed.destroy();
        throw error;
      }
    },
    read: (id, part, key, size, start = 0, end = size - 1) =>
      Readable.from(sealedRange(keyOf(id, part), part, key, size, start, end), {
        ...{ objectMode: false, highWaterMark: 1 },
      }),
    async remove(id) {
      for (const part of [CONTENT, THUMBNAIL]) await remove(keyOf(id, part));
    },
    free: async () => Number.POSITIVE_INFINITY,
    async *olderThan(time) {
      for await (const { Contents = [] } of s3.paginateListObjectsV2({ client }, { Bucket: bucket }))
        for (const { Key = '', LastModified } of Contents) {
          const [, id] = /^[0-9a-f]{2}\/([0-9a-f-]{36})(?:\.thumb)?$/.exec(Key) ?? [];
          if (id && LastModified && LastModified.getTime() < time)
            yield { id, isUnfinished: false, remove: () => remove(Key) };
        }
    },
    close: () => client.destroy(),
  };
}

async function open(endpoint: string | undefined): Promise<Opened> {
  try {
    const [s3, { Upload }] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('@aws-sdk/lib-storage'),
    ]);
    // Other storage may have no regions, one name for all buckets, and no checksums of its own.
    const elsewhere = endpoint && {
      ...{ endpoint, forcePathStyle: true, region: 'us-east-1' },
      ...({
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
      } as const),
    };
    return { s3, Upload, client: new s3.S3Client({ requestHandler: TIMEOUTS, ...elsewhere }) };
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StartError(
      'FILES_BUCKET needs the client of S3, which is not installed: npm run add -- amazon',
    );
  }
}

/** The bytes of the sealed chunks that have a range of plain bytes; the bucket ends at the last of the object. */
function sealedBytes(start: number, end: number): { first: number; last: number } {
  const chunk = (position: number) => Math.floor(position / CHUNK_BYTES);
  return { first: chunk(start) * SEALED_CHUNK_BYTES, last: (chunk(end) + 1) * SEALED_CHUNK_BYTES - 1 };
}

/** Takes so many bytes at a time of a stream; fewer at its end. */
function takeFrom(stream: Readable): (length: number) => Promise<Buffer> {
  const chunks = stream[Symbol.asyncIterator]();
  let left = Buffer.alloc(0);
  return async (length) => {
    const taken = [left];
    let bytes = left.length;
    while (bytes < length) {
      const { value, done } = await chunks.next();
      if (done) break;
      taken.push(value);
      bytes += value.length;
    }
    const all = Buffer.concat(taken);
    left = all.subarray(length);
    return all.subarray(0, length);
  };
}
