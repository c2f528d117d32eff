import { and, asc, count, eq, gt, isNotNull, lt, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import { type BlindIndex, foldCase } from '../crypto/blind-index.ts';
import type { Cipher } from '../crypto/cipher.ts';
import type { Database } from '../database/open.ts';
import { groups, memberships, messages } from '../database/tables/chat.ts';
import type { SpokenLanguage } from '../engines/speech/languages.ts';

export type Group = Readonly<{
  id: number;
  /** A direct conversation is listed nowhere, and is who is in it: its own name is empty. */
  kind: 'group' | 'direct';
  name: string;
  /** Null for the groups that a first start seeds. */
  creatorId: number | null;
  /** The number of its newest message, and of the newest write to any of them. */
  lastSeq: number;
  lastChange: number;
  /** Who may correct what a machine wrote down of a voice message. */
  corrections: 'author' | 'members';
  /** What is spoken in its voice messages. */
  spokenLanguage: SpokenLanguage;
}>;

export type Membership = Readonly<{
  groupId: number;
  readSeq: number;
  readAt: number;
  /** The newest message that mentions this member; 0 for none. */
  lastMentionSeq: number;
  /** How many of the messages beyond `readSeq` were removed. */
  removedUnread: number;
  /** Null is the default of its kind of group: see `notificationLevelOf`. */
  notificationLevel: NotificationLevel | null;
}>;

/** What one is told of a group while away. A hidden one is not in the list at the side either. */
export type NotificationLevel = (typeof NOTIFICATION_LEVELS)[number];
export const NOTIFICATION_LEVELS = ['mentions', 'everything', 'nothing', 'hidden'] as const;

export function notificationLevelOf(
  { kind }: Pick<Group, 'kind'>,
  { notificationLevel }: Pick<Membership, 'notificationLevel'>,
): NotificationLevel {
  return notificationLevel ?? (kind === 'direct' ? 'everything' : 'mentions');
}

export type ReadMark = { accountId: number; groupId: number; seq: number; now: number };

/**
 * Groups and who is in them. The groups and the memberships of whoever was here lately are kept in memory,
 * since every page lists them; each write below keeps them right.
 */
export type GroupStore = {
  /** By name, in the order of the alphabet; direct conversations left out. */
  all(): Promise<readonly Group[]>;
  /** Direct conversations too, in no order. */
  everyKind(): Promise<readonly Group[]>;
  byId(id: number): Promise<Group | undefined>;
  /** Counts up with every change to any group or membership: what was made of them at the same version still holds. */
  version(): number;
  /** Undefined when the name is taken. The creator, if any, is a member from the start. */
  add(group: { name: string; creatorId: number | null; now: number }): Promise<Group | undefined>;
  /** The direct conversation of these people, made where there is none yet. */
  direct(
    accountIds: readonly number[],
    creatorId: number,
    now: number,
  ): Promise<{ group: Group; isNew: boolean }>;
  /** False when the name is taken. */
  rename(id: number, name: string): Promise<boolean>;
  setVoice(id: number, voice: Pick<Group, 'corrections' | 'spokenLanguage'>): Promise<void>;
  /** What was there before is read for a new member. False when they were one already. */
  join(accountId: number, groupId: number, now: number): Promise<boolean>;
  leave(accountId: number, groupId: number): Promise<boolean>;
  membershipsOf(accountId: number): Promise<ReadonlyMap<number, Membership>>;
  /** The ids of up to `limit` members after `afterId`, in order of id. */
  members(groupId: number, limit: number, afterId?: number): Promise<number[]>;
  countMembers(groupId: number): Promise<number>;
  /** How far up to `limit` members have read, in order of id. */
  marksOf(groupId: number, limit: number): Promise<{ accountId: number; readSeq: number }[]>;
  /** Moves marks forward, never back; resolves to whether each one moved. */
  markRead(marks: readonly ReadMark[]): Promise<boolean[]>;
  /** Moves one mark to wherever its owner wants it, back too. */
  moveMark(mark: ReadMark): Promise<void>;
  setNotificationLevel(
    accountId: number,
    groupId: number,
    notificationLevel: NotificationLevel,
  ): Promise<void>;
  /** The members of a group who want to hear of every message. */
  hearingEverything(group: Pick<Group, 'id' | 'kind'>): Promise<number[]>;
  /** Takes note of a committed message that mentions these members, or all where none are named. */
  mentioned(groupId: number, seq: number, accountIds: readonly number[] | undefined): void;
  /** Notes the newest message that calls a member; 0 for none. */
  setMention(accountId: number, groupId: number, seq: number): Promise<void>;
  /** The members whose newest mention is this message, and how far they have read. */
  lastMentionedAt(groupId: number, seq: number): Promise<{ accountId: number; readSeq: number }[]>;
  /** Up to `limit` members who have not read up to a message. */
  membersBefore(groupId: number, seq: number, limit: number): Promise<number[]>;
  /** Forgets what is in memory of a group's members, because it was written elsewhere. */
  refresh(groupId: number): void;
  /** Takes note of messages that were committed. */
  advanced(groupId: number, lastSeq: number, lastChange: number): void;
  /** Seals up to `limit` names after `afterId` with the current key; resolves to the last id seen, undefined at the end. */
  resealNames(afterId: number, limit: number): Promise<number | undefined>;
};

type Row = typeof groups.$inferSelect;

const CACHED_MEMBERSHIPS = 10_000;

/** @param nameIndex the blind index under which names are unique without regard to case */
export function createGroupStore(
  { orm, atomically }: Database,
  cipher: Cipher,
  nameIndex: BlindIndex,
): GroupStore {
  const of = sql.placeholder('accountId');
  const at = sql.placeholder('groupId');
  const isMembership = and(eq(memberships.accountId, of), eq(memberships.groupId, at));
  const removedBeyond = (seq: unknown) =>
    sql<number>`(SELECT count(*) FROM ${messages} WHERE ${messages.groupId} = ${memberships.groupId}
      AND ${messages.seq} > ${seq} AND ${messages.removedAt} IS NOT NULL)`;
  const queries = {
    removedBeyond: orm
      .select({ count: count() })
      .from(messages)
      .where(
        and(
          eq(messages.groupId, at),
          gt(messages.seq, sql.placeholder('seq')),
          isNotNull(messages.removedAt),
        ),
      )
      .prepare(),
    memberships: orm.select().from(memberships).where(eq(memberships.accountId, of)).prepare(),
    members: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(and(eq(memberships.groupId, at), gt(memberships.accountId, sql.placeholder('after'))))
      .orderBy(asc(memberships.accountId))
      .limit(sql.placeholder('limit'))
      .prepare(),
    marks: orm
      .select({ accountId: memberships.accountId, readSeq: memberships.readSeq })
      .from(memberships)
      .where(eq(memberships.groupId, at))
      .orderBy(asc(memberships.accountId))
      .limit(sql.placeholder('limit'))
      .prepare(),
    hearing: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(
        and(
          eq(memberships.groupId, at),
          isNotNull(memberships.notificationLevel),
          eq(memberships.notificationLevel, 'everything'),
        ),
      )
      .prepare(),
    hearingDirect: orm
      .select({ accountId: memberships.accountId })
      .from(memberships)
      .where(
        and(
          eq(memberships.groupId, at),
          sql`coalesce(${memberships.notificationLevel}, 'everything') = 'everything'`,
        ),
      )
      .prepare(),
    count: orm.select({ members: count() }).from(memberships).where(eq(memberships.groupId, at)).prepare(),
    markRead: orm
      .update(memberships)
      .set({
        readSeq: sql`${sql.placeholder('seq')}`,
        readAt: sql`${sql.placeholder('now')}`,
        removedUnread: removedBeyond(sql.placeholder('seq')),
      })
      .where(and(isMembership, sql`${memberships.readSeq} < ${sql.placeholder('seq')}`))
      .prepare(),
  };

  const nameAad = (index: Buffer) => `groups/${index.toString('hex')}`;
  const indexOf = (name: string) => nameIndex(foldCase(name));
  const fromRow = (row: Row): Group => ({
    id: row.id,
    kind: row.kind,
    name: cipher.open(nameAad(row.nameIndex), row.name),
    creatorId: row.creatorId,
    lastSeq: row.lastSeq,
    lastChange: row.lastChange,
    corrections: row.corrections,
    spokenLanguage: row.spokenLanguage,
  });

  const groupsById = new Map<number, Group>(
    orm
      .select()
      .from(groups)
      .all()
      .map((row) => [row.id, fromRow(row)]),
  );
  let sorted: readonly Group[] | undefined;
  let version = 0;
  const membershipsByAccount = new LRUCache<number, Map<number, Membership>>({ max: CACHED_MEMBERSHIPS });
  const memberCounts = new Map<number, number>();

  function keep(group: Group): Group {
    groupsById.set(group.id, group);
    sorted = undefined;
    version += 1;
    return group;
  }

  function membershipsOf(accountId: number): Map<number, Membership> {
    const cached = membershipsByAccount.get(accountId);
    if (cached) return cached;
    const rows = queries.memberships.all({ accountId });
    const byGroup = new Map(
      rows.map(({ groupId, readSeq, readAt, lastMentionSeq, removedUnread, notificationLevel }) => [
        groupId,
        { groupId, readSeq, readAt, lastMentionSeq, removedUnread, notificationLevel },
      ]),
    );
    membershipsByAccount.set(accountId, byGroup);
    return byGroup;
  }

  /** Keeps what is in memory as it was just written. */
  function note(accountId: number, groupId: number, change: Partial<Membership>): void {
    const byGroup = membershipsByAccount.get(accountId);
    const membership = byGroup?.get(groupId);
    if (membership) byGroup?.set(groupId, { ...membership, ...change });
  }

  return {
    async all() {
      const { compare } = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
      sorted ??= [...groupsById.values()]
        .filter((group) => group.kind === 'group')
        .sort((a, b) => compare(a.name, b.name) || a.id - b.id);
      // The order is kept while counters move on; the groups themselves are the newest.
      return sorted.map((group) => groupsById.get(group.id) ?? group);
    },
    everyKind: async () => [...groupsById.values()],
    async byId(id) {
      return groupsById.get(id);
    },
    version: () => version,
    async add({ name, creatorId, now }) {
      const index = indexOf(name);
      const values = {
        nameIndex: index,
        name: cipher.seal(nameAad(index), name),
        creatorId,
        createdAt: now,
        lastSeq: 0,
        lastChange: 0,
      };
      const [rows] = await atomically<[Row[], unknown]>([
        () => orm.insert(groups).values(values).onConflictDoNothing().returning().all(),
        () =>
          creatorId !== null &&
          orm.run(sql`INSERT OR IGNORE INTO memberships (account_id, group_id, read_seq, read_at, joined_at)
            SELECT creator_id, id, 0, ${now}, ${now} FROM groups
            WHERE name_index = ${index} AND creator_id = ${creatorId} AND created_at = ${now}`),
      ]);
      const [row] = rows;
      if (!row) return undefined;
      if (creatorId !== null) membershipsByAccount.delete(creatorId);
      return keep(fromRow(row));
    },
    async direct(accountIds, creatorId, now) {
      const members = [...new Set(accountIds)].sort((a, b) => a - b);
      // No group can be called this: names have no control characters.
      const index = indexOf(`\0direct ${members.join(' ')}`);
      const [inserted, row] = await atomically<[unknown[], Row | undefined, ...unknown[]]>([
        () =>
          orm
            .insert(groups)
            .values({
              kind: 'direct',
              nameIndex: index,
              name: cipher.seal(nameAad(index), ''),
              creatorId,
              createdAt: now,
              lastSeq: 0,
              lastChange: 0,
            })
            .onConflictDoNothing()
            .returning()
            .all(),
        () => orm.select().from(groups).where(eq(groups.nameIndex, index)).get(),
        ...members.map(
          (accountId) => () =>
            orm.run(sql`INSERT OR IGNORE INTO memberships (account_id, group_id, read_seq, read_at, joined_at)
              SELECT ${accountId}, id, 0, ${now}, ${now} FROM groups WHERE name_index = ${index}`),
        ),
      ]);
      if (!row) throw new Error('A direct conversation vanished while it was made.');
      const group = groupsById.get(row.id) ?? fromRow(row);
      if (inserted.length === 0) return { group, isNew: false };
      for (const accountId of members) membershipsByAccount.delete(accountId);
      return { group: keep(group), isNew: true };
    },
    async rename(id, name) {
      const index = indexOf(name);
      const group = groupsById.get(id);
      if (!group) return false;
      const taken = orm.select({ id: groups.id }).from(groups).where(eq(groups.nameIndex, index)).get();
      if (taken && taken.id !== id) return false;
      orm
        .update(groups)
        .set({ nameIndex: index, name: cipher.seal(nameAad(index), name) })
        .where(eq(groups.id, id))
        .run();
      keep({ ...group, name });
      return true;
    },
    async setVoice(id, voice) {
      orm.update(groups).set(voice).where(eq(groups.id, id)).run();
      const group = groupsById.get(id);
      if (group) keep({ ...group, ...voice });
    },
    async join(accountId, groupId, now) {
      const readSeq = groupsById.get(groupId)?.lastSeq ?? 0;
      const { changes } = orm
        .insert(memberships)
        .values({ accountId, groupId, readSeq, readAt: now, joinedAt: now })
        .onConflictDoNothing()
        .run();
      membershipsByAccount.delete(accountId);
      memberCounts.delete(groupId);
      version += 1;
      return changes > 0;
    },
    async leave(accountId, groupId) {
      const { changes } = orm
        .delete(memberships)
        .where(and(eq(memberships.accountId, accountId), eq(memberships.groupId, groupId)))
        .run();
      membershipsByAccount.delete(accountId);
      memberCounts.delete(groupId);
      version += 1;
      return changes > 0;
    },
    membershipsOf: async (accountId) => membershipsOf(accountId),
    async members(groupId, limit, after = 0) {
      return queries.members.all({ groupId, after, limit }).map((row) => row.accountId);
    },
    async countMembers(groupId) {
      const size = memberCounts.get(groupId) ?? queries.count.get({ groupId })?.members ?? 0;
      memberCounts.set(groupId, size);
      return size;
    },
    marksOf: async (groupId, limit) => queries.marks.all({ groupId, limit }),
    async markRead(marks) {
      const due = marks.map(
        (mark) => (membershipsOf(mark.accountId).get(mark.groupId)?.readSeq ?? mark.seq) < mark.seq,
      );
      await atomically(
        marks.filter((_mark, index) => due[index]).map((mark) => () => queries.markRead.run(mark)),
      );
      marks.forEach(({ accountId, groupId, seq, now }, index) => {
        if (!due[index]) return;
        const removedUnread = queries.removedBeyond.get({ groupId, seq })?.count ?? 0;
        note(accountId, groupId, { readSeq: seq, readAt: now, removedUnread });
      });
      version += 1;
      return due;
    },
    async moveMark({ accountId, groupId, seq, now }) {
      orm
        .update(memberships)
        .set({ readSeq: seq, readAt: now, removedUnread: removedBeyond(seq) })
        .where(and(eq(memberships.accountId, accountId), eq(memberships.groupId, groupId)))
        .run();
      const removedUnread = queries.removedBeyond.get({ groupId, seq })?.count ?? 0;
      note(accountId, groupId, { readSeq: seq, readAt: now, removedUnread });
      version += 1;
    },
    async setNotificationLevel(accountId, groupId, notificationLevel) {
      orm
        .update(memberships)
        .set({ notificationLevel })
        .where(and(eq(memberships.accountId, accountId), eq(memberships.groupId, groupId)))
        .run();
      note(accountId, groupId, { notificationLevel });
      version += 1;
    },
    async hearingEverything({ id, kind }) {
      const rows = kind === 'direct' ? queries.hearingDirect : queries.hearing;
      return rows.all({ groupId: id }).map((row) => row.accountId);
    },
    mentioned(groupId, seq, accountIds) {
      // A copy: each look at an entry moves it to the front of what is walked over.
      for (const accountId of accountIds ?? [...membershipsByAccount.keys()])
        note(accountId, groupId, { lastMentionSeq: seq });
      version += 1;
    },
    async setMention(accountId, groupId, lastMentionSeq) {
      orm
        .update(memberships)
        .set({ lastMentionSeq })
        .where(and(eq(memberships.accountId, accountId), eq(memberships.groupId, groupId)))
        .run();
      note(accountId, groupId, { lastMentionSeq });
      version += 1;
    },
    async lastMentionedAt(groupId, seq) {
      return orm
        .select({ accountId: memberships.accountId, readSeq: memberships.readSeq })
        .from(memberships)
        .where(and(eq(memberships.groupId, groupId), eq(memberships.lastMentionSeq, seq)))
        .all();
    },
    async membersBefore(groupId, seq, limit) {
      return orm
        .select({ accountId: memberships.accountId })
        .from(memberships)
        .where(and(eq(memberships.groupId, groupId), lt(memberships.readSeq, seq)))
        .orderBy(asc(memberships.accountId))
        .limit(limit)
        .all()
        .map((row) => row.accountId);
    },
    refresh(groupId) {
      for (const [accountId, byGroup] of [...membershipsByAccount.entries()])
        if (byGroup.has(groupId)) membershipsByAccount.delete(accountId);
      version += 1;
    },
    advanced(groupId, lastSeq, lastChange) {
      const group = groupsById.get(groupId);
      if (!group || lastChange <= group.lastChange) return;
      groupsById.set(groupId, { ...group, lastSeq, lastChange });
      version += 1;
    },
    async resealNames(afterId, limit) {
      const rows = orm
        .select()
        .from(groups)
        .where(gt(groups.id, afterId))
        .orderBy(asc(groups.id))
        .limit(limit)
        .all();
      await atomically(
        rows.map((row) => () => {
          const name = cipher.seal(nameAad(row.nameIndex), cipher.open(nameAad(row.nameIndex), row.name));
          return orm.update(groups).set({ name }).where(eq(groups.id, row.id)).run();
        }),
      );
      return rows.at(-1)?.id;
    },
  };
}
