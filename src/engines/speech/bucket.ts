import type { S3Client } from '@aws-sdk/client-s3';

/** Where recordings are put for an engine elsewhere. The SDK finds region, credentials and endpoint where it always does. */
export type Bucket = {
  readonly name: string;
  put(key: string, audio: Uint8Array, metadata?: Record<string, string>): Promise<void>;
  read(key: string): Promise<string>;
  remove(key: string): Promise<void>;
  close(): void;
};

/** Timeouts of AWS requests, in milliseconds. */
export const REQUESTS = { connectionTimeout: 10_000, requestTimeout: 60_000 };

/** @param stopped ends what is under way when Hearth stops */
export function openBucket(name: string, stopped: AbortSignal): Bucket {
  const options = { abortSignal: stopped };
  let opened: Promise<{ client: S3Client; s3: typeof import('@aws-sdk/client-s3') }> | undefined;
  const open = () => {
    opened ??= import('@aws-sdk/client-s3').then((s3) => ({
      s3,
      client: new s3.S3Client({ requestHandler: REQUESTS }),
    }));
    return opened;
  };
  return {
    name,
    async put(key, audio, metadata = {}) {
      const { s3, client } = await open();
      const object = { Bucket: name, Key: key, Body: audio, ContentType: 'audio/mpeg', Metadata: metadata };
      await client.send(new s3.PutObjectCommand(object), options);
    },
    async read(key) {
      const { s3, client } = await open();
      const { Body } = await client.send(new s3.GetObjectCommand({ Bucket: name, Key: key }), options);
      return (await Body?.transformToString()) ?? '';
    },
    async remove(key) {
      const { s3, client } = await open();
      await client.send(new s3.DeleteObjectCommand({ Bucket: name, Key: key }), options);
    },
    close() {
      opened?.then(({ client }) => client.destroy()).catch(() => {});
    },
  };
}
