import type { ChatError } from '../errors.ts';
import type { Group } from '../groups/group.ts';
import { isFromMachine, spokenIn } from '../recordings/recording.ts';
import type { Message } from './message.ts';

/** A change of a message. `amend` returns the new version, the same object to change nothing, or a refusal. */
export type Amendment = {
  groupId: number;
  seq: number;
  amend(message: Message): Message | ChatError;
  /** Asked about the group within the transaction, so that what was decided before it holds. */
  refuseIn?(group: Pick<Group, 'heldAt'>): ChatError | undefined;
};

/** The results of a batch, in its order, and all messages that were written, in order of change. */
export type Committed<Result> = {
  results: ReadonlyArray<Result | ChatError>;
  written: readonly Message[];
};

/** Whether it is a voice message without text, as before its transcription. */
export function hasNoTranscript({ content, files }: Message): boolean {
  return content === '' && spokenIn(files) !== undefined;
}

/** Who wrote the current text: null for the author, 0 for the speech engine, else the account that reviewed it. */
export function writerOf({ files }: Message): number | null {
  const voice = spokenIn(files)?.voice;
  return voice && isFromMachine(voice) ? 0 : (voice?.reviewerId ?? null);
}
