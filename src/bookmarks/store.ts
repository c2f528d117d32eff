import { and, desc, eq, lt } from 'drizzle-orm';
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
    await this.#db.run((orm) =>
      isSaved
        ? orm.insert(savedMessages).values({ accountId, groupId, seq, savedAt }).onConflictDoNothing()
        : orm.delete(savedMessages).where(isBookmark(accountId, groupId, seq)),
    );
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
