import { join } from 'node:path';
import type { Config } from '../config.ts';
import { type BlobStore, openBlobStore } from './blob-store.ts';

/** Opens the files that people sent: in a folder, or in a bucket. @throws StartError where the bucket cannot be used */
export async function openBlobs({
  dataDir,
  filesFolder,
  filesBucket,
  filesEndpoint,
}: Pick<Config, 'dataDir' | 'filesFolder' | 'filesBucket' | 'filesEndpoint'>): Promise<
  BlobStore & { close(): void }
> {
  if (filesBucket === undefined)
    return { ...openBlobStore(filesFolder ?? join(dataDir, 'media')), close() {} };
  const { openS3BlobStore } = await import('./s3-blobs.ts');
  return openS3BlobStore(filesBucket, filesEndpoint);
}
