import { and, asc, eq } from 'drizzle-orm';
import type { Database } from '../database/open.ts';
import { heard } from '../database/tables/chat.ts';

export type HeardStore = {
  /** Resolves to whether this is the first time. */
  add(groupId: number, seq: number, accountId: number, now: number): Promise<boolean>;
  /** Up to `limit` people who have played a voice message, the first first. */
  of(groupId: number, seq: number, limit: number): Promise<number[]>;
};

export function createHeardStore({ orm }: Database): HeardStore {
  return {
    async add(groupId, seq, accountId, now) {
      const row = { groupId, seq, accountId, heardAt: now };
      return orm.insert(heard).values(row).onConflictDoNothing().run().changes > 0;
    },
    async of(groupId, seq, limit) {
      const rows = orm
        .select({ accountId: heard.accountId })
        .from(heard)
        .where(and(eq(heard.groupId, groupId), eq(heard.seq, seq)))
        .orderBy(asc(heard.heardAt), asc(heard.accountId))
        .limit(limit)
        .all();
      return rows.map((row) => row.accountId);
    },
  };
}
