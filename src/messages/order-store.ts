import { and, asc, eq, gt, gte, lt, lte } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { groups, messages } from '../database/tables/chat.ts';

/**
 * Where the messages of a group are not in the order of their times: those that were brought in from elsewhere are older
 * than what stood before them.
 */
export class MessageOrderStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Notes that messages up to one were brought in. */
  async noteImported(groupId: number, seq: number): Promise<void> {
    const isOlder = and(eq(groups.id, groupId), lt(groups.importedSeq, seq));
    await this.#db.run((orm) => orm.update(groups).set({ importedSeq: seq }).where(isOlder));
  }

  /** The last message that was brought in; those after it are ordered by time. 0 where none was. */
  async importedUpTo(groupId: number): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm.select({ seq: groups.importedSeq }).from(groups).where(eq(groups.id, groupId)),
    );
    return row?.seq ?? 0;
  }

  /** The first in time that was written at or after `time`, among those after one message and up to another. */
  firstSince(
    groupId: number,
    { after, upTo }: { after: number; upTo: number },
    time: number,
  ): Promise<{ seq: number; createdAt: number } | undefined> {
    const isAmong = and(eq(messages.groupId, groupId), gt(messages.seq, after), lte(messages.seq, upTo));
    return this.#db.get((orm) =>
      orm
        .select({ seq: messages.seq, createdAt: messages.createdAt })
        .from(messages)
        .where(and(isAmong, gte(messages.createdAt, time)))
        .orderBy(asc(messages.createdAt), asc(messages.seq))
        .limit(1),
    );
  }
}
