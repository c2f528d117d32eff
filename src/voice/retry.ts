import { ChatError } from '../errors.ts';
import type { StoredFile } from '../files/file.ts';
import { MAX_WAITING } from './record.ts';
import { settleTranscript, type WriteDependencies } from './write.ts';

/**
 * Puts a recording without a text in the queue once more. Anybody who may hear it may ask.
 * @throws ChatError 409 for one that has its text or is about to, 429 where too many of theirs wait, 503 without an engine
 */
export async function transcribeAgain(
  { isHeard, wake, ...dependencies }: WriteDependencies & { isHeard: boolean; wake(): void },
  file: StoredFile,
  now = Date.now(),
): Promise<void> {
  const { files, transcriptions } = dependencies;
  const { voice, accountId } = file;
  if (!voice || !['failed', 'none', 'silent'].includes(voice.transcript))
    throw new ChatError('has_transcript', 409, 'This recording has its text already, or will have it soon.');
  if (!isHeard)
    throw new ChatError(
      'no_speech',
      503,
      'No speech engine is set up here. Tell the person who runs Hearth.',
    );
  if ((await transcriptions.countOf(accountId)) >= MAX_WAITING)
    throw new ChatError(
      'too_many',
      429,
      `${MAX_WAITING} recordings wait for their text. Try again in a minute.`,
    );
  // In this order: after a crash in between it is transcribed, and nobody waits for nothing.
  await transcriptions.add(file.id, accountId, now);
  await files.describe({ ...file, voice: { ...voice, transcript: 'waiting' } });
  await settleTranscript(dependencies, file.id);
  wake();
}
