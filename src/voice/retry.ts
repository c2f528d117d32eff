import type { Account } from '../accounts/store.ts';
import type { SpeechEngine } from '../engines/speech/engine.ts';
import type { SpokenLanguage } from '../engines/speech/languages.ts';
import { ChatError, forbidden } from '../errors.ts';
import type { StoredFile } from '../files/file.ts';
import { MAX_QUEUED_PER_PERSON, takesLanguage } from './record.ts';
import { settleTranscript, type WriteDependencies } from './write.ts';

export type RetryDependencies = WriteDependencies & {
  /** What makes text, if anything does. */
  engine: Pick<SpeechEngine, 'language' | 'takesOthers'> | undefined;
  /** Says that there is something in the queue. */
  wake(): void;
};

/** The states in which a recording has no text that could be overwritten. */
const WITHOUT_TEXT: readonly string[] = ['failed', 'none', 'silent', 'unrecognised'];

/**
 * Puts a recording without a text in the queue once more, as one in the engine's language or in another that it takes.
 * Anybody who may hear it may ask, but only its author where the author wants no text, and for another language. One
 * that is not sent yet may have a text already.
 * @param asked undefined is the engine's own language
 * @throws ChatError 403 for anybody but its author where that is so, 409 for one that has its text or is about to, 429 where too many of theirs wait, 503 without an engine
 */
export async function transcribeAgain(
  { engine, wake, ...dependencies }: RetryDependencies,
  file: StoredFile,
  account: Account,
  asked?: SpokenLanguage,
  now = Date.now(),
): Promise<void> {
  const { files, transcriptions } = dependencies;
  const { voice, accountId } = file;
  const isOwn = accountId === account.id;
  const isUnsent = isOwn && file.seq === null && voice?.transcript !== 'waiting';
  if (!voice || !(isUnsent || WITHOUT_TEXT.includes(voice.transcript)))
    throw new ChatError('has_transcript', 409, 'This recording has its text already, or will have it soon.');
  if (!isOwn && (voice.language === 'none' || asked))
    throw forbidden('Only the person who speaks can choose that.');
  if (!engine)
    throw new ChatError(
      'no_speech',
      503,
      'No speech engine is set up here. Tell the person who runs Hearth.',
    );
  if ((await transcriptions.countOf(accountId)) >= MAX_QUEUED_PER_PERSON)
    throw new ChatError(
      'too_many',
      429,
      `${MAX_QUEUED_PER_PERSON} recordings wait for their text. Try again in a minute.`,
    );
  const language = asked ?? engine.language;
  if (!takesLanguage(engine, language)) {
    await files.describe({ ...file, voice: { ...voice, language, transcript: 'none', words: [] } });
    return settleTranscript(dependencies, file.id);
  }
  // In this order: after a crash in between it is transcribed, and nobody waits for nothing.
  await transcriptions.add(file.id, accountId, now);
  await files.describe({ ...file, voice: { ...voice, language, transcript: 'waiting', words: [] } });
  await settleTranscript(dependencies, file.id);
  wake();
}
