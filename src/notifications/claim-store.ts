import { and, eq, gt, isNull, lt, or } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { groups, notifiedGroups } from '../database/tables/chat.ts';

/**
 * Who notifies of which messages: of several processes that hear of a message, one does, and what none of them has
 * claimed, such as before a crash, is found at the next start.
 */
export class NotificationClaimStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Claims the messages of a group up to one, in one statement.
   * @returns the seq of the first of them; undefined where all are claimed already
   */
  async claim(groupId: number, upTo: number): Promise<number | undefined> {
    for (;;) {
      const row = await this.#db.get((orm) =>
        orm.select().from(notifiedGroups).where(eq(notifiedGroups.groupId, groupId)),
      );
      const before = row?.seq ?? 0;
      if (before >= upTo) return undefined;
      const claimed = await this.#db.run((orm) =>
        orm
          .insert(notifiedGroups)
          .values({ groupId, seq: upTo })
          .onConflictDoUpdate({
            target: notifiedGroups.groupId,
            set: { seq: upTo },
            setWhere: eq(notifiedGroups.seq, before),
          }),
      );
      if (claimed > 0) return before + 1;
    }
  }

  /** The groups with messages that nobody has claimed. */
  async unclaimed(): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ id: groups.id })
        .from(groups)
        .leftJoin(notifiedGroups, eq(notifiedGroups.groupId, groups.id))
        .where(
          or(lt(notifiedGroups.seq, groups.lastSeq), and(isNull(notifiedGroups.seq), gt(groups.lastSeq, 0))),
        ),
    );
    return rows.map((row) => row.id);
  }
}
