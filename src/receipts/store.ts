import { and, asc, eq } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { playbackReceipts } from '../database/tables/chat.ts';

/** Who has played which voice message. */
export class PlaybackReceiptStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Resolves to whether this is the first time. */
  async add(groupId: number, seq: number, accountId: number, playedAt: number): Promise<boolean> {
    const row = { groupId, seq, accountId, playedAt };
    return (await this.#db.run((orm) => orm.insert(playbackReceipts).values(row).onConflictDoNothing())) > 0;
  }

  /** Up to `limit` people who have played a voice message, the first first. */
  async of(groupId: number, seq: number, limit: number): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ accountId: playbackReceipts.accountId })
        .from(playbackReceipts)
        .where(and(eq(playbackReceipts.groupId, groupId), eq(playbackReceipts.seq, seq)))
        .orderBy(asc(playbackReceipts.playedAt), asc(playbackReceipts.accountId))
        .limit(limit),
    );
    return rows.map((row) => row.accountId);
  }
}
