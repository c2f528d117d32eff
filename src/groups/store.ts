import { and, eq } from 'drizzle-orm';
import { type BlindIndex, foldCase } from '../crypto/blind-index.ts';
import type { Database, Executor } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { groups, memberships } from '../database/tables/chat.ts';
import type { SpokenLanguage } from '../engines/speech/languages.ts';
import { groupQueries } from './queries.ts';

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

/** Groups and who is in them. */
export type GroupStore = {
  /** By name, in the order of the alphabet; direct conversations left out. */
  all(): Promise<readonly Group[]>;
  /** Direct conversations too, in no order. */
  everyKind(): Promise<readonly Group[]>;
  byId(id: number): Promise<Group | undefined>;
  /** Those of these ids that there are, by id. */
  byIds(ids: readonly number[]): Promise<ReadonlyMap<number, Group>>;
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
  /** By group. */
  membershipsOf(accountId: number): Promise<ReadonlyMap<number, Membership>>;
  membership(accountId: number, groupId: number): Promise<Membership | undefined>;
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
  /** Notes the newest message that calls a member; 0 for none. */
  setMention(accountId: number, groupId: number, seq: number): Promise<void>;
  /** The members whose newest mention is this message, and how far they have read. */
  lastMentionedAt(groupId: number, seq: number): Promise<{ accountId: number; readSeq: number }[]>;
  /** Up to `limit` members who have not read up to a message. */
  membersBefore(groupId: number, seq: number, limit: number): Promise<number[]>;
};

type Row = typeof groups.$inferSelect;

const sealedName = SEALED.groups.columns.name;

/** @param nameIndex the blind index under which names are unique without regard to case */
export function createGroupStore(db: Database, sealer: Sealer, nameIndex: BlindIndex): GroupStore {
  const queries = db.prepare(groupQueries);
  const indexOf = (name: string) => nameIndex(foldCase(name));
  const sealName = (index: Buffer, name: string) => sealer.seal(sealedName, { nameIndex: index }, name);
  const fromRow = (row: Row): Group => ({
    id: row.id,
    kind: row.kind,
    name: sealer.open(sealedName, row, row.name),
    creatorId: row.creatorId,
    lastSeq: row.lastSeq,
    lastChange: row.lastChange,
    corrections: row.corrections,
    spokenLanguage: row.spokenLanguage,
  });

  async function everyKind(): Promise<Group[]> {
    return (await db.all(queries.all)).map(fromRow);
  }

  /** Makes members of accounts that are none. */
  async function addMembers(
    tx: Executor,
    groupId: number,
    accountIds: readonly number[],
    now: number,
  ): Promise<void> {
    for (const accountId of accountIds) await tx.run(queries.join, { accountId, groupId, now });
  }

  return {
    everyKind,
    async all() {
      const { compare } = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
      return (await everyKind())
        .filter((group) => group.kind === 'group')
        .sort((a, b) => compare(a.name, b.name) || a.id - b.id);
    },
    async byId(groupId) {
      const row = await db.get(queries.byId, { groupId });
      return row && fromRow(row);
    },
    async byIds(ids) {
      const rows = await db.all(queries.byIds, { ids: JSON.stringify(ids) });
      return new Map(rows.map((row) => [row.id, fromRow(row)]));
    },
    add: ({ name, creatorId, now }) =>
      db.transaction(async (tx) => {
        const index = indexOf(name);
        const values = newRow('group', index, sealName(index, name), creatorId, now);
        const row = await tx.get((orm) =>
          orm.insert(groups).values(values).onConflictDoNothing().returning(),
        );
        if (!row) return undefined;
        if (creatorId !== null) await addMembers(tx, row.id, [creatorId], now);
        return fromRow(row);
      }),
    direct: (accountIds, creatorId, now) =>
      db.transaction(async (tx) => {
        const members = [...new Set(accountIds)].sort((a, b) => a - b);
        // No group can be called this: names have no control characters.
        const index = indexOf(`\0direct ${members.join(' ')}`);
        const existing = await tx.get((orm) => orm.select().from(groups).where(eq(groups.nameIndex, index)));
        if (existing) return { group: fromRow(existing), isNew: false };
        const values = newRow('direct', index, sealName(index, ''), creatorId, now);
        const row = await tx.get((orm) => orm.insert(groups).values(values).returning());
        if (!row) throw new Error('A direct conversation vanished while it was made.');
        await addMembers(tx, row.id, members, now);
        return { group: fromRow(row), isNew: true };
      }),
    rename: (id, name) =>
      db.transaction(async (tx) => {
        const index = indexOf(name);
        const taken = await tx.get((orm) =>
          orm.select({ id: groups.id }).from(groups).where(eq(groups.nameIndex, index)),
        );
        if (taken && taken.id !== id) return false;
        const values = { nameIndex: index, name: sealName(index, name) };
        return (await tx.run((orm) => orm.update(groups).set(values).where(eq(groups.id, id)))) > 0;
      }),
    async setVoice(id, voice) {
      await db.run((orm) => orm.update(groups).set(voice).where(eq(groups.id, id)));
    },
    async join(accountId, groupId, now) {
      return (await db.run(queries.join, { accountId, groupId, now })) > 0;
    },
    async leave(accountId, groupId) {
      return (await db.run(queries.leave, { accountId, groupId })) > 0;
    },
    async membershipsOf(accountId) {
      const rows = await db.all(queries.memberships, { accountId });
      return new Map(rows.map((row) => [row.groupId, row]));
    },
    membership: (accountId, groupId) => db.get(queries.membership, { accountId, groupId }),
    async members(groupId, limit, after = 0) {
      const rows = await db.all(queries.members, { groupId, after, limit });
      return rows.map((row) => row.accountId);
    },
    async countMembers(groupId) {
      return (await db.get(queries.count, { groupId }))?.members ?? 0;
    },
    marksOf: (groupId, limit) => db.all(queries.marks, { groupId, limit }),
    markRead: (marks) =>
      db.transaction(async (tx) => {
        const moved: boolean[] = [];
        for (const mark of marks) moved.push((await tx.run(queries.markRead, mark)) > 0);
        return moved;
      }),
    async moveMark(mark) {
      await db.run(queries.moveMark, mark);
    },
    async setNotificationLevel(accountId, groupId, notificationLevel) {
      await db.run((orm) =>
        orm
          .update(memberships)
          .set({ notificationLevel })
          .where(and(eq(memberships.accountId, accountId), eq(memberships.groupId, groupId))),
      );
    },
    async hearingEverything({ id, kind }) {
      const query = kind === 'direct' ? queries.hearingDirect : queries.hearing;
      return (await db.all(query, { groupId: id })).map((row) => row.accountId);
    },
    async setMention(accountId, groupId, seq) {
      await db.run(queries.setMention, { accountId, groupId, seq });
    },
    lastMentionedAt: (groupId, seq) => db.all(queries.lastMentionedAt, { groupId, seq }),
    async membersBefore(groupId, seq, limit) {
      const rows = await db.all(queries.membersBefore, { groupId, seq, limit });
      return rows.map((row) => row.accountId);
    },
  };
}

function newRow(
  kind: Group['kind'],
  nameIndex: Buffer,
  name: Buffer,
  creatorId: number | null,
  createdAt: number,
) {
  return { kind, nameIndex, name, creatorId, createdAt, lastSeq: 0, lastChange: 0 };
}
