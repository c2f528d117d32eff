import type { Account } from '../accounts/store.ts';
import type { SpeechEngine } from '../engines/speech/engine.ts';
import type { SpokenLanguage } from '../engines/speech/languages.ts';
import { ChatError, forbidden } from '../errors.ts';
import type { StoredFile } from '../files/file.ts';
import { MAX_QUEUED_PER_PERSON, takesLanguage } from './record.ts';
import { settleTranscript, type WriteDependencies } from './write.ts';

export type RetryDependencies = WriteDependencies & {
  /** Undefined when no speech engine is configured. */
  engine: Pick<SpeechEngine, 'language' | 'takesOthers'> | undefined;
  /** Tells the queue that it has a new job. */
  wake(): void;
};

/** The states in which a recording has no text that could be overwritten. */
const WITHOUT_TEXT: readonly string[] = ['failed', 'none', 'silent', 'unrecognised'];

/**
 * Queues a recording without a transcript again, in the engine's language or in another one that it supports. Anybody
 * who can play it may ask for this, but only its author may choose a language, or ask where the author wanted no
 * transcript. An unsent recording may have a transcript already.
 * @param asked the language; undefined or null is the engine's own
 * @throws ChatError 403 when only its author may, 409 when it has its transcript or is queued, 429 when too many of
 *   its author's recordings are queued, 503 without an engine
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
  // Queue it first: after a crash in between it is still transcribed, instead of staying `waiting` for ever.
  await transcriptions.add(file.id, accountId, now);
  await files.describe({ ...file, voice: { ...voice, language, transcript: 'waiting', words: [] } });
  await settleTranscript(dependencies, file.id);
  wake();
}
