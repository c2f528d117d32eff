import { and, asc, count, eq, gt, isNull, lt, notExists } from 'drizzle-orm';
import { alias } from 'drizzle-orm/sqlite-core';
import type { Database } from '../database/executor.ts';
import { webhookDeliveries, webhooks } from '../database/tables/webhooks.ts';
import type { Delivery } from './webhook.ts';

/** Which messages webhooks are still to be told of; they survive a crash. */
export class DeliveryStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /**
   * Moves a webhook on to a message, with deliveries for some of those before; once, whoever else tries to.
   * @param before the last message that was considered so far
   */
  async enqueue(
    webhookId: number,
    { before, upTo, seqs }: { before: number; upTo: number; seqs: readonly number[] },
    now: number,
  ): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const isHere = and(eq(webhooks.id, webhookId), eq(webhooks.seq, before));
      if ((await tx.run((orm) => orm.update(webhooks).set({ seq: upTo }).where(isHere))) === 0) return;
      if (seqs.length === 0) return;
      const rows = seqs.map((seq) => ({ webhookId, seq, dueAt: now }));
      await tx.run((orm) => orm.insert(webhookDeliveries).values(rows).onConflictDoNothing());
    });
  }

  /**
   * The first delivery of each webhook, so that a program gets messages in their order; those that are due first come
   * first.
   */
  next(limit: number): Promise<Delivery[]> {
    const earlier = alias(webhookDeliveries, 'earlier');
    const { id, webhookId, seq, attempts, dueAt } = webhookDeliveries;
    return this.#db.all((orm) =>
      orm
        .select({ id, webhookId, seq, attempts, dueAt, creatorId: webhooks.creatorId })
        .from(webhookDeliveries)
        .innerJoin(webhooks, and(eq(webhooks.id, webhookId), isNull(webhooks.stoppedAt)))
        .where(
          notExists(
            orm
              .select()
              .from(earlier)
              .where(and(eq(earlier.webhookId, webhookId), lt(earlier.id, id))),
          ),
        )
        .orderBy(asc(dueAt))
        .limit(limit),
    );
  }

  /** Resolves to whether nobody else has claimed it. @param until when others may, should this process end */
  async claim({ id, dueAt }: Delivery, until: number): Promise<boolean> {
    const isFree = and(eq(webhookDeliveries.id, id), eq(webhookDeliveries.dueAt, dueAt));
    return (
      (await this.#db.run((orm) => orm.update(webhookDeliveries).set({ dueAt: until }).where(isFree))) > 0
    );
  }

  /** Makes every delivery due: those that a process claimed before it ended, too. */
  async releaseAll(now: number): Promise<void> {
    await this.#db.run((orm) =>
      orm.update(webhookDeliveries).set({ dueAt: now }).where(gt(webhookDeliveries.dueAt, now)),
    );
  }

  async postpone({ id, attempts }: Delivery, dueAt: number): Promise<void> {
    await this.#db.run((orm) =>
      orm
        .update(webhookDeliveries)
        .set({ dueAt, attempts: attempts + 1 })
        .where(eq(webhookDeliveries.id, id)),
    );
  }

  /** Makes every delivery of a webhook due, with all of its attempts. */
  async retry(webhookId: number, now: number): Promise<void> {
    await this.#db.run((orm) =>
      orm
        .update(webhookDeliveries)
        .set({ dueAt: now, attempts: 0 })
        .where(eq(webhookDeliveries.webhookId, webhookId)),
    );
  }

  async remove(id: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(webhookDeliveries).where(eq(webhookDeliveries.id, id)));
  }

  /** How many deliveries wait, of all webhooks. */
  async countAll(): Promise<number> {
    return (
      (await this.#db.get((orm) => orm.select({ waiting: count() }).from(webhookDeliveries)))?.waiting ?? 0
    );
  }

  async countOf(webhookId: number): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm
        .select({ waiting: count() })
        .from(webhookDeliveries)
        .where(eq(webhookDeliveries.webhookId, webhookId)),
    );
    return row?.waiting ?? 0;
  }
}
