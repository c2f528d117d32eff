import { and, asc, eq, gt, inArray, isNotNull, isNull, lt, lte, not, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { Database, Executor, Orm } from '../database/executor.ts';
import {
  drafts,
  files,
  groups,
  memberships,
  messages,
  playbackReceipts,
  reports,
  revisions,
  savedMessages,
  threadFollows,
  transcriptions,
} from '../database/tables/chat.ts';
import { linkImages } from '../database/tables/links.ts';

/** How long messages and how much of files a group keeps: null is as for all groups, 0 is without limit. */
export type Rule = Readonly<{ keepDays: number | null; keepMegabytes: number | null }>;

/** What was removed, and the accounts whose unread messages were among it. */
export type Purged = Readonly<{ messages: number; fileIds: string[]; unreadOf: number[] }>;

/** What groups keep, and the removal of what they do not. */
export class RetentionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async setRule(groupId: number, { keepDays, keepMegabytes }: Rule): Promise<void> {
    await this.#db.run((orm) =>
      orm.update(groups).set({ keepDays, keepMegabytes }).where(eq(groups.id, groupId)),
    );
  }

  /** @param heldAt null ends the hold. @param groupId undefined is every group */
  async setHeld(heldAt: number | null, groupId?: number): Promise<number[]> {
    const isOther = heldAt === null ? isNotNull(groups.heldAt) : isNull(groups.heldAt);
    const which = groupId === undefined ? isOther : and(isOther, eq(groups.id, groupId));
    const changed = await this.#db.all((orm) =>
      orm.update(groups).set({ heldAt }).where(which).returning({ id: groups.id }),
    );
    return changed.map(({ id }) => id);
  }

  /**
   * Removes the messages of a group up to one, with all that belongs to them, in one transaction. What stays are first
   * messages of threads with newer answers, and messages with a report that waits. Members who had not read that far
   * have no unread message of it left.
   * @returns also the ids of files whose bytes are still in the blob store; undefined for a group on hold
   */
  purge(groupId: number, last: number): Promise<Purged | undefined> {
    return this.#db.transaction(
      async (tx) => {
        const isHeld = and(eq(groups.id, groupId), isNotNull(groups.heldAt));
        if (await tx.get((orm) => orm.select({ id: groups.id }).from(groups).where(isHeld))) return undefined;
        const stays = JSON.stringify(await seqsThatStay(tx, groupId, last));
        const of = (columns: { groupId: SQLiteColumn; seq: SQLiteColumn }) => (orm: Orm) =>
          and(
            eq(columns.groupId, groupId),
            lte(columns.seq, last),
            not(orm.syntax.isAmong(columns.seq, sql`${stays}`)),
          );
        const fileIds = await tx.all((orm) => orm.select({ id: files.id }).from(files).where(of(files)(orm)));
        const ids = fileIds.map(({ id }) => id);
        if (ids.length > 0)
          await tx.run((orm) => orm.delete(transcriptions).where(inArray(transcriptions.fileId, ids)));
        for (const table of [
          files,
          revisions,
          savedMessages,
          threadFollows,
          playbackReceipts,
          reports,
          linkImages,
        ])
          await tx.run((orm) => orm.delete(table).where(of(table)(orm)));
        await tx.run((orm) =>
          orm
            .delete(drafts)
            .where(and(gt(drafts.thread, 0), of({ groupId: drafts.groupId, seq: drafts.thread })(orm))),
        );
        const removed = await tx.run((orm) => orm.delete(messages).where(of(messages)(orm)));
        const unread = await this.#skipUnread(tx, groupId, last);
        await tx.run((orm) => orm.update(groups).set({ purgedSeq: last }).where(eq(groups.id, groupId)));
        return { messages: removed, fileIds: ids, unreadOf: unread };
      },
      [groupId],
    );
  }

  /** The messages with files that were sent first, of one group or of all that are not on hold. */
  oldestWithFiles(
    groupId: number | undefined,
    limit: number,
  ): Promise<{ groupId: number; seq: number; bytes: number; files: number }[]> {
    const isSent = and(isNotNull(files.seq), isNull(groups.heldAt), isNull(groups.deletedAt));
    return this.#db.all((orm) =>
      orm
        .select({
          groupId: files.groupId,
          seq: sql<number>`${files.seq}`,
          bytes: sql<number>`sum(${files.size})`,
          files: sql<number>`count(*)`,
        })
        .from(files)
        .innerJoin(groups, eq(groups.id, files.groupId))
        .where(groupId === undefined ? isSent : and(isSent, eq(files.groupId, groupId)))
        .groupBy(files.groupId, files.seq)
        .orderBy(asc(sql`min(${files.createdAt})`), asc(files.groupId), asc(files.seq))
        .limit(limit),
    );
  }

  /** @returns the accounts whose unread messages these were */
  async #skipUnread(tx: Executor, groupId: number, last: number): Promise<number[]> {
    const removedLater = and(
      eq(messages.groupId, groupId),
      gt(messages.seq, last),
      isNotNull(messages.removedAt),
    ) as SQL;
    const members = await tx.all((orm) =>
      orm
        .update(memberships)
        .set({
          readSeq: last,
          removedUnread: sql`(SELECT count(*) FROM ${messages} WHERE ${removedLater})`,
        })
        .where(and(eq(memberships.groupId, groupId), lt(memberships.readSeq, last)))
        .returning({ accountId: memberships.accountId }),
    );
    return members.map(({ accountId }) => accountId);
  }
}

/** First messages of threads with newer answers, and messages with a report that waits. */
async function seqsThatStay(tx: Executor, groupId: number, last: number): Promise<number[]> {
  const answered = await tx.all((orm) =>
    orm
      .select({ seq: sql<number>`${messages.thread}` })
      .from(messages)
      .where(and(eq(messages.groupId, groupId), gt(messages.seq, last), lte(messages.thread, last)))
      .groupBy(messages.thread),
  );
  const reported = await tx.all((orm) =>
    orm
      .select({ seq: reports.seq })
      .from(reports)
      .where(and(eq(reports.groupId, groupId), lte(reports.seq, last), isNull(reports.resolvedAt))),
  );
  return [...answered, ...reported].map(({ seq }) => seq);
}
