import { and, asc, count, eq, isNotNull, isNull, lt } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { groups, inboxLines } from '../database/tables/chat.ts';

/** What administrators know of a private line. Times are milliseconds, UTC. */
export type InboxLine = Readonly<{
  groupId: number;
  /** Since when its member waits for an answer; null for one who does not. */
  waitingSince: number | null;
  assigneeId: number | null;
  /** Read by administrators only; empty for none. */
  note: string;
  /** When it was marked as done; a new message of its member opens it again. */
  doneAt: number | null;
}>;

const { note: sealedNote } = SEALED.inboxLines.columns;

/** The queue of the administrators' inbox. */
export class InboxStore {
  readonly #db: Database;
  readonly #sealer: Sealer;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  async add(groupId: number): Promise<void> {
    await this.#db.run((orm) => orm.insert(inboxLines).values({ groupId }).onConflictDoNothing());
  }

  /** Every line: first those that wait, the longest first, then the others. */
  async all(): Promise<InboxLine[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select()
        .from(inboxLines)
        .orderBy(isNull(inboxLines.waitingSince), asc(inboxLines.waitingSince), asc(inboxLines.groupId)),
    );
    return rows.map(({ notedSeq: _noted, note, ...row }) => ({
      ...row,
      note: note ? this.#sealer.open(sealedNote, row, note) : '',
    }));
  }

  async countWaiting(): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm.select({ lines: count() }).from(inboxLines).where(isNotNull(inboxLines.waitingSince)),
    );
    return row?.lines ?? 0;
  }

  /** Lines with messages that were not noted, as after a crash: the last that was, and the newest. */
  unnoted(): Promise<{ groupId: number; notedSeq: number; lastSeq: number }[]> {
    return this.#db.all((orm) =>
      orm
        .select({ groupId: inboxLines.groupId, notedSeq: inboxLines.notedSeq, lastSeq: groups.lastSeq })
        .from(inboxLines)
        .innerJoin(groups, eq(groups.id, inboxLines.groupId))
        .where(lt(inboxLines.notedSeq, groups.lastSeq)),
    );
  }

  /**
   * Notes who wrote last. A member who waits already waits since then; one who writes opens the line again.
   * @param waitingSince null where an administrator has answered
   * @param seq the newest message taken into account; an older one than noted changes nothing
   */
  async note(groupId: number, seq: number, waitingSince: number | null): Promise<void> {
    const isNewer = and(eq(inboxLines.groupId, groupId), lt(inboxLines.notedSeq, seq));
    if (waitingSince === null) {
      await this.#db.run((orm) => orm.update(inboxLines).set({ notedSeq: seq, waitingSince }).where(isNewer));
      return;
    }
    await this.#db.transaction(async (tx) => {
      const line = await tx.get((orm) => orm.select().from(inboxLines).where(isNewer));
      if (!line) return;
      const values = { notedSeq: seq, waitingSince: line.waitingSince ?? waitingSince, doneAt: null };
      await tx.run((orm) => orm.update(inboxLines).set(values).where(isNewer));
    });
  }

  async assign(groupId: number, assigneeId: number | null): Promise<void> {
    await this.#change(groupId, { assigneeId });
  }

  /** @param note empty takes it away */
  async setNote(groupId: number, note: string): Promise<void> {
    await this.#change(groupId, {
      note: note === '' ? null : this.#sealer.seal(sealedNote, { groupId }, note),
    });
  }

  /** A line that is done does not wait. @param doneAt null opens it again */
  async setDone(groupId: number, doneAt: number | null): Promise<void> {
    await this.#change(groupId, doneAt === null ? { doneAt } : { doneAt, waitingSince: null });
  }

  async #change(groupId: number, values: Partial<typeof inboxLines.$inferInsert>): Promise<void> {
    await this.#db.run((orm) => orm.update(inboxLines).set(values).where(eq(inboxLines.groupId, groupId)));
  }
}
