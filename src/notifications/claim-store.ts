import { and, eq, gt, isNull, lt, or, sql } from 'drizzle-orm';
import type { Database, Executor, Orm } from '../database/executor.ts';
import { groups, notifiedGroups } from '../database/tables/chat.ts';

/** The messages of a group up to one. */
export type Claim = Readonly<{ groupId: number; upTo: number }>;

const value = (name: string) => sql.placeholder(name);

function claimQueries(orm: Orm) {
  return {
    claimed: orm
      .select()
      .from(notifiedGroups)
      .where(eq(notifiedGroups.groupId, value('groupId')))
      .prepare(),
    claim: orm
      .insert(notifiedGroups)
      .values({ groupId: value('groupId'), seq: value('upTo') })
      .onConflictDoUpdate({
        target: notifiedGroups.groupId,
        set: { seq: sql`excluded.seq` },
        setWhere: eq(notifiedGroups.seq, value('before')),
      })
      .prepare(),
  };
}

/**
 * Who notifies of which messages: of several processes that hear of a message, one does, and what none of them has
 * claimed, such as before a crash, is found at the next start.
 */
export class NotificationClaimStore {
  readonly #db: Database;
  readonly #queries: ReturnType<typeof claimQueries>;

  constructor(db: Database) {
    this.#db = db;
    this.#queries = db.prepare(claimQueries);
  }

  /**
   * Claims messages of several groups, in one transaction: each commit waits for the disk.
   * @returns the seq of the first of them by group, without the groups where all are claimed already
   */
  claim(claims: readonly Claim[]): Promise<ReadonlyMap<number, number>> {
    return this.#db.transaction(async (tx) => {
      const firsts = new Map<number, number>();
      // In order, so that no two processes wait for each other.
      for (const claim of [...claims].sort((a, b) => a.groupId - b.groupId)) {
        const first = await this.#claimOne(tx, claim);
        if (first !== undefined) firsts.set(claim.groupId, first);
      }
      return firsts;
    }, []);
  }

  async #claimOne(tx: Executor, { groupId, upTo }: Claim): Promise<number | undefined> {
    for (;;) {
      const before = (await tx.get(this.#queries.claimed, { groupId }))?.seq ?? 0;
      if (before >= upTo) return undefined;
      if ((await tx.run(this.#queries.claim, { groupId, upTo, before })) > 0) return before + 1;
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
