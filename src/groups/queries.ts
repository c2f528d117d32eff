import {
  and,
  asc,
  count,
  eq,
  exists,
  getTableColumns,
  gt,
  isNotNull,
  isNull,
  lt,
  or,
  type SQL,
  sql,
} from 'drizzle-orm';
import type { Orm } from '../database/executor.ts';
import { groups, memberships, messages } from '../database/tables/chat.ts';

const { joinedAt: _joined, accountId: _account, ...membershipColumns } = getTableColumns(memberships);

const value = (name: string) => sql.placeholder(name);
const isOfAccount = eq(memberships.accountId, value('accountId'));
const isOfGroup = eq(memberships.groupId, value('groupId'));
const isMembership = and(isOfAccount, isOfGroup);
const removedBeyond = sql<number>`(SELECT count(*) FROM ${messages} WHERE ${messages.groupId} = ${memberships.groupId}
  AND ${messages.seq} > ${value('seq')} AND ${messages.removedAt} IS NOT NULL)`;
const hasOtherOwner = sql`EXISTS (SELECT 1 FROM memberships AS other WHERE other.group_id = ${value('groupId')}
  AND other.account_id <> ${value('accountId')} AND other.is_owner = 1)`;
const isAlone = sql`NOT EXISTS (SELECT 1 FROM memberships AS other WHERE other.group_id = ${value('groupId')}
  AND other.account_id <> ${value('accountId')})`;
const marked = {
  readSeq: sql`${value('seq')}`,
  readAt: sql`${value('now')}`,
  removedUnread: removedBeyond,
};

/**
 * The statements of the group store.
 * @param linesOnly whether private lines are all that there is; other groups and their memberships are then left out
 */
export function groupQueries(orm: Orm, linesOnly: boolean) {
  const isThere = and(isNull(groups.deletedAt), linesOnly ? isNotNull(groups.lineOf) : undefined);
  const ofThere = linesOnly
    ? exists(
        orm
          .select({ id: groups.id })
          .from(groups)
          .where(and(eq(groups.id, memberships.groupId), isThere)),
      )
    : undefined;
  return { ...reads(orm, isThere), ...membershipReads(orm, ofThere), ...writes(orm) };
}

function reads(orm: Orm, isThere: SQL | undefined) {
  return {
    all: orm.select().from(groups).where(isThere).prepare(),
    byId: orm
      .select()
      .from(groups)
      .where(and(eq(groups.id, value('groupId')), isThere))
      .prepare(),
    byIds: orm
      .select()
      .from(groups)
      .where(and(orm.syntax.isAmong(groups.id, value('ids')), isThere))
      .prepare(),
    count: orm.select({ members: count() }).from(memberships).where(isOfGroup).prepare(),
  };
}

function membershipReads(orm: Orm, ofThere: SQL | undefined) {
  return {
    memberships: orm.select(membershipColumns).from(memberships).where(and(isOfAccount, ofThere)).prepare(),
    membership: orm.select(membershipColumns).from(memberships).where(and(isMembership, ofThere)).prepare(),
    lines: orm
      .select({ id: groups.id })
      .from(groups)
      .where(and(isNotNull(groups.lineOf), isNull(groups.deletedAt)))
      .prepare(),
    members: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(and(isOfGroup, gt(memberships.accountId, value('after'))))
      .orderBy(asc(memberships.accountId))
      .limit(value('limit'))
      .prepare(),
    owners: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(and(isOfGroup, eq(memberships.isOwner, true)))
      .prepare(),
    marks: orm
      .select({ accountId: memberships.accountId, readSeq: memberships.readSeq })
      .from(memberships)
      .where(isOfGroup)
      .orderBy(asc(memberships.accountId))
      .limit(value('limit'))
      .prepare(),
    notifiedInGroup: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(
        and(
          isOfGroup,
          // For the partial index.
          isNotNull(memberships.notificationLevel),
          eq(memberships.notificationLevel, 'everything'),
        ),
      )
      .prepare(),
    notifiedInDirect: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(and(isOfGroup, sql`coalesce(${memberships.notificationLevel}, 'everything') = 'everything'`))
      .prepare(),
    lastMentionedAt: orm
      .select({ accountId: memberships.accountId, readSeq: memberships.readSeq })
      .from(memberships)
      .where(and(isOfGroup, eq(memberships.lastMentionSeq, value('seq'))))
      .prepare(),
    membersBefore: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(and(isOfGroup, lt(memberships.readSeq, value('seq'))))
      .orderBy(asc(memberships.accountId))
      .limit(value('limit'))
      .prepare(),
  };
}

function writes(orm: Orm) {
  return {
    // What was there before is read.
    join: orm
      .insert(memberships)
      .values({
        accountId: value('accountId'),
        groupId: value('groupId'),
        readSeq: sql`(SELECT last_seq FROM groups WHERE id = ${value('groupId')})`,
        readAt: value('now'),
        joinedAt: value('now'),
      })
      .onConflictDoNothing()
      .prepare(),
    setOwner: orm.update(memberships).set({ isOwner: true }).where(isMembership).prepare(),
    removeOwner: orm
      .update(memberships)
      .set({ isOwner: false })
      .where(and(isMembership, eq(memberships.isOwner, true), hasOtherOwner))
      .prepare(),
    leave: orm.delete(memberships).where(isMembership).prepare(),
    leaveUnlessOwner: orm
      .delete(memberships)
      .where(and(isMembership, eq(memberships.isOwner, false)))
      .prepare(),
    leaveUnlessLastOwner: orm
      .delete(memberships)
      .where(and(isMembership, or(eq(memberships.isOwner, false), hasOtherOwner, isAlone)))
      .prepare(),
    leaveAll: orm
      .delete(memberships)
      .where(isOfGroup)
      .returning({ accountId: memberships.accountId })
      .prepare(),
    markRead: orm
      .update(memberships)
      .set(marked)
      .where(and(isMembership, lt(memberships.readSeq, value('seq'))))
      .prepare(),
    moveMark: orm.update(memberships).set(marked).where(isMembership).prepare(),
    setLevel: orm
      .update(memberships)
      .set({ notificationLevel: sql`${value('level')}` })
      .where(isMembership)
      .prepare(),
    raiseMention: orm
      .update(memberships)
      .set({ lastMentionSeq: sql`${value('seq')}` })
      .where(and(isMembership, lt(memberships.lastMentionSeq, value('seq'))))
      .prepare(),
    setMention: orm
      .update(memberships)
      .set({ lastMentionSeq: sql`${value('seq')}` })
      .where(isMembership)
      .prepare(),
  };
}
