import { and, desc, eq, lt, or } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { sessionList } from '../database/tables/users.ts';
import { IDLE_DAYS } from '../site-settings/store.ts';
import type { SessionLifetime } from './session-lifetime.ts';

/** A session as its owner sees it. Times are milliseconds, UTC. */
export type ListedSession = Readonly<{
  id: number;
  sessionId: string;
  accountId: number;
  startedAt: number;
  /** On the day of this time it was used last. */
  usedAt: number;
  /** Such as "Firefox on Linux". */
  label: string;
  /** Where it was used last. */
  address: string;
  /** Whether it ends with its browser, and after a day without use. */
  isBrief?: boolean | undefined;
}>;

export type StartedSession = Details & Pick<ListedSession, 'accountId'> & { epoch: number };

type Row = typeof sessionList.$inferSelect;
type Details = Pick<ListedSession, 'sessionId' | 'label' | 'address' | 'isBrief'>;

const DAY_MS = 86_400_000;
/** Longer than a session lasts without use, whatever administrators choose. */
const KEPT_MS = (10 + Math.max(...IDLE_DAYS.map(Number))) * DAY_MS;
const { details: sealedDetails } = SEALED.sessionList.columns;

/** Which sessions an account has. Session ids are sealed: whoever reads the database cannot use them. */
export class SessionListStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
  }

  /** Notes that a session was started, or is used again from wherever it is now. */
  async note({ accountId, epoch, ...described }: StartedSession, now: number): Promise<void> {
    const { sessionId } = described;
    const sessionIndex = this.#indexOf(sessionId);
    const text = JSON.stringify(described satisfies Details);
    const details = this.#sealer.seal(sealedDetails, { sessionIndex }, text);
    await this.#db.run((orm) => orm.delete(sessionList).where(lt(sessionList.usedAt, now - KEPT_MS)));
    await this.#db.run((orm) =>
      orm
        .insert(sessionList)
        .values({ sessionIndex, accountId, epoch, details, startedAt: now, usedAt: now })
        .onConflictDoUpdate({ target: sessionList.sessionIndex, set: { details, epoch, usedAt: now } }),
    );
  }

  /** The sessions of an account that began after all of its sessions were ended last, the one used last first. */
  async of(accountId: number, epoch: number): Promise<ListedSession[]> {
    const isCurrent = and(eq(sessionList.accountId, accountId), eq(sessionList.epoch, epoch));
    const rows = await this.#db.all((orm) =>
      orm.select().from(sessionList).where(isCurrent).orderBy(desc(sessionList.usedAt), desc(sessionList.id)),
    );
    return rows.map((row) => this.#open(row));
  }

  async isListed(sessionId: string): Promise<boolean> {
    const isIt = eq(sessionList.sessionIndex, this.#indexOf(sessionId));
    const row = await this.#db.get((orm) => orm.select({ id: sessionList.id }).from(sessionList).where(isIt));
    return row !== undefined;
  }

  /** Removes those that have lasted too long, or were not used for too long, and resolves to them. */
  async removeExpired({ idleMs, maxMs }: SessionLifetime, now: number): Promise<ListedSession[]> {
    // The time of the last use is that of its day's first request.
    const isIdle = lt(sessionList.usedAt, now - idleMs - DAY_MS);
    const isOver = maxMs === undefined ? undefined : lt(sessionList.startedAt, now - maxMs);
    const ended = await this.#db.all((orm) => orm.delete(sessionList).where(or(isIdle, isOver)).returning());
    return [...ended.map((row) => this.#open(row)), ...(await this.#removeBrief(now))];
  }

  /** Those that ended with their browser. Which ones these are is sealed. */
  async #removeBrief(now: number): Promise<ListedSession[]> {
    const isUnused = lt(sessionList.usedAt, now - 2 * DAY_MS);
    const rows = await this.#db.all((orm) => orm.select().from(sessionList).where(isUnused));
    const ended = rows.map((row) => this.#open(row)).filter(({ isBrief }) => isBrief);
    for (const { sessionId } of ended) await this.remove(sessionId);
    return ended;
  }

  async remove(sessionId: string): Promise<void> {
    const sessionIndex = this.#indexOf(sessionId);
    await this.#db.run((orm) => orm.delete(sessionList).where(eq(sessionList.sessionIndex, sessionIndex)));
  }

  async removeAllOf(accountId: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(sessionList).where(eq(sessionList.accountId, accountId)));
  }

  #indexOf(sessionId: string): Buffer {
    return this.#index(`session ${sessionId}`);
  }

  #open({ sessionIndex, details, epoch: _epoch, ...row }: Row): ListedSession {
    // The cast is safe: opening authenticates what `note` wrote.
    const opened = JSON.parse(this.#sealer.open(sealedDetails, { sessionIndex }, details)) as Details;
    return { ...row, ...opened };
  }
}
