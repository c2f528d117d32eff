import { and, asc, eq, sql } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database, Orm } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { pushSubscriptions } from '../database/tables/users.ts';

/** A device that takes push messages, as its browser described it (W3C Push API, PushSubscription). */
export type Device = {
  id: number;
  accountId: number;
  endpoint: string;
  p256dh: string;
  auth: string;
  /** What the browser calls itself, such as "Firefox on Linux". */
  label: string;
  createdAt: number;
  /** When a message last reached its vendor; null for never. */
  deliveredAt: number | null;
};

/** Maximum number of devices per account; a new one replaces the oldest. */
const MAX_DEVICES = 12;

type Row = typeof pushSubscriptions.$inferSelect;
type Sealed = Pick<Device, 'endpoint' | 'p256dh' | 'auth' | 'label'>;

const { subscription: sealedSubscription } = SEALED.pushSubscriptions.columns;

function deviceQueries(orm: Orm) {
  return {
    of: orm
      .select()
      .from(pushSubscriptions)
      .where(eq(pushSubscriptions.accountId, sql.placeholder('accountId')))
      .orderBy(asc(pushSubscriptions.id))
      .prepare(),
    has: orm
      .select({ id: pushSubscriptions.id })
      .from(pushSubscriptions)
      .where(eq(pushSubscriptions.accountId, sql.placeholder('accountId')))
      .limit(1)
      .prepare(),
  };
}

/** The devices that take push messages. */
export class DeviceStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;
  readonly #queries: ReturnType<typeof deviceQueries>;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
    this.#queries = db.prepare(deviceQueries);
  }

  /** Stores a device. A device that is already stored is reassigned to this account and session. */
  add(
    { accountId, createdAt, ...described }: Omit<Device, 'id' | 'deliveredAt'>,
    sessionId: string,
  ): Promise<void> {
    return this.#db.transaction(async (tx) => {
      const endpointIndex = this.#index(described.endpoint);
      const values = {
        accountId,
        endpointIndex,
        sessionIndex: this.#sessionIndex(sessionId),
        subscription: this.#sealer.seal(sealedSubscription, { endpointIndex }, JSON.stringify(described)),
        createdAt,
      };
      await tx.run((orm) =>
        orm
          .insert(pushSubscriptions)
          .values(values)
          .onConflictDoUpdate({ target: pushSubscriptions.endpointIndex, set: values }),
      );
      const rows = await tx.all(this.#queries.of, { accountId });
      for (const { id } of rows.slice(0, -MAX_DEVICES))
        await tx.run((orm) => orm.delete(pushSubscriptions).where(eq(pushSubscriptions.id, id)));
    });
  }

  async of(accountId: number): Promise<Device[]> {
    return (await this.#db.all(this.#queries.of, { accountId })).map((row) => this.#open(row));
  }

  /** Whether an account has any device. */
  async has(accountId: number): Promise<boolean> {
    return (await this.#db.get(this.#queries.has, { accountId })) !== undefined;
  }

  /** Whether an account has this device: it signs out with its session. */
  async isOf(accountId: number, id: number): Promise<boolean> {
    return (await this.#db.all(this.#queries.of, { accountId })).some((row) => row.id === id);
  }

  /** Resolves to whether this account had it. */
  async remove(accountId: number, id: number): Promise<boolean> {
    const isOwnDevice = and(eq(pushSubscriptions.id, id), eq(pushSubscriptions.accountId, accountId));
    return (await this.#db.run((orm) => orm.delete(pushSubscriptions).where(isOwnDevice))) > 0;
  }

  /** A session that ends takes its devices with it. */
  async removeOfSession(sessionId: string): Promise<void> {
    const isOfSession = eq(pushSubscriptions.sessionIndex, this.#sessionIndex(sessionId));
    await this.#db.run((orm) => orm.delete(pushSubscriptions).where(isOfSession));
  }

  async removeAllOf(accountId: number): Promise<void> {
    const isOfAccount = eq(pushSubscriptions.accountId, accountId);
    await this.#db.run((orm) => orm.delete(pushSubscriptions).where(isOfAccount));
  }

  async delivered(id: number, deliveredAt: number): Promise<void> {
    await this.#db.run((orm) =>
      orm.update(pushSubscriptions).set({ deliveredAt }).where(eq(pushSubscriptions.id, id)),
    );
  }

  #sessionIndex(sessionId: string): Buffer {
    return this.#index(`session ${sessionId}`);
  }

  #open(row: Row): Device {
    // The cast is safe: only `add` writes this value, and opening it authenticates it.
    const opened = JSON.parse(this.#sealer.open(sealedSubscription, row, row.subscription)) as Sealed;
    const { id, accountId, createdAt, deliveredAt } = row;
    return { id, accountId, createdAt, deliveredAt, ...opened };
  }
}
