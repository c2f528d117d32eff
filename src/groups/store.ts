import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database, Executor, Write } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { groups } from '../database/tables/chat.ts';
import type { Group, Membership, NotificationLevel, ReadMark } from './group.ts';
import { groupQueries } from './queries.ts';
import { GroupRows } from './rows.ts';

export type NewGroup = { name: string; creatorId: number | null; access?: Group['access']; now: number };

type Found = { group: Group; isNew: boolean };

const sealed = SEALED.groups.columns;

/** Groups and who is in them. */
export class GroupStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #rows: GroupRows;
  readonly #queries: ReturnType<typeof groupQueries>;

  /**
   * @param nameIndex the blind index under which names are unique without regard to case
   * @param linesOnly whether private lines to the administrators are all that there is
   */
  constructor(db: Database, sealer: Sealer, nameIndex: BlindIndex, linesOnly = false) {
    this.#db = db;
    this.#sealer = sealer;
    this.#rows = new GroupRows(sealer, nameIndex);
    this.#queries = db.prepare((orm) => groupQueries(orm, linesOnly));
  }

  /** By name, in the order of the alphabet; direct conversations left out. */
  async all(): Promise<readonly Group[]> {
    const { compare } = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });
    return (await this.everyKind())
      .filter((group) => group.kind === 'group')
      .sort((a, b) => compare(a.name, b.name) || a.id - b.id);
  }

  /** Direct conversations too, in no order. */
  async everyKind(): Promise<readonly Group[]> {
    return (await this.#db.all(this.#queries.all)).map((row) => this.#rows.open(row));
  }

  async byId(groupId: number): Promise<Group | undefined> {
    const row = await this.#db.get(this.#queries.byId, { groupId });
    return row && this.#rows.open(row);
  }

  /** Those of these ids that there are, by id. */
  async byIds(ids: readonly number[]): Promise<ReadonlyMap<number, Group>> {
    const rows = await this.#db.all(this.#queries.byIds, { ids: JSON.stringify(ids) });
    return new Map(rows.map((row) => [row.id, this.#rows.open(row)]));
  }

  /** Undefined when the name is taken. The creator, if any, is a member from the start. */
  add({ name, creatorId, access = 'open', now }: NewGroup): Promise<Group | undefined> {
    return this.#db.transaction(async (tx) => {
      const values = { ...this.#rows.added('group', this.#rows.indexOf(name), name, creatorId, now), access };
      const row = await tx.get((orm) => orm.insert(groups).values(values).onConflictDoNothing().returning());
      if (!row) return undefined;
      if (creatorId !== null) {
        await this.#addMembers(tx, row.id, [creatorId], now);
        await tx.run(this.#queries.setOwner, { accountId: creatorId, groupId: row.id });
      }
      return this.#rows.open(row);
    });
  }

  /** The direct conversation of these people, made where there is none yet. */
  direct(accountIds: readonly number[], creatorId: number, now: number): Promise<Found> {
    const members = [...new Set(accountIds)].sort((a, b) => a - b);
    // No group can be called this: names have no control characters.
    return this.#unnamed(`\0direct ${members.join(' ')}`, members, { creatorId, lineOf: null, now });
  }

  /** The private line of an account, made where there is none yet, with these administrators. */
  line(accountId: number, adminIds: readonly number[], now: number): Promise<Found> {
    const members = [...new Set([accountId, ...adminIds])];
    return this.#unnamed(`\0line ${accountId}`, members, { creatorId: accountId, lineOf: accountId, now });
  }

  /** The ids of all private lines. */
  async lines(): Promise<number[]> {
    return (await this.#db.all(this.#queries.lines)).map((row) => row.id);
  }

  #unnamed(
    name: string,
    members: readonly number[],
    { creatorId, lineOf, now }: { creatorId: number; lineOf: number | null; now: number },
  ): Promise<Found> {
    return this.#db.transaction(async (tx) => {
      const index = this.#rows.indexOf(name);
      const existing = await tx.get((orm) => orm.select().from(groups).where(eq(groups.nameIndex, index)));
      if (existing) return { group: this.#rows.open(existing), isNew: false };
      const values = { ...this.#rows.added('direct', index, '', creatorId, now), lineOf };
      const row = await tx.get((orm) => orm.insert(groups).values(values).returning());
      if (!row) throw new Error('A direct conversation vanished while it was made.');
      await this.#addMembers(tx, row.id, members, now);
      return { group: this.#rows.open(row), isNew: true };
    });
  }

  /** False when the name is taken. */
  rename(id: number, name: string): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      const nameIndex = this.#rows.indexOf(name);
      const taken = await tx.get((orm) =>
        orm.select({ id: groups.id }).from(groups).where(eq(groups.nameIndex, nameIndex)),
      );
      if (taken && taken.id !== id) return false;
      const values = { nameIndex, name: this.#rows.sealName(nameIndex, name) };
      return (await tx.run((orm) => orm.update(groups).set(values).where(eq(groups.id, id)))) > 0;
    });
  }

  /**
   * Hides a group from everybody and frees its name; what was in it is still to be removed.
   * @returns the accounts that were members; undefined when there is no such group, `held` for one on hold
   */
  hide(groupId: number, now: number): Promise<number[] | 'held' | undefined> {
    return this.#db.transaction(async (tx) => {
      const group = await tx.get(this.#queries.byId, { groupId });
      if (!group || group.heldAt !== null) return group && 'held';
      const nameIndex = randomBytes(32);
      const values = { nameIndex, name: this.#rows.sealName(nameIndex, ''), topic: null, deletedAt: now };
      await tx.run((orm) => orm.update(groups).set(values).where(eq(groups.id, groupId)));
      return (await tx.all(this.#queries.leaveAll, { groupId })).map((row) => row.accountId);
    });
  }

  /** Sets what its settings say; an empty topic is none. */
  async change(id: number, { topic, ...rest }: Partial<Omit<Group, 'id' | 'name'>>): Promise<void> {
    const sealedTopic = topic ? this.#sealer.seal(sealed.topic, { id }, topic) : null;
    const values = { ...rest, ...(topic !== undefined && { topic: sealedTopic }) };
    await this.#db.run((orm) => orm.update(groups).set(values).where(eq(groups.id, id)));
  }

  /** The ids of a group's owners. */
  async owners(groupId: number): Promise<number[]> {
    return (await this.#db.all(this.#queries.owners, { groupId })).map((row) => row.accountId);
  }

  /** Resolves to false for somebody who is no member. */
  async makeOwner(accountId: number, groupId: number): Promise<boolean> {
    return (await this.#db.run(this.#queries.setOwner, { accountId, groupId })) > 0;
  }

  /** @returns false for the last one */
  removeOwner(accountId: number, groupId: number): Promise<boolean> {
    return this.#keepingAnOwner(this.#queries.removeOwner, accountId, groupId);
  }

  /** Adds a member; existing messages count as read. Resolves to false if the account was a member already. */
  async join(accountId: number, groupId: number, now: number): Promise<boolean> {
    return (await this.#db.run(this.#queries.join, { accountId, groupId, now })) > 0;
  }

  /** @param ownersToo whether an owner is taken out, too */
  async leave(accountId: number, groupId: number, ownersToo = true): Promise<boolean> {
    const { leave, leaveUnlessOwner } = this.#queries;
    return (await this.#db.run(ownersToo ? leave : leaveUnlessOwner, { accountId, groupId })) > 0;
  }

  /** The same, but not for the last owner of a group with other members. */
  leaveUnlessLastOwner(accountId: number, groupId: number): Promise<boolean> {
    return this.#keepingAnOwner(this.#queries.leaveUnlessLastOwner, accountId, groupId);
  }

  /** In a transaction that others wait for, so that two at once do not both count on the other. */
  async #keepingAnOwner(statement: Write, accountId: number, groupId: number): Promise<boolean> {
    return (await this.#db.transaction((tx) => tx.run(statement, { accountId, groupId }), [groupId])) > 0;
  }

  /** The memberships of an account by group id. */
  async membershipsOf(accountId: number): Promise<ReadonlyMap<number, Membership>> {
    const rows = await this.#db.all(this.#queries.memberships, { accountId });
    return new Map(rows.map((row) => [row.groupId, row]));
  }

  membership(accountId: number, groupId: number): Promise<Membership | undefined> {
    return this.#db.get(this.#queries.membership, { accountId, groupId });
  }

  /** The ids of up to `limit` members after `after`, in order of id. */
  async members(groupId: number, limit: number, after = 0): Promise<number[]> {
    const rows = await this.#db.all(this.#queries.members, { groupId, after, limit });
    return rows.map((row) => row.accountId);
  }

  async countMembers(groupId: number): Promise<number> {
    return (await this.#db.get(this.#queries.count, { groupId }))?.members ?? 0;
  }

  /** How far up to `limit` members have read, in order of id. */
  marksOf(groupId: number, limit: number): Promise<{ accountId: number; readSeq: number }[]> {
    return this.#db.all(this.#queries.marks, { groupId, limit });
  }

  /** Moves marks forward, never back; resolves to whether each one moved. */
  markRead(marks: readonly ReadMark[]): Promise<boolean[]> {
    const groupIds = marks.map(({ groupId }) => groupId);
    return this.#db.transaction(async (tx) => {
      const moved: boolean[] = [];
      for (const mark of marks) moved.push((await tx.run(this.#queries.markRead, mark)) > 0);
      return moved;
    }, groupIds);
  }

  /** Moves one mark to wherever its owner wants it, back too. */
  async moveMark(mark: ReadMark): Promise<void> {
    await this.#db.transaction((tx) => tx.run(this.#queries.moveMark, mark), [mark.groupId]);
  }

  async setNotificationLevel(accountId: number, groupId: number, level: NotificationLevel): Promise<void> {
    await this.#db.run(this.#queries.setLevel, { accountId, groupId, level });
  }

  /** The members of a group who want to be notified of every message. */
  async notifiedOfEverything({ id, kind }: Pick<Group, 'id' | 'kind'>): Promise<number[]> {
    const { notifiedInGroup, notifiedInDirect } = this.#queries;
    const query = kind === 'direct' ? notifiedInDirect : notifiedInGroup;
    return (await this.#db.all(query, { groupId: id })).map((row) => row.accountId);
  }

  /** Stores the newest message that mentions a member; 0 for none. @param isAdded keeps a newer one that is stored */
  async setMention(accountId: number, groupId: number, seq: number, isAdded = false): Promise<void> {
    const { raiseMention, setMention } = this.#queries;
    await this.#db.run(isAdded ? raiseMention : setMention, { accountId, groupId, seq });
  }

  /** The members whose newest mention is this message, and how far they have read. */
  lastMentionedAt(groupId: number, seq: number): Promise<{ accountId: number; readSeq: number }[]> {
    return this.#db.all(this.#queries.lastMentionedAt, { groupId, seq });
  }

  /** Up to `limit` members who have not read up to a message. */
  async membersBefore(groupId: number, seq: number, limit: number): Promise<number[]> {
    const rows = await this.#db.all(this.#queries.membersBefore, { groupId, seq, limit });
    return rows.map((row) => row.accountId);
  }

  async #addMembers(tx: Executor, groupId: number, accountIds: readonly number[], now: number) {
    for (const accountId of accountIds) await tx.run(this.#queries.join, { accountId, groupId, now });
  }
}
