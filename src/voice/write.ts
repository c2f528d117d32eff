import type { Word } from '../engines/speech/engine.ts';
import type { Publish } from '../events.ts';
import { type Attachment, heardText, type StoredFile, type Voice } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import { messageWrittenDown } from '../messages/events.ts';
import type { Message } from '../messages/message.ts';
import { MAX_CHARACTERS } from '../messages/send.ts';
import type { MessageWriter } from '../messages/writer.ts';
import { transcriptWritten } from './events.ts';
import type { TranscriptionStore } from './store.ts';

export type WriteDependencies = {
  files: FileStore;
  transcriptions: TranscriptionStore;
  writer: MessageWriter;
  publish: Publish;
};

/** Writes down what was heard, or that nothing could be: with the recording, and in the message it was sent with. */
export async function writeTranscript(
  dependencies: WriteDependencies,
  fileId: string,
  heard: readonly Word[] | 'failed',
): Promise<void> {
  const { files, transcriptions } = dependencies;
  const file = await files.byId(fileId);
  if (!file?.voice) return transcriptions.remove(fileId);
  const voice: Voice =
    heard === 'failed'
      ? { ...file.voice, transcript: 'failed' }
      : { ...file.voice, transcript: heard.length > 0 ? 'draft' : 'silent', words: heard.map(asKept) };
  await files.describe({ ...file, voice });
  await transcriptions.change(fileId, { state: 'done' });
  await settleTranscript(dependencies, fileId);
}

/**
 * Brings a message to what is known of its recording. One that is not sent yet keeps its place in the queue, so that
 * its message is brought there when it is; done twice, it is done once.
 */
export async function settleTranscript(
  { files, transcriptions, writer, publish }: WriteDependencies,
  fileId: string,
): Promise<void> {
  const file = await files.byId(fileId);
  if (!file?.voice) return transcriptions.remove(fileId);
  const { accountId, groupId, seq } = file;
  if (seq !== null) {
    await writer.amend({ groupId, seq, amend: (message) => withTranscript(message, file) });
    if (file.voice.transcript !== 'waiting') await transcriptions.remove(fileId);
    if (file.voice.transcript === 'draft') publish(messageWrittenDown, { groupId, seq });
  }
  publish(transcriptWritten, { fileId, accountId, groupId, seq });
}

/** What its author has written in the meantime stays. */
function withTranscript(message: Message, { id, voice }: StoredFile): Message {
  const stands = message.files.find((file) => file.id === id)?.voice;
  if (!voice || !stands || message.removedAt !== null) return message;
  // Either its text has come, or it is to come once more; what was sent with its text stays as it is.
  if ((stands.transcript === 'waiting') === (voice.transcript === 'waiting')) return message;
  const isWritten = message.content !== '';
  const shown: Voice =
    isWritten && voice.transcript === 'draft' ? { ...voice, transcript: 'reviewed' } : voice;
  return {
    ...message,
    content: isWritten ? message.content : [...heardText(voice)].slice(0, MAX_CHARACTERS).join(''),
    files: message.files.map((file): Attachment => (file.id === id ? { ...file, voice: shown } : file)),
  };
}

/** To a hundredth of a second. */
function asKept({ text, start }: Word): readonly [string, number] {
  return [text, Math.round(start * 100) / 100];
}
