import { and, asc, count, eq, isNotNull, isNull, ne, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { groups, memberships, messages, reports } from '../database/tables/chat.ts';

/** A message that a member reported. Times are milliseconds, UTC. */
export type Report = Readonly<{
  id: number;
  groupId: number;
  seq: number;
  reporterId: number;
  reason: string;
  /** What the message said when it was reported; null once the report is answered. */
  content: string | null;
  createdAt: number;
  /** Null for one that waits. */
  resolvedAt: number | null;
}>;

/** Whose queue it is. */
type Viewer = Readonly<{ id: number; isAdmin: boolean }>;

export type NewReport = Pick<Report, 'groupId' | 'seq' | 'reporterId' | 'reason'> & { content: string };

const { reason: sealedReason, content: sealedContent } = SEALED.reports.columns;

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

  /** Resolves to false for somebody whose report of this message still waits; one that was answered waits anew. */
  async add({ reason, content, ...rest }: NewReport, createdAt: number): Promise<boolean> {
    const values = {
      ...rest,
      createdAt,
      reason: this.#sealer.seal(sealedReason, rest, reason),
      content: this.#sealer.seal(sealedContent, rest, content),
    };
    const { reason: sealed, content: said } = values;
    const again = { reason: sealed, content: said, createdAt, resolvedAt: null };
    const target = [reports.groupId, reports.seq, reports.reporterId];
    return (
      (await this.#db.run((orm) =>
        orm
          .insert(reports)
          .values(values)
          .onConflictDoUpdate({ target, set: again, setWhere: isNotNull(reports.resolvedAt) }),
      )) > 0
    );
  }

  async byId(id: number): Promise<Report | undefined> {
    const row = await this.#db.get((orm) => orm.select().from(reports).where(eq(reports.id, id)));
    return row && this.#open(row);
  }

  /** Up to `limit` that wait for somebody, the oldest first: of all groups, or of their own; never of what they wrote. */
  async waiting(viewer: Viewer, limit: number): Promise<Report[]> {
    if (this.#linesOnly && !viewer.isAdmin) return [];
    const rows = await this.#db.all((orm) => {
      const waiting = orm.select({ report: reports }).from(reports).leftJoin(messages, isReported);
      const found = viewer.isAdmin ? waiting : waiting.innerJoin(memberships, isOwnedBy(viewer.id));
      return found.where(waitsFor(viewer)).orderBy(asc(reports.id)).limit(limit);
    });
    return rows.map(({ report }) => this.#open(report));
  }

  /** How many `waiting` would find. */
  async countWaiting(viewer: Viewer): Promise<number> {
    if (this.#linesOnly && !viewer.isAdmin) return 0;
    const row = await this.#db.get((orm) => {
      const waiting = orm.select({ waiting: count() }).from(reports).leftJoin(messages, isReported);
      const found = viewer.isAdmin ? waiting : waiting.innerJoin(memberships, isOwnedBy(viewer.id));
      return found.where(waitsFor(viewer));
    });
    return row?.waiting ?? 0;
  }

  /** Resolves every report of a message, and forgets what it said. @returns how many waited */
  async resolve({ groupId, seq }: Pick<Report, 'groupId' | 'seq'>, now: number): Promise<number> {
    const isWaiting = and(eq(reports.groupId, groupId), eq(reports.seq, seq), isNull(reports.resolvedAt));
    return this.#db.run((orm) =>
      orm.update(reports).set({ resolvedAt: now, content: null }).where(isWaiting),
    );
  }

  #open({ reason, content, ...row }: typeof reports.$inferSelect): Report {
    return {
      ...row,
      reason: this.#sealer.open(sealedReason, row, reason),
      content: content && this.#sealer.open(sealedContent, row, content),
    };
  }
}

const isReported = and(eq(messages.groupId, reports.groupId), eq(messages.seq, reports.seq));

/** Whoever wrote a message is not told who reported it. One that is gone has no author any more. */
function waitsFor({ id }: Viewer): SQL | undefined {
  const isGroupThere = sql`EXISTS (SELECT 1 FROM ${groups} WHERE ${groups.id} = ${reports.groupId} AND ${groups.deletedAt} IS NULL)`;
  const isByOther = or(isNull(messages.authorId), ne(messages.authorId, id));
  return and(isNull(reports.resolvedAt), isByOther, isGroupThere);
}

function isOwnedBy(accountId: number): SQL | undefined {
  return and(
    eq(memberships.groupId, reports.groupId),
    eq(memberships.accountId, accountId),
    eq(memberships.isOwner, true),
  );
}
