import { and, asc, count, eq, exists, gt, isNotNull, isNull, ne, notExists, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import type { Database, Orm } from '../database/executor.ts';
import { accountDeletions, accounts } from '../database/tables/users.ts';

/** What administrators change of accounts. Whoever writes publishes `accountChanged` or `sessionsEnded`. */
export class PeopleStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The ids of up to `limit` accounts after one, in the order in which they were made. */
  async ids(limit: number, after = 0): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ id: accounts.id })
        .from(accounts)
        .where(gt(accounts.id, after))
        .orderBy(asc(accounts.id))
        .limit(limit),
    );
    return rows.map((row) => row.id);
  }

  async counts(): Promise<{ people: number; suspended: number; admins: number }> {
    const row = await this.#db.get((orm) =>
      orm
        .select({
          people: count(),
          suspended: count(accounts.suspendedAt),
          admins: sql<number>`coalesce(sum(CASE WHEN ${accounts.isAdmin} = 1 THEN 1 ELSE 0 END), 0)`,
        })
        .from(accounts),
    );
    return row ?? { people: 0, suspended: 0, admins: 0 };
  }

  /** The administrators who are not suspended. */
  async adminIds(): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ id: accounts.id })
        .from(accounts)
        .where(and(eq(accounts.isAdmin, true), isNull(accounts.suspendedAt))),
    );
    return rows.map((row) => row.id);
  }

  /** The ids of up to `limit` bots that are not suspended. */
  async botIds(limit: number): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ id: accounts.id })
        .from(accounts)
        .where(and(eq(accounts.isBot, true), isNull(accounts.suspendedAt)))
        .orderBy(asc(accounts.id))
        .limit(limit),
    );
    return rows.map((row) => row.id);
  }

  async makeAdmin(id: number): Promise<boolean> {
    const isMember = and(
      eq(accounts.id, id),
      eq(accounts.isAdmin, false),
      eq(accounts.isBot, false),
      isNull(accounts.suspendedAt),
    );
    return (
      (await this.#db.run((orm) =>
        orm.update(accounts).set({ isAdmin: true, isGuest: false }).where(isMember),
      )) > 0
    );
  }

  /** Guests see the groups that they are in, and the people in them. An administrator has to lose that role first. */
  async setGuest(id: number, isGuest: boolean): Promise<boolean> {
    const isOther = and(
      eq(accounts.id, id),
      eq(accounts.isAdmin, false),
      eq(accounts.isBot, false),
      eq(accounts.isGuest, !isGuest),
    );
    return (await this.#db.run((orm) => orm.update(accounts).set({ isGuest }).where(isOther))) > 0;
  }

  /** In a transaction, so that two administrators cannot each remove the other. @returns false for the last one */
  async removeAdmin(id: number): Promise<boolean> {
    const remove = (orm: Orm) => {
      const other = alias(accounts, 'other');
      const isOtherAdmin = and(ne(other.id, id), eq(other.isAdmin, true), isNull(other.suspendedAt));
      const hasOther = exists(orm.select({ id: other.id }).from(other).where(isOtherAdmin));
      return orm
        .update(accounts)
        .set({ isAdmin: false })
        .where(and(eq(accounts.id, id), eq(accounts.isAdmin, true), hasOther));
    };
    return this.#db.transaction(async (tx) => (await tx.run(remove)) > 0);
  }

  /** Ends every session too. Administrators have to lose their role first. */
  async suspend(id: number, now: number): Promise<boolean> {
    const isMember = and(eq(accounts.id, id), eq(accounts.isAdmin, false), isNull(accounts.suspendedAt));
    const change = { suspendedAt: now, sessionEpoch: sql`${accounts.sessionEpoch} + 1` };
    return (await this.#db.run((orm) => orm.update(accounts).set(change).where(isMember))) > 0;
  }

  async unsuspend(id: number): Promise<boolean> {
    const isSuspended = and(eq(accounts.id, id), isNotNull(accounts.suspendedAt));
    // An account that is being deleted does not come back.
    const deletion = (orm: Orm) =>
      orm.select().from(accountDeletions).where(eq(accountDeletions.accountId, accounts.id));
    return (
      (await this.#db.run((orm) =>
        orm
          .update(accounts)
          .set({ suspendedAt: null })
          .where(and(isSuspended, notExists(deletion(orm)))),
      )) > 0
    );
  }

  async endSessions(id: number): Promise<void> {
    const change = { sessionEpoch: sql`${accounts.sessionEpoch} + 1` };
    await this.#db.run((orm) => orm.update(accounts).set(change).where(eq(accounts.id, id)));
  }
}
