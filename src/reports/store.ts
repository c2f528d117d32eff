import { and, asc, count, eq, isNull, type SQL } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { memberships, reports } from '../database/tables/chat.ts';

/** A message that a member reported. Times are milliseconds, UTC. */
export type Report = Readonly<{
  id: number;
  groupId: number;
  seq: number;
  reporterId: number;
  reason: string;
  createdAt: number;
  /** Null for one that waits. */
  resolvedAt: number | null;
}>;

export type NewReport = Pick<Report, 'groupId' | 'seq' | 'reporterId' | 'reason'>;

const { reason: sealedReason } = SEALED.reports.columns;

export class ReportStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #linesOnly: boolean;

  /** @param linesOnly whether owners see reports of nothing, as there are no groups but private lines */
  constructor(db: Database, sealer: Sealer, linesOnly = false) {
    this.#linesOnly = linesOnly;
    this.#db = db;
    this.#sealer = sealer;
  }

  /** Resolves to false for somebody who has reported this message already. */
  async add({ reason, ...rest }: NewReport, createdAt: number): Promise<boolean> {
    const values = { ...rest, createdAt, reason: this.#sealer.seal(sealedReason, rest, reason) };
    return (await this.#db.run((orm) => orm.insert(reports).values(values).onConflictDoNothing())) > 0;
  }

  async byId(id: number): Promise<Report | undefined> {
    const row = await this.#db.get((orm) => orm.select().from(reports).where(eq(reports.id, id)));
    return row && this.#open(row);
  }

  /** Up to `limit` that wait, the oldest first. @param ownerId those of this account's groups; undefined is all */
  async waiting(ownerId: number | undefined, limit: number): Promise<Report[]> {
    if (this.#linesOnly && ownerId !== undefined) return [];
    const rows = await this.#db.all((orm) => {
      const waiting = orm.select({ report: reports }).from(reports);
      const found =
        ownerId === undefined
          ? waiting.where(isNull(reports.resolvedAt))
          : waiting.innerJoin(memberships, isOwnedBy(ownerId)).where(isNull(reports.resolvedAt));
      return found.orderBy(asc(reports.id)).limit(limit);
    });
    return rows.map(({ report }) => this.#open(report));
  }

  /** How many wait, of one account's groups or of all. */
  async countWaiting(ownerId: number | undefined): Promise<number> {
    if (this.#linesOnly && ownerId !== undefined) return 0;
    const row = await this.#db.get((orm) => {
      const waiting = orm.select({ waiting: count() }).from(reports);
      return ownerId === undefined
        ? waiting.where(isNull(reports.resolvedAt))
        : waiting.innerJoin(memberships, isOwnedBy(ownerId)).where(isNull(reports.resolvedAt));
    });
    return row?.waiting ?? 0;
  }

  /** Resolves every report of a message. @returns how many waited */
  async resolve({ groupId, seq }: Pick<Report, 'groupId' | 'seq'>, now: number): Promise<number> {
    const isWaiting = and(eq(reports.groupId, groupId), eq(reports.seq, seq), isNull(reports.resolvedAt));
    return this.#db.run((orm) => orm.update(reports).set({ resolvedAt: now }).where(isWaiting));
  }

  #open({ reason, ...row }: typeof reports.$inferSelect): Report {
    return { ...row, reason: this.#sealer.open(sealedReason, row, reason) };
  }
}

function isOwnedBy(accountId: number): SQL | undefined {
  return and(
    eq(memberships.groupId, reports.groupId),
    eq(memberships.accountId, accountId),
    eq(memberships.isOwner, true),
  );
}
