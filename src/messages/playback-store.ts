import { and, asc, eq } from 'drizzle-orm';
import type { Database } from '../database/open.ts';
import { playbackReceipts } from '../database/tables/chat.ts';

export type PlaybackReceiptStore = {
  /** Resolves to whether this is the first time. */
  add(groupId: number, seq: number, accountId: number, now: number): Promise<boolean>;
  /** Up to `limit` people who have played a voice message, the first first. */
  of(groupId: number, seq: number, limit: number): Promise<number[]>;
};

export function createPlaybackReceiptStore({ orm }: Database): PlaybackReceiptStore {
  return {
    async add(groupId, seq, accountId, now) {
      const row = { groupId, seq, accountId, playedAt: now };
      return orm.insert(playbackReceipts).values(row).onConflictDoNothing().run().changes > 0;
    },
    async of(groupId, seq, limit) {
      const rows = orm
        .select({ accountId: playbackReceipts.accountId })
        .from(playbackReceipts)
        .where(and(eq(playbackReceipts.groupId, groupId), eq(playbackReceipts.seq, seq)))
        .orderBy(asc(playbackReceipts.playedAt), asc(playbackReceipts.accountId))
        .limit(limit)
        .all();
      return rows.map((row) => row.accountId);
    },
  };
}
