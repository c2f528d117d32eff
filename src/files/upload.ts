import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import multer, { MulterError } from 'multer';
import { z } from 'zod';
import { ChatError, invalid } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import { refuseWriting } from '../groups/policies.ts';
import { readMultipart } from '../http/body.ts';
import type { RateLimit } from '../limits.ts';
import type { BlobStore } from './blob-store.ts';
import { discardUpload } from './discard.ts';
import { MAX_FILES, type StoredFile, tooManyFiles } from './file.ts';
import type { Receiver } from './receive.ts';
import type { FileStore } from './store.ts';

/** 8,000 characters of four bytes each; a multipart form does not encode them. */
const MAX_FIELD_BYTES = 64 * 1024;
const MAX_FIELDS = 40;

export const UPLOAD_RATE = {
  name: 'uploads',
  points: 200,
  seconds: 600,
  sentence: 'That is a lot of files.',
};

/** Reads a multipart form: its fields become `request.body`, its files are stored as they come in. */
export type ReadUpload = (request: Request, response: Response, open: OpenGroup) => Promise<StoredFile[]>;

/**
 * @returns a reader that throws ChatError 413, 507 or 429; a form that is not multipart has no files
 */
export function createUploadReader({
  receiver,
  files,
  blobs,
  rate,
}: {
  receiver: Receiver;
  files: FileStore;
  blobs: BlobStore;
  rate: RateLimit;
}): ReadUpload {
  const discard = ({ id }: StoredFile) => discardUpload({ files, blobs }, id);
  return async (request, response, open) => {
    const refusal = refuseWriting(open);
    if (refusal) throw refusal;
    if (!request.is('multipart/form-data')) return [];
    // In the order of the form, however long each of them takes.
    const coming: Promise<StoredFile>[] = [];
    // In the query string: a form field could arrive after the files.
    const keepsMetadata = request.query.anyway === 'yes';
    const uploadId = uploadIdOf(request);
    // The answer to an earlier try was lost: nobody knows what it has stored.
    if (uploadId !== undefined)
      for (const earlier of await files.unsentOf(open.account.id, uploadId)) await discard(earlier);
    const storage: multer.StorageEngine = {
      _handleFile(_request, { originalname: name, mimetype: type, stream }, done) {
        // An empty file field is sent as a file without a name and without bytes.
        if (name === '') {
          stream.resume();
          return done(null, {});
        }
        const receiving = rate
          .consume(String(open.account.id))
          .then(() => receiver.receive(open, randomUUID(), { name, type, stream, keepsMetadata, uploadId }));
        coming.push(receiving);
        receiving.then(
          () => done(null, {}),
          (error) => {
            stream.resume();
            done(error);
          },
        );
      },
      // Nothing to do: `discard` below deletes all files of a refused form, also those that finish after the refusal.
      _removeFile: (_request, _file, done) => done(null),
    };
    const read = multer({
      storage,
      defParamCharset: 'utf8',
      limits: { files: MAX_FILES, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, fieldNameSize: 100 },
    }).array('files', MAX_FILES);
    try {
      await readMultipart(read, request, response, asSentence);
      const stored = await Promise.all(coming);
      if (uploadId !== undefined) refuseReplaced(stored, await files.unsentOf(open.account.id, uploadId));
      return stored;
    } catch (error) {
      for (const result of await Promise.allSettled(coming))
        if (result.status === 'fulfilled') await discard(result.value);
      throw error;
    }
  };
}

/** The id that a client gives an upload, the same for each try. @throws ChatError 400 */
function uploadIdOf({ query: { upload } }: Request): string | undefined {
  if (upload === undefined) return undefined;
  const id = z.guid().safeParse(upload);
  if (!id.success) throw invalid('upload', 'The id of an upload is a UUID.');
  return id.data;
}

/** @param tries all that this upload has stored. @throws ChatError 409 where a later try has come while this one was stored */
function refuseReplaced(stored: readonly StoredFile[], tries: readonly StoredFile[]): void {
  const ids = stored.map(({ id }) => id);
  const begun = Math.max(...stored.map(({ createdAt }) => createdAt));
  if (tries.some(({ id, createdAt }) => !ids.includes(id) && createdAt > begun))
    throw new ChatError('replaced', 409, 'This file came once more in the meantime.');
}

function asSentence(failure: unknown): unknown {
  if (!(failure instanceof MulterError)) return failure;
  if (failure.code === 'LIMIT_UNEXPECTED_FILE' && failure.field !== 'files')
    return invalid('files', 'Send files as the field "files".');
  if (failure.code === 'LIMIT_FILE_COUNT' || failure.code === 'LIMIT_UNEXPECTED_FILE') return tooManyFiles();
  if (failure.code === 'LIMIT_FIELD_VALUE')
    return invalid('content', 'A message has at most 8,000 characters.', 'too_long');
  return invalid('files', 'This form could not be read. Reload the page, then send it again.');
}
