import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../database/open.ts';
import { memberships, messages, threadFollows } from '../database/tables/chat.ts';

/** A followed thread, and the number of others' replies that the account has not read in the thread or the conversation. */
/** `lastReplyAt` is when the newest reply was written, in milliseconds; 0 where there is none. */
export type FollowedThread = { groupId: number; seq: number; lastReplyAt: number; unread: number };

export type ThreadStore = {
  /** Up to `limit` threads, those with the newest replies first. */
  followedBy(accountId: number, limit: number): Promise<FollowedThread[]>;
  followers(groupId: number, seq: number): Promise<number[]>;
  isFollowing(accountId: number, groupId: number, seq: number): Promise<boolean>;
  /** @param readSeq up to which the replies count as read when it is followed anew */
  follow(
    accountId: number,
    groupId: number,
    seq: number,
    isFollowed: boolean,
    readSeq: number,
  ): Promise<void>;
  /** Moves the mark of one who follows forward; resolves to whether it moved. */
  markRead(accountId: number, groupId: number, seq: number, readSeq: number): Promise<boolean>;
};

/** Follows are made where replies are written, in the same transaction: see `queries.ts`. */
export function createThreadStore({ orm }: Database): ThreadStore {
  const value = (name: string) => sql.placeholder(name);
  const beyond = sql`max(${threadFollows.readSeq}, ${memberships.readSeq})`;
  const queries = {
    followedBy: orm
      .select({
        groupId: threadFollows.groupId,
        seq: threadFollows.seq,
        lastReplyAt: sql<number>`coalesce((SELECT created_at FROM ${messages} INDEXED BY messages_of_thread
          WHERE ${messages.groupId} = ${threadFollows.groupId} AND ${messages.thread} = ${threadFollows.seq}
          ORDER BY ${messages.seq} DESC LIMIT 1), 0)`.as('last_reply_at'),
        // By the index of threads: the planner would rather walk everything that is unread in the group.
        unread: sql<number>`(SELECT count(*) FROM ${messages} INDEXED BY messages_of_thread WHERE ${messages.groupId} = ${threadFollows.groupId}
          AND ${messages.thread} = ${threadFollows.seq} AND ${messages.seq} > ${beyond}
          AND ${messages.authorId} <> ${threadFollows.accountId} AND ${messages.removedAt} IS NULL)`,
      })
      .from(threadFollows)
      // Of a group that was left nothing is shown any more.
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
  const isFollow = (accountId: number, groupId: number, seq: number) =>
    and(
      eq(threadFollows.accountId, accountId),
      eq(threadFollows.groupId, groupId),
      eq(threadFollows.seq, seq),
    );

  return {
    followedBy: async (accountId, limit) => queries.followedBy.all({ accountId, limit }),
    async followers(groupId, seq) {
      return queries.followers.all({ groupId, seq }).map((row) => row.accountId);
    },
    async isFollowing(accountId, groupId, seq) {
      const row = orm
        .select()
        .from(threadFollows)
        .where(isFollow(accountId, groupId, seq))
        .get();
      return row?.isFollowed ?? false;
    },
    async follow(accountId, groupId, seq, isFollowed, readSeq) {
      orm
        .insert(threadFollows)
        .values({ accountId, groupId, seq, isFollowed, readSeq })
        .onConflictDoUpdate({
          target: [threadFollows.accountId, threadFollows.groupId, threadFollows.seq],
          set: { isFollowed, readSeq: sql`max(${threadFollows.readSeq}, ${readSeq})` },
        })
        .run();
    },
    async markRead(accountId, groupId, seq, readSeq) {
      const { changes } = orm
        .update(threadFollows)
        .set({ readSeq })
        .where(and(isFollow(accountId, groupId, seq), sql`${threadFollows.readSeq} < ${readSeq}`))
        .run();
      return changes > 0;
    },
  };
}
