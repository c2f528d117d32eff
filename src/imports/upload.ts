import { randomBytes, randomUUID } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import type { Request, Response } from 'express';
import multer, { MulterError } from 'multer';
import { ChatError, invalid } from '../errors.ts';
import { type BlobStore, CONTENT } from '../files/blob-store.ts';
import { readMultipart } from '../http/body.ts';

const MAX_BYTES = 4 * 1024 ** 3;
/** Disk space that is left to everything else. */
const RESERVED_DISK_BYTES = 500 * 1024 ** 2;
const LOOK_EVERY_BYTES = 16 * 1024 ** 2;

/** An archive as it is stored, sealed with its own key. */
export type StoredArchive = Readonly<{ name: string; blobId: string; key: Buffer; size: number }>;

/**
 * Stores the archive of a form while it streams in; the other fields become `request.body`.
 * @throws ChatError 400 where there is none, 413 and 507 where it is too large
 */
export async function receiveArchive(
  blobs: BlobStore,
  request: Request,
  response: Response,
): Promise<StoredArchive> {
  let stored: Promise<StoredArchive> | undefined;
  const storage: multer.StorageEngine = {
    _handleFile(_request, { originalname, stream }, done) {
      if (originalname === '') {
        stream.resume();
        return done(null, {});
      }
      stored = store(blobs, originalname, stream);
      stored.then(
        () => done(null, {}),
        (error) => {
          stream.resume();
          done(error);
        },
      );
    },
    _removeFile: (_request, _file, done) => done(null),
  };
  const read = multer({
    storage,
    defParamCharset: 'utf8',
    limits: { files: 1, fields: 5, fieldSize: 1_000 },
  }).single('archive');
  try {
    await readMultipart(read, request, response, (failure) =>
      failure instanceof MulterError ? invalid('archive', 'Choose one file.') : failure,
    );
  } catch (error) {
    await stored?.then(({ blobId }) => blobs.remove(blobId)).catch(() => {});
    throw error;
  }
  if (!stored) throw invalid('archive', 'Choose the file that the other chat exported.');
  return stored;
}

async function store(blobs: BlobStore, name: string, stream: Readable): Promise<StoredArchive> {
  const blobId = randomUUID();
  const key = randomBytes(32);
  let size = 0;
  let looked = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > MAX_BYTES)
        return done(new ChatError('too_large', 413, 'An archive has at most 4 GB.', 'archive'));
      if (size - looked < LOOK_EVERY_BYTES) return done(null, chunk);
      looked = size;
      blobs.free().then((free) => {
        if (free > RESERVED_DISK_BYTES) return done(null, chunk);
        done(new ChatError('no_room', 507, 'There is no room on the disk for this archive.', 'archive'));
      }, done);
    },
  });
  stream.on('error', (error) => counted.destroy(error));
  try {
    await blobs.write(blobId, CONTENT, key, stream.pipe(counted));
  } catch (error) {
    await blobs.remove(blobId);
    throw error;
  }
  return { name: name.replace(/^.*[/\\]/s, '').slice(0, 200), blobId, key, size };
}
