import type { Publish } from '../bus/bus.ts';
import type { Recognition, Word } from '../engines/speech/engine.ts';
import type { Attachment, StoredFile } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import { messageTranscribed } from '../messages/events.ts';
import type { Message } from '../messages/message.ts';
import { MAX_CHARACTERS } from '../messages/send.ts';
import type { MessageWriter } from '../messages/writer.ts';
import { isFromMachine, transcriptText, type Voice } from '../recordings/recording.ts';
import { transcriptWritten } from './events.ts';
import type { TranscriptionStore } from './store.ts';

export type WriteDependencies = {
  files: FileStore;
  transcriptions: TranscriptionStore;
  writer: MessageWriter;
  publish: Publish;
  /** Deletes the engine's external copy of a recording that needs no transcription any more. */
  forget(fileId: string): Promise<void>;
};

/** Stores a transcript, or why there is none: with the recording, and in the message that it was sent with. */
export async function writeTranscript(
  dependencies: WriteDependencies,
  fileId: string,
  result: Recognition | 'failed' | 'none',
): Promise<void> {
  const { files, transcriptions, forget } = dependencies;
  const file = await files.byId(fileId);
  if (file?.voice) {
    const voice: Voice =
      typeof result === 'string'
        ? { ...file.voice, transcript: result }
        : { ...file.voice, ...asTranscript(result, file.voice) };
    // Store the transcript first: after a crash in between, the job is not lost.
    await files.describe({ ...file, voice });
    await transcriptions.change(fileId, { state: 'done' });
  }
  await settleTranscript(dependencies, fileId);
  await forget(fileId);
}

/**
 * Copies the transcript of a recording into its message. The job of an unsent recording stays in the queue, so that
 * its message is updated once it is sent. Idempotent.
 */
export async function settleTranscript(
  { files, transcriptions, writer, publish }: WriteDependencies,
  fileId: string,
): Promise<void> {
  const file = await files.byId(fileId);
  if (!file?.voice) return transcriptions.remove(fileId);
  const { accountId, groupId, seq } = file;
  if (seq !== null) {
    let isNews = false;
    await writer.amend({
      groupId,
      seq,
      amend(message) {
        const next = withTranscript(message, file);
        isNews = message.content === '' && next.content !== '' && file.voice?.transcript !== 'unsure';
        return next;
      },
    });
    if (file.voice.transcript !== 'waiting') await transcriptions.remove(fileId);
    if (isNews) publish(messageTranscribed, { groupId, seq });
  }
  publish(transcriptWritten, { fileId, accountId, groupId, seq });
}

/** Keeps a text that a person wrote or reviewed in the meantime, and only adds the recognised words and times. */
function withTranscript(message: Message, { id, voice }: StoredFile): Message {
  const stands = message.files.find((file) => file.id === id)?.voice;
  if (!voice || !stands || message.removedAt !== null || stands.transcript === voice.transcript)
    return message;
  if (isFromMachine(stands)) return message;
  const isWritten = stands.transcript === 'reviewed' || message.content !== '';
  if (isWritten && (stands.words.length > 0 || voice.words.length === 0)) return message;
  const shown: Voice = isWritten ? { ...stands, transcript: 'reviewed', words: voice.words } : voice;
  return {
    ...message,
    content: isWritten ? message.content : [...transcriptText(voice)].slice(0, MAX_CHARACTERS).join(''),
    files: message.files.map((file): Attachment => (file.id === id ? { ...file, voice: shown } : file)),
  };
}

/** A recording with a stated language is at worst `unsure`, never `unrecognised`. */
function asTranscript(
  { words, certainty }: Recognition,
  { language }: Voice,
): Pick<Voice, 'transcript' | 'words'> {
  if (words.length === 0) return { transcript: 'silent', words: [] };
  if (certainty === 'none' && !language) return { transcript: 'unrecognised', words: [] };
  return { transcript: certainty === 'text' ? 'draft' : 'unsure', words: words.map(asKept) };
}

/** To a hundredth of a second. */
function asKept({ text, start }: Word): readonly [string, number] {
  return [text, Math.round(start * 100) / 100];
}
