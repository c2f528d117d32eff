import type { ChatError } from '../errors.ts';
import { isFromMachine, spokenIn } from '../recordings/recording.ts';
import type { Message } from './message.ts';

/** Makes of a message as it is the message as it should be; the same object where there is nothing to change. */
export type Amendment = {
  groupId: number;
  seq: number;
  amend(message: Message): Message | ChatError;
};

/** What came of a batch, in its order, and every message that was written for it, in the order of change. */
export type Committed<Result> = {
  results: ReadonlyArray<Result | ChatError>;
  written: readonly Message[];
};

/** Before a machine has transcribed a voice message, it says nothing. */
export function hasNoTranscript({ content, files }: Message): boolean {
  return content === '' && spokenIn(files) !== undefined;
}

/** Null is the author, 0 the machine. */
export function writerOf({ files }: Message): number | null {
  const voice = spokenIn(files)?.voice;
  return voice && isFromMachine(voice) ? 0 : (voice?.reviewerId ?? null);
}
