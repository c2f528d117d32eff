import type { Executor } from '../database/executor.ts';
import type { ChatError } from '../errors.ts';
import type { Group } from '../groups/group.ts';
import { isFromMachine, spokenIn } from '../recordings/recording.ts';
import type { Message } from './message.ts';
import type { messageQueries } from './queries.ts';

/** A change of a message. `amend` returns the new version, the same object to change nothing, or a refusal. */
export type Amendment = {
  groupId: number;
  seq: number;
  amend(message: Message): Message | ChatError;
  /** Asked within the transaction about the group and the message as they are then. */
  refuseIn?(group: GroupNow, message: Message): ChatError | undefined;
};

/** `pins`: how many messages are pinned. */
export type GroupNow = Pick<Group, 'heldAt'> & { pins: number };

/** A message before and after a change that is not written yet. `index`: of its amendment in the batch. */
export type Changed = { before: Message; after: Message; index: number };

/** The results of a batch, in its order, and all messages that were written, in order of change. */
export type Committed<Result> = {
  results: ReadonlyArray<Result | ChatError>;
  written: readonly Message[];
};

/** @param changed in this transaction */
export async function groupNow(
  tx: Executor,
  queries: ReturnType<typeof messageQueries>,
  groupId: number,
  changed: readonly Changed[],
): Promise<GroupNow> {
  const { heldAt } = (await tx.get(queries.hold, { groupId })) ?? { heldAt: null };
  const { pins } = (await tx.get(queries.countPinned, { groupId })) ?? { pins: 0 };
  const isPin = ({ pinnedAt }: Message) => Number(pinnedAt !== null);
  const added = changed
    .filter(({ before }) => before.groupId === groupId)
    .map(({ before, after }) => isPin(after) - isPin(before));
  return { heldAt, pins: added.reduce((sum, pin) => sum + pin, pins) };
}

/** Whether it is a voice message without text, as before its transcription. */
export function hasNoTranscript({ content, files }: Message): boolean {
  return content === '' && spokenIn(files) !== undefined;
}

/** Who wrote the current text: null for the author, 0 for the speech engine, else the account that reviewed it. */
export function writerOf({ files }: Message): number | null {
  const voice = spokenIn(files)?.voice;
  return voice && isFromMachine(voice) ? 0 : (voice?.reviewerId ?? null);
}
