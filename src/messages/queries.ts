import { and, asc, count, desc, eq, gt, gte, isNotNull, isNull, lt, lte, ne, or, sql } from 'drizzle-orm';
import type { Orm } from '../database/executor.ts';
import { files, groups, memberships, messages, revisions, threadFollows } from '../database/tables/chat.ts';

/** Slow mode looks for an author's last message among this many. */
const SLOW_MODE_MESSAGES = 5_000;

const value = (name: string) => sql.placeholder(name);
const inGroup = eq(messages.groupId, value('groupId'));
const isMessage = and(inGroup, eq(messages.seq, value('seq')));

/** The statements of the message store. */
export function messageQueries(orm: Orm) {
  return { ...reads(orm), ...lists(orm), ...writes(orm), ...effects(orm), ...follows(orm) };
}

function reads(orm: Orm) {
  return {
    byIds: orm
      .select()
      .from(messages)
      .where(orm.syntax.isAmong(messages.id, value('ids')))
      .prepare(),
    bySeqs: orm
      .select()
      .from(messages)
      .where(and(inGroup, orm.syntax.isAmong(messages.seq, value('seqs'))))
      .orderBy(asc(messages.change))
      .prepare(),
    between: orm
      .select()
      .from(messages)
      .where(and(inGroup, gte(messages.seq, value('first')), lte(messages.seq, value('last'))))
      .orderBy(asc(messages.seq))
      .prepare(),
    seqsBy: orm
      .select({ seq: messages.seq })
      .from(messages)
      .where(
        and(
          inGroup,
          gte(messages.seq, value('first')),
          lte(messages.seq, value('last')),
          eq(messages.authorId, value('authorId')),
          isNull(messages.removedAt),
        ),
      )
      .orderBy(asc(messages.seq))
      .prepare(),
    changedAfter: orm
      .select()
      .from(messages)
      .where(and(inGroup, gt(messages.change, value('change'))))
      .orderBy(asc(messages.change))
      .limit(value('limit'))
      .prepare(),
    changesAfter: orm
      .select({ seq: messages.seq, change: messages.change })
      .from(messages)
      .where(and(inGroup, gt(messages.change, value('change'))))
      .orderBy(asc(messages.change))
      .limit(value('limit'))
      .prepare(),
  };
}

function lists(orm: Orm) {
  return {
    lastBy: orm
      .select({ createdAt: messages.createdAt })
      .from(messages)
      .where(
        and(
          inGroup,
          eq(messages.authorId, value('authorId')),
          // Who writes seldom is not looked for through the whole group.
          gt(
            messages.seq,
            sql`(SELECT last_seq FROM groups WHERE id = ${value('groupId')}) - ${SLOW_MODE_MESSAGES}`,
          ),
        ),
      )
      .orderBy(desc(messages.seq))
      .limit(1)
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
      .where(and(inGroup, eq(messages.thread, value('seq')), lt(messages.seq, value('before'))))
      .orderBy(desc(messages.seq))
      .limit(value('limit'))
      .prepare(),
    hold: orm
      .select({ heldAt: groups.heldAt })
      .from(groups)
      .where(eq(groups.id, value('groupId')))
      .prepare(),
    revisions: orm
      .select()
      .from(revisions)
      .where(and(eq(revisions.groupId, value('groupId')), eq(revisions.seq, value('seq'))))
      .orderBy(asc(revisions.change))
      .prepare(),
  };
}

function writes(orm: Orm) {
  return {
    advance: orm
      .update(groups)
      .set({
        lastSeq: sql`${groups.lastSeq} + ${value('messages')}`,
        lastChange: sql`${groups.lastChange} + ${value('changes')}`,
      })
      .where(eq(groups.id, value('groupId')))
      .returning({ lastSeq: groups.lastSeq, lastChange: groups.lastChange })
      .prepare(),
    insert: orm
      .insert(messages)
      .values({
        groupId: value('groupId'),
        seq: value('seq'),
        change: value('change'),
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
    update: orm
      .update(messages)
      .set({
        change: sql`${value('change')}`,
        body: sql`${value('body')}`,
        metadata: sql`${value('metadata')}`,
        editedAt: sql`${value('editedAt')}`,
        removedAt: sql`${value('removedAt')}`,
        pinnedAt: sql`${value('pinnedAt')}`,
      })
      .where(isMessage)
      .prepare(),
  };
}

/** Side effects of sending or removing a message. */
function effects(orm: Orm) {
  return {
    countReplies: orm
      .update(messages)
      .set({
        replyCount: sql`${messages.replyCount} + ${value('replies')}`,
        change: sql`${value('change')}`,
      })
      .where(isMessage)
      .returning()
      .prepare(),
    mention: orm
      .update(memberships)
      .set({
        lastMentionSeq: sql`${value('seq')}`,
      })
      .where(
        and(
          eq(memberships.groupId, value('groupId')),
          ne(memberships.accountId, value('authorId')),
          or(sql`${value('all')} = 1`, orm.syntax.isAmong(memberships.accountId, value('ids'))),
        ),
      )
      .prepare(),
    unsentFiles: orm
      .select({ id: files.id })
      .from(files)
      .where(
        and(
          orm.syntax.isAmong(files.id, value('ids')),
          eq(files.groupId, value('groupId')),
          eq(files.accountId, value('authorId')),
          isNull(files.seq),
        ),
      )
      .prepare(),
    claimFiles: orm
      .update(files)
      .set({ seq: sql`${value('seq')}` })
      .where(orm.syntax.isAmong(files.id, value('ids')))
      .prepare(),
    // A removed message no longer counts as unread for members who have not read it.
    countRemoved: orm
      .update(memberships)
      .set({ removedUnread: sql`${memberships.removedUnread} + 1` })
      .where(and(eq(memberships.groupId, value('groupId')), lt(memberships.readSeq, value('seq'))))
      .prepare(),
  };
}

/** The author of a reply and the author of the first message follow the thread, unless they unfollowed it. */
function follows(orm: Orm) {
  return {
    followAsAuthor: orm
      .insert(threadFollows)
      .values({
        accountId: value('authorId'),
        groupId: value('groupId'),
        seq: value('thread'),
        isFollowed: true,
        readSeq: value('seq'),
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
  };
}
