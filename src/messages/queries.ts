import { and, asc, count, desc, eq, gt, gte, isNotNull, isNull, lt, lte, sql } from 'drizzle-orm';
import type { Database } from '../database/open.ts';
import { files, groups, memberships, messages, revisions, threadFollows } from '../database/tables/chat.ts';

/** The statements of the message store, each prepared once: building a query takes longer than most of them run. */
export function createMessageQueries(orm: Database['orm']) {
  const value = (name: string) => sql.placeholder(name);
  const inGroup = eq(messages.groupId, value('groupId'));
  const ofGroup = eq(groups.id, value('groupId'));
  const isMessage = and(inGroup, eq(messages.seq, value('seq')));
  const lastChangeLess = (behind: string) =>
    sql`(SELECT last_change FROM groups WHERE id = ${value('groupId')}) - ${value(behind)}`;
  return {
    byIds: orm
      .select()
      .from(messages)
      .where(sql`${messages.id} IN (SELECT value FROM json_each(${value('ids')}))`)
      .prepare(),
    before: orm
      .select()
      .from(messages)
      .where(and(inGroup, lt(messages.seq, value('seq'))))
      .orderBy(desc(messages.seq))
      .limit(value('limit'))
      .prepare(),
    between: orm
      .select()
      .from(messages)
      .where(and(inGroup, gte(messages.seq, value('first')), lte(messages.seq, value('last'))))
      .orderBy(asc(messages.seq))
      .prepare(),
    changedAfter: orm
      .select()
      .from(messages)
      .where(and(inGroup, gt(messages.change, value('change'))))
      .orderBy(asc(messages.change))
      .limit(value('limit'))
      .prepare(),
    advance: orm
      .update(groups)
      .set({
        lastSeq: sql`${groups.lastSeq} + ${value('messages')}`,
        lastChange: sql`${groups.lastChange} + ${value('changes')}`,
      })
      .where(ofGroup)
      .returning({ lastSeq: groups.lastSeq, lastChange: groups.lastChange })
      .prepare(),
    head: orm
      .select({ lastSeq: groups.lastSeq, lastChange: groups.lastChange })
      .from(groups)
      .where(ofGroup)
      .prepare(),
    insert: orm
      .insert(messages)
      .values({
        groupId: value('groupId'),
        // The counters have been advanced for the whole batch; each message counts back from them.
        seq: sql`(SELECT last_seq FROM groups WHERE id = ${value('groupId')}) - ${value('behind')}`,
        change: lastChangeLess('changesBehind'),
        id: value('id'),
        authorId: value('authorId'),
        body: value('body'),
        createdAt: value('createdAt'),
        replyTo: value('replyTo'),
        thread: value('thread'),
        replyCount: 0,
        metadata: value('metadata'),
      })
      .prepare(),
    countReplies: orm
      .update(messages)
      .set({
        replyCount: sql`${messages.replyCount} + ${value('replies')}`,
        change: lastChangeLess('changesBehind'),
      })
      .where(isMessage)
      .returning()
      .prepare(),
    mention: orm
      .update(memberships)
      .set({
        lastMentionSeq: sql`(SELECT last_seq FROM groups WHERE id = ${value('groupId')}) - ${value('behind')}`,
      })
      .where(
        and(
          eq(memberships.groupId, value('groupId')),
          sql`(${value('all')} OR ${memberships.accountId} IN (SELECT value FROM json_each(${value('ids')})))`,
        ),
      )
      .prepare(),
    unsentFiles: orm
      .select({ id: files.id })
      .from(files)
      .where(
        and(
          sql`${files.id} IN (SELECT value FROM json_each(${value('ids')}))`,
          eq(files.groupId, value('groupId')),
          eq(files.accountId, value('authorId')),
          isNull(files.seq),
        ),
      )
      .prepare(),
    claimFiles: orm
      .update(files)
      .set({ seq: sql`(SELECT last_seq FROM groups WHERE id = ${value('groupId')}) - ${value('behind')}` })
      .where(sql`${files.id} IN (SELECT value FROM json_each(${value('ids')}))`)
      .prepare(),
    update: orm
      .update(messages)
      .set({
        change: lastChangeLess('changesBehind'),
        body: sql`${value('body')}`,
        metadata: sql`${value('metadata')}`,
        editedAt: sql`${value('editedAt')}`,
        removedAt: sql`${value('removedAt')}`,
        pinnedAt: sql`${value('pinnedAt')}`,
      })
      .where(isMessage)
      .returning()
      .prepare(),
    // The author of a reply and the author of the first message follow the thread, unless they unfollowed it.
    followAsAuthor: orm
      .insert(threadFollows)
      .values({
        accountId: value('authorId'),
        groupId: value('groupId'),
        seq: value('thread'),
        isFollowed: true,
        readSeq: sql`(SELECT last_seq FROM groups WHERE id = ${value('groupId')}) - ${value('behind')}`,
      })
      .onConflictDoUpdate({
        target: [threadFollows.accountId, threadFollows.groupId, threadFollows.seq],
        set: { readSeq: sql`excluded.read_seq` },
      })
      .prepare(),
    followAsAsked: orm
      .insert(threadFollows)
      .select(
        orm
          .select({
            accountId: messages.authorId,
            groupId: messages.groupId,
            seq: messages.seq,
            isFollowed: sql<boolean>`1`.as('is_followed'),
            readSeq: sql<number>`${messages.seq}`.as('read_seq'),
          })
          .from(messages)
          .where(and(inGroup, eq(messages.seq, value('thread')))),
      )
      .onConflictDoNothing()
      .prepare(),
    // A removed message no longer counts as unread for members who have not read it.
    countRemoved: orm
      .update(memberships)
      .set({ removedUnread: sql`${memberships.removedUnread} + 1` })
      .where(and(eq(memberships.groupId, value('groupId')), sql`${memberships.readSeq} < ${value('seq')}`))
      .prepare(),
    pinned: orm
      .select()
      .from(messages)
      .where(and(inGroup, isNotNull(messages.pinnedAt)))
      .orderBy(desc(messages.pinnedAt), desc(messages.seq))
      .limit(value('limit'))
      .prepare(),
    countPinned: orm
      .select({ pins: count() })
      .from(messages)
      .where(and(inGroup, isNotNull(messages.pinnedAt)))
      .prepare(),
    inThread: orm
      .select()
      .from(messages)
      .where(and(inGroup, eq(messages.thread, value('seq'))))
      .orderBy(desc(messages.seq))
      .limit(value('limit'))
      .prepare(),
    revisions: orm
      .select()
      .from(revisions)
      .where(and(eq(revisions.groupId, value('groupId')), eq(revisions.seq, value('seq'))))
      .orderBy(asc(revisions.change))
      .prepare(),
  };
}
