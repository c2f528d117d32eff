import { and, asc, eq, sql } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
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

export type DeviceStore = {
  /** Keeps a device; one that is known already now belongs to this account and session. */
  add(device: Omit<Device, 'id' | 'deliveredAt'>, sessionId: string): Promise<void>;
  of(accountId: number): Promise<Device[]>;
  /** Whether an account has any device. */
  has(accountId: number): Promise<boolean>;
  /** Resolves to whether this account had it. */
  remove(accountId: number, id: number): Promise<boolean>;
  /** A session that ends takes its devices with it. */
  removeOfSession(sessionId: string): Promise<void>;
  removeAllOf(accountId: number): Promise<void>;
  delivered(id: number, now: number): Promise<void>;
};

/** Maximum number of devices per account; a new one replaces the oldest. */
const MAX_DEVICES = 12;

type Row = typeof pushSubscriptions.$inferSelect;
type Sealed = Pick<Device, 'endpoint' | 'p256dh' | 'auth' | 'label'>;

const { subscription: sealedSubscription } = SEALED.pushSubscriptions.columns;

export function createDeviceStore(db: Database, sealer: Sealer, index: BlindIndex): DeviceStore {
  const sessionIndex = (sessionId: string) => index(`session ${sessionId}`);
  const queries = db.prepare((orm) => ({
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
  }));

  function open(row: Row): Device {
    // What `add` below sealed, and nobody else can have.
    const opened = JSON.parse(sealer.open(sealedSubscription, row, row.subscription)) as Sealed;
    const { id, accountId, createdAt, deliveredAt } = row;
    return { id, accountId, createdAt, deliveredAt, ...opened };
  }

  return {
    add: ({ accountId, createdAt, ...described }, sessionId) =>
      db.transaction(async (tx) => {
        const endpointIndex = index(described.endpoint);
        const values = {
          accountId,
          endpointIndex,
          sessionIndex: sessionIndex(sessionId),
          subscription: sealer.seal(sealedSubscription, { endpointIndex }, JSON.stringify(described)),
          createdAt,
        };
        await tx.run((orm) =>
          orm
            .insert(pushSubscriptions)
            .values(values)
            .onConflictDoUpdate({ target: pushSubscriptions.endpointIndex, set: values }),
        );
        const rows = await tx.all(queries.of, { accountId });
        for (const { id } of rows.slice(0, -MAX_DEVICES))
          await tx.run((orm) => orm.delete(pushSubscriptions).where(eq(pushSubscriptions.id, id)));
      }),
    of: async (accountId) => (await db.all(queries.of, { accountId })).map(open),
    has: async (accountId) => (await db.get(queries.has, { accountId })) !== undefined,
    async remove(accountId, id) {
      const isOwnDevice = and(eq(pushSubscriptions.id, id), eq(pushSubscriptions.accountId, accountId));
      return (await db.run((orm) => orm.delete(pushSubscriptions).where(isOwnDevice))) > 0;
    },
    async removeOfSession(sessionId) {
      const isOfSession = eq(pushSubscriptions.sessionIndex, sessionIndex(sessionId));
      await db.run((orm) => orm.delete(pushSubscriptions).where(isOfSession));
    },
    async removeAllOf(accountId) {
      await db.run((orm) => orm.delete(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId)));
    },
    async delivered(id, deliveredAt) {
      await db.run((orm) =>
        orm.update(pushSubscriptions).set({ deliveredAt }).where(eq(pushSubscriptions.id, id)),
      );
    },
  };
}
