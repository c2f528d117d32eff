import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { AudioConverter } from '../engines/audio/convert.ts';
import type { Converted } from '../engines/audio/convert-worker.ts';
import type { Unusable } from '../engines/audio/decode.ts';
import type { SpeechEngine } from '../engines/speech/engine.ts';
import { decideLanguage, type SpokenLanguage } from '../engines/speech/languages.ts';
import { ChatError, tooMany } from '../errors.ts';
import { type BlobStore, CONTENT } from '../files/blob-store.ts';
import { discardUpload } from '../files/discard.ts';
import type { StoredFile } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import type { Voice } from '../recordings/recording.ts';
import type { TranscriptionStore } from './store.ts';

/** A voice message is at most this long. */
const MAX_SECONDS = 5 * 60;
/** Five minutes of mono 16-bit samples at 48 kHz, which no speech recorder exceeds, and a header. */
const MAX_BYTES = MAX_SECONDS * 48_000 * 2 + 4_096;
/** Maximum number of queued recordings per person. */
export const MAX_QUEUED_PER_PERSON = 10;
/** Maximum number of recordings per person that are converted, or wait for it. */
const MAX_CONVERTING_PER_PERSON = 2;
const RETRY_SECONDS = 5;

type RecordDependencies = {
  converter: AudioConverter;
  files: FileStore;
  blobs: BlobStore;
  transcriptions: TranscriptionStore;
  /** Undefined when no speech engine is configured. */
  engine: Pick<SpeechEngine, 'language' | 'takesOthers'> | undefined;
  /** Tells the queue that it has a new job. */
  wake(): void;
};

export type Said = Parameters<typeof decideLanguage>[0];

export type Recorder = {
  /**
   * Converts an upload to a voice message: MP3, which every browser plays, with its length and waveform. Its
   * transcription is queued before this resolves. The upload itself is deleted in any case.
   * @param said the stated languages; see `decideLanguage`
   * @returns the recording as a file of its own, to be sent with a message
   * @throws ChatError 400 when it is not audio, empty or too long, 429 while other recordings of the account are
   *   being converted, 503 when this server cannot convert audio
   */
  take(upload: StoredFile, said: Said, now?: number): Promise<StoredFile>;
};

/** Recordings are converted one at a time, to limit the memory in use. */
export function createRecorder(dependencies: RecordDependencies): Recorder {
  const { files, blobs, transcriptions, engine, wake } = dependencies;
  const underWay = new Map<number, number>();
  let last: Promise<unknown> = Promise.resolve();

  async function inTurn(upload: StoredFile): Promise<Converted> {
    const own = underWay.get(upload.accountId) ?? 0;
    if (own >= MAX_CONVERTING_PER_PERSON)
      throw tooMany('Your last recordings are still being prepared.', RETRY_SECONDS);
    underWay.set(upload.accountId, own + 1);
    const turn = last.then(() => convert(dependencies, upload));
    last = turn.catch(() => undefined);
    return turn.finally(() => {
      const left = (underWay.get(upload.accountId) ?? 1) - 1;
      if (left > 0) underWay.set(upload.accountId, left);
      else underWay.delete(upload.accountId);
    });
  }

  return {
    async take(upload, said, now = Date.now()) {
      try {
        const { audio, length, peaks } = await inTurn(upload);
        const isCrowded = (await transcriptions.countOf(upload.accountId)) >= MAX_QUEUED_PER_PERSON;
        const language = decideLanguage(said);
        const isWanted = engine !== undefined && takesLanguage(engine, language);
        const transcript: Voice['transcript'] = !isWanted ? 'none' : isCrowded ? 'failed' : 'waiting';
        // Store the engine's own language only if it was stated for this recording: see `asTranscript` in write.ts.
        const isNoted = language !== null && (said.recording !== null || language !== engine?.language);
        const recording: StoredFile = {
          ...upload,
          id: randomUUID(),
          // A new key, since a key must not encrypt two contents.
          key: randomBytes(32),
          name: `voice-${new Date(now).toISOString().slice(0, 19).replace(/[:T]/g, '-')}.mp3`,
          type: 'audio/mpeg',
          size: audio.length,
          voice: { length, peaks, transcript, words: [], ...(isNoted && { language }) },
        };
        await blobs.write(recording.id, CONTENT, recording.key, Readable.from([Buffer.from(audio)]));
        await files.add(recording);
        if (transcript === 'waiting') await transcriptions.add(recording.id, recording.accountId, now);
        wake();
        return recording;
      } finally {
        await discardUpload({ files, blobs }, upload.id);
      }
    },
  };
}

/** Whether the engine can transcribe the stated language; `none` is the wish for no transcript. */
export function takesLanguage(
  { language, takesOthers }: Pick<SpeechEngine, 'language' | 'takesOthers'>,
  spoken: SpokenLanguage,
): boolean {
  return spoken !== 'none' && (spoken === null || takesOthers || spoken === language);
}

async function convert(
  { converter, blobs }: RecordDependencies,
  { id, key, size }: StoredFile,
): Promise<Converted> {
  if (converter.missing)
    throw new ChatError(
      'no_voice',
      503,
      `This Hearth takes no voice messages: the package ${converter.missing} is missing. Send the recording as a file.`,
      'files',
    );
  if (size > MAX_BYTES) throw refused('too_long');
  const converted = await converter.convert(await buffer(blobs.read(id, CONTENT, key, size)), MAX_SECONDS);
  if (typeof converted === 'string') throw refused(converted);
  return converted;
}

const REFUSALS: Readonly<Record<Unusable, string>> = {
  not_audio: 'This is no recording that Hearth can play. Send it as a file instead.',
  too_long: 'A voice message has at most 5 minutes. Send it as a file, or record it in parts.',
  empty: 'There is nothing in this recording. Record it again.',
};

function refused(why: Unusable): ChatError {
  return new ChatError(why, 400, REFUSALS[why], 'files');
}
