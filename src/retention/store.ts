import {
  and,
  asc,
  eq,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  lt,
  lte,
  ne,
  not,
  or,
  type SQL,
  sql,
  sum,
} from 'drizzle-orm';
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
import type { Group } from '../groups/group.ts';
import { keptReplies, seqsThatStay } from './purge-queries.ts';

/** How long messages and how much of files a group keeps: null is as for all groups, 0 is without limit. */
export type Rule = Readonly<{ keepDays: number | null; keepMegabytes: number | null }>;

/** What was removed, and the accounts whose unread messages were among it. */
export type Purged = Readonly<{
  messages: number;
  /** The first of them, or of those with fewer replies now: also one that stayed before. */
  firstSeq: number;
  fileIds: string[];
  unreadOf: number[];
  /** Who followed a thread that is gone. */
  followers: number[];
}>;

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

  /** Puts a group on hold. @param overall since when everything is, for one that is on hold because of that; 0 for not */
  async hold(groupId: number, heldAt: number, overall: number): Promise<void> {
    const isNotYet = or(isNull(groups.heldAt), eq(groups.heldAt, overall));
    await this.#set(heldAt, and(eq(groups.id, groupId), isNull(groups.deletedAt), isNotYet), [groupId]);
  }

  /** Ends the hold of a group; where everything is on hold, that stays. */
  async endHold(groupId: number, overall: number): Promise<void> {
    await this.#set(overall || null, eq(groups.id, groupId), [groupId]);
  }

  /** Puts every group on hold that is not. @returns their ids */
  holdAll(overall: number): Promise<number[]> {
    return this.#set(overall, isNull(groups.heldAt));
  }

  /** Ends what `holdAll` began; groups that were put on hold by themselves stay so. @returns the ids of the others */
  endHoldOfAll(overall: number): Promise<number[]> {
    return this.#set(null, eq(groups.heldAt, overall));
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
        const followers = await tx.all((orm) =>
          orm.delete(threadFollows).where(of(threadFollows)(orm)).returning({ id: threadFollows.accountId }),
        );
        for (const table of [files, revisions, savedMessages, playbackReceipts, reports, linkImages])
          await tx.run((orm) => orm.delete(table).where(of(table)(orm)));
        await tx.run((orm) =>
          orm
            .delete(drafts)
            .where(and(gt(drafts.thread, 0), of({ groupId: drafts.groupId, seq: drafts.thread })(orm))),
        );
        const removed = await tx.all((orm) =>
          orm.delete(messages).where(of(messages)(orm)).returning({ seq: messages.seq }),
        );
        const roots = await tx.all((orm) =>
          orm
            .update(messages)
            .set({ replyCount: keptReplies(groupId) })
            .where(and(eq(messages.groupId, groupId), lte(messages.seq, last), gt(messages.replyCount, 0)))
            .returning({ seq: messages.seq }),
        );
        const unread = await this.#skipUnread(tx, groupId, last);
        await tx.run((orm) => orm.update(groups).set({ purgedSeq: last }).where(eq(groups.id, groupId)));
        return {
          ...{ messages: removed.length, fileIds: ids, unreadOf: unread },
          firstSeq: [...removed, ...roots].reduce((first, { seq }) => Math.min(first, seq), last),
          followers: [...new Set(followers.map(({ id }) => id))],
        };
      },
      [groupId],
    );
  }

  /**
   * The newest message before which all are from before a time. What was brought in later may be older: it goes once
   * everything before it does.
   */
  async lastBefore(
    { id, purgedSeq, lastSeq }: Pick<Group, 'id' | 'purgedSeq' | 'lastSeq'>,
    time: number,
  ): Promise<number> {
    const isNewer = and(eq(messages.groupId, id), gt(messages.seq, purgedSeq), gte(messages.createdAt, time));
    const first = await this.#db.get((orm) =>
      orm.select({ seq: messages.seq }).from(messages).where(isNewer).orderBy(asc(messages.seq)).limit(1),
    );
    return first ? first.seq - 1 : lastSeq;
  }

  /** Whether messages stayed that others referred to, and may do so no longer. */
  async hasLeft({ id, purgedSeq }: Pick<Group, 'id' | 'purgedSeq'>): Promise<boolean> {
    const isLeft = and(eq(messages.groupId, id), lte(messages.seq, purgedSeq));
    const row = await this.#db.get((orm) =>
      orm.select({ seq: messages.seq }).from(messages).where(isLeft).limit(1),
    );
    return row !== undefined;
  }

  /** What the files take that `oldestWithFiles` goes through, in bytes. */
  async bytesThatMayGo(groupId: number | undefined): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm
        .select({ bytes: sum(files.size) })
        .from(files)
        .innerJoin(groups, eq(groups.id, files.groupId))
        .where(mayGo(groupId)),
    );
    return Number(row?.bytes ?? 0);
  }

  /** The messages with files that were sent first, of one group or of all. */
  oldestWithFiles(
    groupId: number | undefined,
    limit: number,
  ): Promise<{ groupId: number; seq: number; bytes: number; files: number }[]> {
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
        .where(mayGo(groupId))
        .groupBy(files.groupId, files.seq)
        .orderBy(asc(sql`min(${files.createdAt})`), asc(files.groupId), asc(files.seq))
        .limit(limit),
    );
  }

  /** In turn with what purges: a hold that is confirmed holds. */
  #set(heldAt: number | null, which: SQL | undefined, groupIds?: readonly number[]): Promise<number[]> {
    return this.#db.transaction(async (tx) => {
      const changed = await tx.all((orm) =>
        orm.update(groups).set({ heldAt }).where(which).returning({ id: groups.id }),
      );
      return changed.map(({ id }) => id);
    }, groupIds);
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

/** Which files a limit may remove: sent ones, of no group on hold, in no message with a report that waits. */
function mayGo(groupId: number | undefined): SQL | undefined {
  const isReported = sql`EXISTS (SELECT 1 FROM ${reports} WHERE ${reports.groupId} = ${files.groupId}
    AND ${reports.seq} = ${files.seq} AND ${reports.resolvedAt} IS NULL)`;
  const isSent = and(isNotNull(files.seq), isNull(groups.heldAt), isNull(groups.deletedAt), not(isReported));
  if (groupId !== undefined) return and(isSent, eq(files.groupId, groupId));
  // A group that keeps files without limit does so whatever the others take.
  return and(isSent, or(isNull(groups.keepMegabytes), ne(groups.keepMegabytes, 0)));
}
