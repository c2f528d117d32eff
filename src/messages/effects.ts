import type { Executor } from '../database/executor.ts';
import type { Message } from './message.ts';
import type { messageQueries } from './queries.ts';

/** Whether a new message does anything beside its row; few do. */
export function hasEffects({ thread, mentions, mentionsAll, files }: Message): boolean {
  return thread !== null || mentionsAll || mentions.length > 0 || files.length > 0;
}

/** What a new message does beside its row: threads are followed, files claimed, and members called. */
export async function applyEffects(
  tx: Executor,
  queries: ReturnType<typeof messageQueries>,
  { groupId, seq, authorId, thread, mentions, mentionsAll, files }: Message,
): Promise<void> {
  if (thread !== null) {
    await tx.run(queries.followAsAuthor, { groupId, seq, thread, authorId });
    await tx.run(queries.followAsAsked, { groupId, thread });
  }
  if (files.length > 0) {
    const ids = JSON.stringify(files.map((file) => file.id));
    await tx.run(queries.claimFiles, { seq, ids });
  }
  if (mentionsAll || mentions.length > 0) {
    const ids = JSON.stringify(mentions);
    await tx.run(queries.mention, { groupId, seq, authorId, all: mentionsAll ? 1 : 0, ids });
  }
}
