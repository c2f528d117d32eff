import { and, eq, lt, sql } from 'drizzle-orm';
import type { Database, Orm } from '../database/executor.ts';
import { memberships, messages, threadFollows } from '../database/tables/chat.ts';

/**
 * A followed thread, and the number of others' replies that the account has not read in the thread or the conversation.
 * `lastReplyAt` is when the newest reply was written, in milliseconds; 0 where there is none.
 */
export type FollowedThread = { groupId: number; seq: number; lastReplyAt: number; unread: number };

function threadQueries(orm: Orm) {
  const value = (name: string) => sql.placeholder(name);
  const beyond = orm.syntax.greatest(threadFollows.readSeq, memberships.readSeq);
  // Force this index: the query planner would scan all unread messages of the group instead.
  const messagesOfThread = orm.syntax.byIndex(messages, 'messages_of_thread');
  return {
    followedBy: orm
      .select({
        groupId: threadFollows.groupId,
        seq: threadFollows.seq,
        lastReplyAt: sql<number>`coalesce((SELECT created_at FROM ${messagesOfThread}
          WHERE ${messages.groupId} = ${threadFollows.groupId} AND ${messages.thread} = ${threadFollows.seq}
          ORDER BY ${messages.seq} DESC LIMIT 1), 0)`.as('last_reply_at'),
        unread: sql<number>`(SELECT count(*) FROM ${messagesOfThread} WHERE ${messages.groupId} = ${threadFollows.groupId}
          AND ${messages.thread} = ${threadFollows.seq} AND ${messages.seq} > ${beyond}
          AND ${messages.authorId} <> ${threadFollows.accountId} AND ${messages.removedAt} IS NULL)`,
      })
      .from(threadFollows)
      // Leaves out threads in groups that the account has left.
      .innerJoin(
        memberships,
        and(
          eq(memberships.accountId, threadFollows.accountId),
          eq(memberships.groupId, threadFollows.groupId),
        ),
      )
      .where(and(eq(threadFollows.accountId, value('accountId')), eq(threadFollows.isFollowed, true)))
      .orderBy(sql`last_reply_at DESC`, threadFollows.groupId, threadFollows.seq)
      .limit(value('limit'))
      .prepare(),
    followers: orm
      .select({ accountId: threadFollows.accountId })
      .from(threadFollows)
      .where(
        and(
          eq(threadFollows.groupId, value('groupId')),
          eq(threadFollows.seq, value('seq')),
          eq(threadFollows.isFollowed, true),
        ),
      )
      .prepare(),
  };
}

/** Follows are made where replies are written, in the same transaction: see `messages/queries.ts`. */
export class ThreadStore {
  readonly #db: Database;
  readonly #queries: ReturnType<typeof threadQueries>;

  constructor(db: Database) {
    this.#db = db;
    this.#queries = db.prepare(threadQueries);
  }

  /** Up to `limit` threads, those with the newest replies first. */
  followedBy(accountId: number, limit: number): Promise<FollowedThread[]> {
    return this.#db.all(this.#queries.followedBy, { accountId, limit });
  }

  async followers(groupId: number, seq: number): Promise<number[]> {
    return (await this.#db.all(this.#queries.followers, { groupId, seq })).map((row) => row.accountId);
  }

  async isFollowing(accountId: number, groupId: number, seq: number): Promise<boolean> {
    const row = await this.#db.get((orm) =>
      orm
        .select()
        .from(threadFollows)
        .where(isFollow(accountId, groupId, seq)),
    );
    return row?.isFollowed ?? false;
  }

  /** @param readSeq replies up to this seq count as read from now on */
  async follow(
    accountId: number,
    groupId: number,
    seq: number,
    isFollowed: boolean,
    readSeq: number,
  ): Promise<void> {
    await this.#db.run((orm) =>
      orm
        .insert(threadFollows)
        .values({ accountId, groupId, seq, isFollowed, readSeq })
        .onConflictDoUpdate({
          target: [threadFollows.accountId, threadFollows.groupId, threadFollows.seq],
          set: { isFollowed, readSeq: orm.syntax.greatest(threadFollows.readSeq, readSeq) },
        }),
    );
  }

  /** Moves an account's read mark in a thread forward, never back; resolves to whether it moved. */
  async markRead(accountId: number, groupId: number, seq: number, readSeq: number): Promise<boolean> {
    const isBehind = and(isFollow(accountId, groupId, seq), lt(threadFollows.readSeq, readSeq));
    return (await this.#db.run((orm) => orm.update(threadFollows).set({ readSeq }).where(isBehind))) > 0;
  }
}

function isFollow(accountId: number, groupId: number, seq: number) {
  return and(
    eq(threadFollows.accountId, accountId),
    eq(threadFollows.groupId, groupId),
    eq(threadFollows.seq, seq),
  );
}
