import type { Executor } from '../database/executor.ts';
import { type ChatError, tooMany } from '../errors.ts';
import type { NewMessage } from './message.ts';
import type { messageQueries } from './queries.ts';

/**
 * Whether slow mode refuses a new message, in the transaction that writes it, so that two at once do not both pass.
 * @param before the messages of the same batch and group that are written before it
 * @returns a refusal with the seconds until it passes
 */
export async function tooSoon(
  tx: Executor,
  queries: ReturnType<typeof messageQueries>,
  { groupId, authorId, createdAt, slowMs }: NewMessage,
  before: readonly NewMessage[] = [],
): Promise<ChatError | undefined> {
  if (slowMs === undefined) return undefined;
  const inBatch = before.findLast((message) => message.authorId === authorId);
  const last = inBatch ?? (await tx.get(queries.lastBy, { groupId, authorId }));
  const left = last === undefined ? 0 : slowMs - (createdAt - last.createdAt);
  return left > 0 ? tooMany('This group is in slow mode.', left / 1_000, 'slow_mode') : undefined;
}
