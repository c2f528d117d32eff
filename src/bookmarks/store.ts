import { and, desc, eq, lt, max } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { savedMessages } from '../database/tables/chat.ts';

export type Saved = { groupId: number; seq: number; savedAt: number };

/** Bookmarks. */
export class SavedStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds or removes a bookmark. */
  async set(
    accountId: number,
    groupId: number,
    seq: number,
    isSaved: boolean,
    savedAt: number,
  ): Promise<void> {
    if (!isSaved) {
      await this.#db.run((orm) => orm.delete(savedMessages).where(isBookmark(accountId, groupId, seq)));
      return;
    }
    await this.#db.transaction(async (tx) => {
      const newest = await tx.get((orm) =>
        orm
          .select({ savedAt: max(savedMessages.savedAt) })
          .from(savedMessages)
          .where(eq(savedMessages.accountId, accountId)),
      );
      // No two are of the same time, so that pages end between them.
      const values = { accountId, groupId, seq, savedAt: Math.max(savedAt, (newest?.savedAt ?? 0) + 1) };
      await tx.run((orm) => orm.insert(savedMessages).values(values).onConflictDoNothing());
    });
  }

  async isSaved(accountId: number, groupId: number, seq: number): Promise<boolean> {
    const row = await this.#db.get((orm) =>
      orm
        .select()
        .from(savedMessages)
        .where(isBookmark(accountId, groupId, seq)),
    );
    return row !== undefined;
  }

  /** Up to `limit` messages saved before a time, the last saved first. */
  before(accountId: number, time: number, limit: number): Promise<Saved[]> {
    return this.#db.all((orm) =>
      orm
        .select()
        .from(savedMessages)
        .where(and(eq(savedMessages.accountId, accountId), lt(savedMessages.savedAt, time)))
        .orderBy(desc(savedMessages.savedAt), desc(savedMessages.groupId), desc(savedMessages.seq))
        .limit(limit),
    );
  }
}

function isBookmark(accountId: number, groupId: number, seq: number) {
  return and(
    eq(savedMessages.accountId, accountId),
    eq(savedMessages.groupId, groupId),
    eq(savedMessages.seq, seq),
  );
}
