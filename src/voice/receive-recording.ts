import type { Request, Response } from 'express';
import { z } from 'zod';
import { spokenLanguage } from '../engines/speech/languages.ts';
import { invalid } from '../errors.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { discardUpload } from '../files/discard.ts';
import type { StoredFile } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import type { ReadUpload } from '../files/upload.ts';
import type { OpenGroup } from '../groups/access.ts';
import { parseInput } from '../operations/define.ts';
import { optional, wholeNumber } from '../operations/fields.ts';
import type { Recorder } from './record.ts';

/** Form fields of a recording: whether to send it or transcribe it first, its language, and where it is sent. */
const recordingForm = z.object({
  way: z.enum(['message', 'text']).default('text'),
  language: spokenLanguage.default(null),
  replyTo: optional(wholeNumber()),
  thread: optional(wholeNumber()),
});

/**
 * Reads a multipart form with a recording, which becomes a voice message to be sent.
 * @throws ChatError 400 where there is none, and as `Recorder.take`
 */
export type ReceiveRecording = (
  request: Request,
  response: Response,
  open: OpenGroup,
) => Promise<{ file: StoredFile; form: z.output<typeof recordingForm> }>;

export function createReceiveRecording({
  files,
  blobs,
  readUpload,
  recorder,
}: {
  files: FileStore;
  blobs: BlobStore;
  readUpload: ReadUpload;
  recorder: Recorder;
}): ReceiveRecording {
  return async (request, response, open) => {
    const [upload, ...others] = await readUpload(request, response, open);
    for (const other of others) await discardUpload({ files, blobs }, other.id);
    if (!upload) throw invalid('files', 'Choose a recording first.');
    const form = await formOf(request.body).catch(async (error) => {
      await discardUpload({ files, blobs }, upload.id);
      throw error;
    });
    const { group, account } = open;
    const file = await recorder.take(upload, {
      recording: form.language,
      group: group.spokenLanguage,
      person: account.spokenLanguage,
    });
    return { file, form };
  };
}

/** @throws ChatError 400 */
async function formOf(body: unknown): Promise<z.output<typeof recordingForm>> {
  return parseInput(recordingForm, body);
}
