import { and, asc, count, eq, sql } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database, Orm } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { webhooks } from '../database/tables/webhooks.ts';
import type { Webhook, WebhookDetails } from './webhook.ts';

type Row = typeof webhooks.$inferSelect;

export type NewWebhook = Pick<
  Webhook,
  'groupId' | 'accountId' | 'creatorId' | 'kind' | 'seq' | 'createdAt'
> & {
  details: WebhookDetails;
};

/** What is noted of the last use or the last delivery. */
export type WebhookState = Partial<Pick<Webhook, 'usedAt' | 'failingSince' | 'failure' | 'stoppedAt'>>;

const { details: sealedDetails } = SEALED.webhooks.columns;

/** Those that are asked for with every message. */
function webhookQueries(orm: Orm) {
  const isOfGroup = eq(webhooks.groupId, sql.placeholder('groupId'));
  return { ofGroup: orm.select().from(webhooks).where(isOfGroup).orderBy(asc(webhooks.id)).prepare() };
}

export class WebhookStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;
  readonly #queries: ReturnType<typeof webhookQueries>;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
    this.#queries = db.prepare(webhookQueries);
  }

  /** @returns its id */
  async add({ details, ...values }: NewWebhook): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm
        .insert(webhooks)
        .values({ ...values, ...this.#seal(details) })
        .returning({ id: webhooks.id }),
    );
    if (!row) throw new Error('A webhook vanished while it was made.');
    return row.id;
  }

  /** The incoming webhook of an address. */
  async bySecret(secret: string): Promise<Webhook | undefined> {
    const isIt = and(eq(webhooks.secretIndex, this.#indexOf(secret)), eq(webhooks.kind, 'incoming'));
    const row = await this.#db.get((orm) => orm.select().from(webhooks).where(isIt));
    return row && this.#open(row);
  }

  async byId(id: number): Promise<Webhook | undefined> {
    const row = await this.#db.get((orm) => orm.select().from(webhooks).where(eq(webhooks.id, id)));
    return row && this.#open(row);
  }

  /** That of a bot. */
  async byBot(accountId: number): Promise<Webhook | undefined> {
    const row = await this.#db.get((orm) =>
      orm.select().from(webhooks).where(eq(webhooks.accountId, accountId)),
    );
    return row && this.#open(row);
  }

  /** Those of a group, the oldest first. */
  async of(groupId: number): Promise<Webhook[]> {
    const rows = await this.#db.all(this.#queries.ofGroup, { groupId });
    return rows.map((row) => this.#open(row));
  }

  /** Its commands, such as `weather`, each with the hint of what follows it. */
  async commandsOf(groupId: number): Promise<{ command: string; hint: string }[]> {
    return (await this.of(groupId)).flatMap(({ command, hint = '' }) =>
      command === undefined ? [] : [{ command, hint }],
    );
  }

  async countOf(groupId: number): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm.select({ webhooks: count() }).from(webhooks).where(eq(webhooks.groupId, groupId)),
    );
    return row?.webhooks ?? 0;
  }

  /** The accounts that write for webhooks. */
  async botIds(): Promise<ReadonlySet<number>> {
    const rows = await this.#db.all((orm) => orm.select({ id: webhooks.accountId }).from(webhooks));
    return new Set(rows.map((row) => row.id));
  }

  /** The groups with outgoing webhooks. */
  async groupsWithOutgoing(): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ groupId: webhooks.groupId })
        .from(webhooks)
        .where(eq(webhooks.kind, 'outgoing'))
        .groupBy(webhooks.groupId),
    );
    return rows.map((row) => row.groupId);
  }

  /** Replaces what is sealed, with the secret that finds it. */
  async setDetails(id: number, details: WebhookDetails): Promise<void> {
    await this.#db.run((orm) => orm.update(webhooks).set(this.#seal(details)).where(eq(webhooks.id, id)));
  }

  async note(id: number, state: WebhookState): Promise<void> {
    await this.#db.run((orm) => orm.update(webhooks).set(state).where(eq(webhooks.id, id)));
  }

  /** Removes it with its deliveries. */
  async remove(id: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(webhooks).where(eq(webhooks.id, id)));
  }

  #seal(details: WebhookDetails) {
    const secretIndex = this.#indexOf(details.secret);
    return {
      secretIndex,
      details: this.#sealer.seal(sealedDetails, { secretIndex }, JSON.stringify(details)),
    };
  }

  #indexOf(secret: string): Buffer {
    return this.#index(`webhook ${secret}`);
  }

  #open({ secretIndex, details, ...row }: Row): Webhook {
    // The cast is safe: `#seal` wrote it.
    const opened = JSON.parse(this.#sealer.open(sealedDetails, { secretIndex }, details)) as WebhookDetails;
    return { ...row, ...opened };
  }
}
