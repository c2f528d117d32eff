import { and, asc, eq } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { joinRequests, removedMembers } from '../database/tables/chat.ts';

/** Who asks to join which group, and whom an owner has to let in again. */
export class JoinRequestStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Resolves to false for somebody who has asked already. */
  async add(groupId: number, accountId: number, createdAt: number): Promise<boolean> {
    const values = { groupId, accountId, createdAt };
    return (await this.#db.run((orm) => orm.insert(joinRequests).values(values).onConflictDoNothing())) > 0;
  }

  /** Resolves to whether there was one. */
  async remove(groupId: number, accountId: number): Promise<boolean> {
    const isRequest = and(eq(joinRequests.groupId, groupId), eq(joinRequests.accountId, accountId));
    return (await this.#db.run((orm) => orm.delete(joinRequests).where(isRequest))) > 0;
  }

  /** The ids of up to `limit` accounts that ask, the first first. */
  async of(groupId: number, limit: number): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ accountId: joinRequests.accountId })
        .from(joinRequests)
        .where(eq(joinRequests.groupId, groupId))
        .orderBy(asc(joinRequests.createdAt))
        .limit(limit),
    );
    return rows.map((row) => row.accountId);
  }

  async has(groupId: number, accountId: number): Promise<boolean> {
    const isRequest = and(eq(joinRequests.groupId, groupId), eq(joinRequests.accountId, accountId));
    return (await this.#db.get((orm) => orm.select().from(joinRequests).where(isRequest))) !== undefined;
  }

  /** Notes that an owner removed somebody: neither an open group nor an invitation lets them in again. */
  async noteRemoved(groupId: number, accountId: number): Promise<void> {
    await this.#db.run((orm) =>
      orm.insert(removedMembers).values({ groupId, accountId }).onConflictDoNothing(),
    );
  }

  async clearRemoval(groupId: number, accountId: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(removedMembers).where(isRemoved(groupId, accountId)));
  }

  async wasRemoved(groupId: number, accountId: number): Promise<boolean> {
    const row = await this.#db.get((orm) =>
      orm.select().from(removedMembers).where(isRemoved(groupId, accountId)),
    );
    return row !== undefined;
  }
}

function isRemoved(groupId: number, accountId: number) {
  return and(eq(removedMembers.groupId, groupId), eq(removedMembers.accountId, accountId));
}
