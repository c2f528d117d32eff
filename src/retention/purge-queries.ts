import { and, eq, gt, isNull, lte, type SQL, sql } from 'drizzle-orm';
import type { Executor } from '../database/executor.ts';
import { messages, reports } from '../database/tables/chat.ts';

/** How many replies a message still has. */
export function keptReplies(groupId: number): SQL {
  return sql`(SELECT count(*) FROM ${messages} AS reply WHERE reply.group_id = ${groupId}
    AND reply.thread = ${messages}.seq AND reply.removed_at IS NULL)`;
}

/** First messages of threads with newer answers, and messages with a report that waits, with that of their thread. */
export async function seqsThatStay(tx: Executor, groupId: number, last: number): Promise<number[]> {
  const answered = await tx.all((orm) =>
    orm
      .select({ seq: sql<number>`${messages.thread}` })
      .from(messages)
      .where(and(eq(messages.groupId, groupId), gt(messages.seq, last), lte(messages.thread, last)))
      .groupBy(messages.thread),
  );
  const reported = await tx.all((orm) =>
    orm
      .select({ seq: reports.seq, thread: messages.thread })
      .from(reports)
      .innerJoin(messages, and(eq(messages.groupId, reports.groupId), eq(messages.seq, reports.seq)))
      .where(and(eq(reports.groupId, groupId), lte(reports.seq, last), isNull(reports.resolvedAt))),
  );
  return [...answered.map(({ seq }) => seq), ...reported.flatMap(({ seq, thread }) => [seq, thread ?? seq])];
}
