import { and, asc, eq, gt } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Cipher } from '../crypto/cipher.ts';
import type { Database } from '../database/open.ts';
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
  /** Whether an account has any device, from memory. */
  has(accountId: number): boolean;
  /** Resolves to whether this account had it. */
  remove(accountId: number, id: number): Promise<boolean>;
  /** A session that ends takes its devices with it. */
  removeOfSession(sessionId: string): Promise<void>;
  removeAllOf(accountId: number): Promise<void>;
  delivered(id: number, now: number): Promise<void>;
  /** Seals up to `limit` devices after `afterId` with the current key; resolves to the last id seen, undefined at the end. */
  reseal(afterId: number, limit: number): Promise<number | undefined>;
};

/** Maximum number of devices per account; a new one replaces the oldest. */
const MAX_DEVICES = 12;

type Row = typeof pushSubscriptions.$inferSelect;
type Sealed = Pick<Device, 'endpoint' | 'p256dh' | 'auth' | 'label'>;

export function createDeviceStore(
  { orm, atomically }: Database,
  cipher: Cipher,
  index: BlindIndex,
): DeviceStore {
  const subscriptionAad = (endpointIndex: Buffer) => `push/${endpointIndex.toString('hex')}`;
  const sessionIndex = (sessionId: string) => index(`session ${sessionId}`);
  const withDevices = new Set(
    orm
      .select({ accountId: pushSubscriptions.accountId })
      .from(pushSubscriptions)
      .all()
      .map((row) => row.accountId),
  );

  function open(row: Row): Device {
    // What `add` below sealed, and nobody else can have.
    const sealed = JSON.parse(cipher.open(subscriptionAad(row.endpointIndex), row.subscription)) as Sealed;
    const { id, accountId, createdAt, deliveredAt } = row;
    return { id, accountId, createdAt, deliveredAt, ...sealed };
  }

  function devicesOf(accountId: number): Device[] {
    return orm
      .select()
      .from(pushSubscriptions)
      .where(eq(pushSubscriptions.accountId, accountId))
      .orderBy(asc(pushSubscriptions.id))
      .all()
      .map(open);
  }

  function forget(accountId: number): void {
    if (devicesOf(accountId).length === 0) withDevices.delete(accountId);
  }

  return {
    async add({ accountId, createdAt, ...sealed }, sessionId) {
      const endpointIndex = index(sealed.endpoint);
      const values = {
        accountId,
        endpointIndex,
        sessionIndex: sessionIndex(sessionId),
        subscription: cipher.seal(subscriptionAad(endpointIndex), JSON.stringify(sealed)),
        createdAt,
      };
      orm
        .insert(pushSubscriptions)
        .values(values)
        .onConflictDoUpdate({ target: pushSubscriptions.endpointIndex, set: values })
        .run();
      withDevices.add(accountId);
      for (const { id } of devicesOf(accountId).slice(0, -MAX_DEVICES))
        orm.delete(pushSubscriptions).where(eq(pushSubscriptions.id, id)).run();
    },
    of: async (accountId) => devicesOf(accountId),
    has: (accountId) => withDevices.has(accountId),
    async remove(accountId, id) {
      const isOwnDevice = and(eq(pushSubscriptions.id, id), eq(pushSubscriptions.accountId, accountId));
      const { changes } = orm.delete(pushSubscriptions).where(isOwnDevice).run();
      forget(accountId);
      return changes > 0;
    },
    async removeOfSession(sessionId) {
      const rows = orm
        .delete(pushSubscriptions)
        .where(eq(pushSubscriptions.sessionIndex, sessionIndex(sessionId)))
        .returning({ accountId: pushSubscriptions.accountId })
        .all();
      for (const { accountId } of rows) forget(accountId);
    },
    async removeAllOf(accountId) {
      orm.delete(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId)).run();
      withDevices.delete(accountId);
    },
    async delivered(id, now) {
      orm.update(pushSubscriptions).set({ deliveredAt: now }).where(eq(pushSubscriptions.id, id)).run();
    },
    async reseal(afterId, limit) {
      const rows = orm
        .select()
        .from(pushSubscriptions)
        .where(gt(pushSubscriptions.id, afterId))
        .orderBy(asc(pushSubscriptions.id))
        .limit(limit)
        .all();
      await atomically(
        rows.map((row) => () => {
          const aad = subscriptionAad(row.endpointIndex);
          const subscription = cipher.seal(aad, cipher.open(aad, row.subscription));
          return orm
            .update(pushSubscriptions)
            .set({ subscription })
            .where(eq(pushSubscriptions.id, row.id))
            .run();
        }),
      );
      return rows.at(-1)?.id;
    },
  };
}
