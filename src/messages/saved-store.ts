import { and, desc, eq, lt } from 'drizzle-orm';
import type { Database } from '../database/open.ts';
import { savedMessages } from '../database/tables/chat.ts';

export type Saved = { groupId: number; seq: number; savedAt: number };

export type SavedStore = {
  /** Adds or removes a bookmark. */
  set(accountId: number, groupId: number, seq: number, isSaved: boolean, now: number): Promise<void>;
  isSaved(accountId: number, groupId: number, seq: number): Promise<boolean>;
  /** Up to `limit` messages saved before a time, the last saved first. */
  before(accountId: number, time: number, limit: number): Promise<Saved[]>;
};

export function createSavedStore({ orm }: Database): SavedStore {
  const isBookmark = (accountId: number, groupId: number, seq: number) =>
    and(
      eq(savedMessages.accountId, accountId),
      eq(savedMessages.groupId, groupId),
      eq(savedMessages.seq, seq),
    );
  return {
    async set(accountId, groupId, seq, isSaved, now) {
      if (isSaved)
        orm
          .insert(savedMessages)
          .values({ accountId, groupId, seq, savedAt: now })
          .onConflictDoNothing()
          .run();
      else
        orm
          .delete(savedMessages)
          .where(isBookmark(accountId, groupId, seq))
          .run();
    },
    async isSaved(accountId, groupId, seq) {
      return (
        orm
          .select()
          .from(savedMessages)
          .where(isBookmark(accountId, groupId, seq))
          .get() !== undefined
      );
    },
    async before(accountId, time, limit) {
      return orm
        .select()
        .from(savedMessages)
        .where(and(eq(savedMessages.accountId, accountId), lt(savedMessages.savedAt, time)))
        .orderBy(desc(savedMessages.savedAt), desc(savedMessages.groupId), desc(savedMessages.seq))
        .limit(limit)
        .all();
    },
  };
}
