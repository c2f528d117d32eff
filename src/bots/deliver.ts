import { eventsMissed, type Subscribe, workLeft } from '../bus/bus.ts';
import type { Databases } from '../database/open.ts';
import type { OpenGroup } from '../groups/access.ts';
import type { Group } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Jobs } from '../jobs.ts';
import { messagesSent } from '../messages/events.ts';
import type { MessagePresenter } from '../messages/present.ts';
import type { MessageStore } from '../messages/store.ts';
import type { BoundOperation } from '../operations/define.ts';
import { type Answer, ask, OutgoingError } from '../outgoing/request.ts';
import { allowedAddresses } from '../site-settings/outgoing.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { claimDelivery } from './claim.ts';
import { deliveryRequest } from './delivery-request.ts';
import type { DeliveryStore } from './delivery-store.ts';
import { writeReply } from './reply.ts';
import { type Delivery, isCalled, type Webhook } from './webhook.ts';
import { type BlockReasonDependencies, blockReason } from './webhook-block.ts';
import type { WebhookStore } from './webhook-store.ts';

/** Messages that are written within this time are considered together. */
const COALESCE_MS = 50;
const BATCH = 200;
/** Programs that are told at the same time, each of one message at a time; and how many that one person added. */
const PARALLEL = 16;
const PARALLEL_OF_ONE = 4;
const MAX_HEADS = 1_000;
/** The longest that Standard Webhooks advises (spec, "Timeouts"). */
const TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/**
 * After which time a delivery that failed is tried again. After the last one, 21 hours after the first try, the webhook
 * is stopped until an owner tries again.
 */
const RETRIES_MS = [2_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000, 21_600_000, 43_200_000];
/** PushQueue that wait for one webhook; further messages are queued when these are taken. */
const MAX_WAITING = 1_000;
const LONGEST_TIMER_MS = 3_600_000;

const LOOK_EVERY_MS = 60_000;

export type DeliverDependencies = BlockReasonDependencies & {
  databases: Pick<Databases, 'isFirst'>;
  webhooks: WebhookStore;
  deliveries: DeliveryStore;
  groups: GroupStore;
  messages: MessageStore;
  presenter: MessagePresenter;
  siteSettings: SiteSettingsStore;
  /** The operation `send`. */
  send: BoundOperation<OpenGroup>;
  jobs: Jobs;
  subscribe: Subscribe;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** Tells programs of messages: at least once each, in the order of a group, from a queue that survives a crash. */
export class Deliverer {
  readonly #dependencies: DeliverDependencies;
  readonly #dueGroups = new Set<number>();
  /** By webhook. */
  readonly #underWay = new Map<number, { creatorId: number; done: Promise<void> }>();
  #running = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #dueTimer: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(dependencies: DeliverDependencies) {
    this.#dependencies = dependencies;
    dependencies.subscribeOwn(messagesSent, ({ groupId }) => this.#considerSoon([groupId]));
    for (const event of [eventsMissed, workLeft]) dependencies.subscribe(event, () => this.#considerAll());
    dependencies.jobs.onDue('deliveries', () => this.wake());
  }

  /** Takes up what a stopped or killed process left. */
  async start(): Promise<void> {
    const { databases, deliveries } = this.#dependencies;
    if (databases.isFirst) await deliveries.releaseAll(Date.now());
    await this.#considerAll();
    // For what another process was to try again, and has ended since.
    this.#look = setInterval(() => this.wake(), LOOK_EVERY_MS).unref();
  }

  /** Looks at all groups, also for what a process that was killed had not queued. */
  async #considerAll(): Promise<void> {
    this.#considerSoon(await this.#dependencies.webhooks.groupsWithOutgoing());
    this.wake();
  }

  /** Begins no more deliveries. Those under way are tried again at the next start unless they end in time. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#dueTimer);
    clearInterval(this.#look);
    await this.#running;
  }

  /** Looks for deliveries that are due, and for messages of a group that are not queued yet. */
  wake(groupId?: number): void {
    if (groupId !== undefined) this.#considerSoon([groupId]);
    this.#inTurn(() => this.#deliverDue());
  }

  #considerSoon(groupIds: readonly number[]): void {
    for (const groupId of groupIds) this.#dueGroups.add(groupId);
    if (groupIds.length === 0 || this.#isStopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const due = [...this.#dueGroups];
      this.#dueGroups.clear();
      this.#inTurn(async () => {
        let isAny = false;
        for (const groupId of due) isAny = (await this.#consider(groupId)) || isAny;
        if (isAny) await this.#deliverDue();
      });
    }, COALESCE_MS).unref();
  }

  #inTurn(work: () => Promise<void>): void {
    this.#running = this.#running.then(work).catch(this.#dependencies.report);
  }

  /** Queues deliveries for the new messages of a group. Resolves to whether it has outgoing webhooks. */
  async #consider(groupId: number): Promise<boolean> {
    const { webhooks, groups } = this.#dependencies;
    const outgoing = (await webhooks.of(groupId)).filter(({ kind }) => kind === 'outgoing');
    const group = outgoing.length > 0 ? await groups.byId(groupId) : undefined;
    if (!group) return false;
    // One that is stopped is told of what was written meanwhile when it is tried again, unless it may not be told of it.
    for (const webhook of outgoing)
      if (webhook.stoppedAt === null || !(await this.#isTold(webhook))) await this.#queue(webhook, group);
    return true;
  }

  async #queue(webhook: Webhook, group: Group): Promise<void> {
    const { deliveries, messages, accounts } = this.#dependencies;
    const isTold = await this.#isTold(webhook);
    for (let before = webhook.seq; before < group.lastSeq; ) {
      if ((await deliveries.countOf(webhook.id)) >= MAX_WAITING) return;
      const upTo = Math.min(before + BATCH, group.lastSeq);
      const seqs: number[] = [];
      // What bots write calls no other, so that two cannot answer each other for ever; what was written before there was
      // a webhook came in with an import.
      for (const message of isTold ? await messages.between(group.id, before + 1, upTo) : [])
        if (
          message.createdAt >= webhook.createdAt &&
          isCalled(webhook, message) &&
          !(await accounts.byId(message.authorId))?.isBot
        )
          seqs.push(message.seq);
      await deliveries.enqueue(webhook.id, { before, upTo, seqs }, Date.now());
      before = upTo;
    }
  }

  async #isTold(webhook: Webhook): Promise<boolean> {
    const isMember = await this.#dependencies.groups.membership(webhook.accountId, webhook.groupId);
    return isMember !== undefined && (await blockReason(this.#dependencies, webhook)) === undefined;
  }

  async #deliverDue(): Promise<void> {
    if (this.#isStopped) return;
    const { deliveries, report, jobs } = this.#dependencies;
    if (!jobs.areHere) return jobs.tell('deliveries');
    const now = Date.now();
    clearTimeout(this.#dueTimer);
    for (const delivery of await deliveries.next(MAX_HEADS)) {
      const { webhookId, creatorId } = delivery;
      if (this.#underWay.has(webhookId) || this.#countOf(creatorId) >= PARALLEL_OF_ONE) continue;
      // The end of one that is under way looks again.
      if (this.#underWay.size >= PARALLEL) return;
      if (delivery.dueAt > now) return this.#wakeAt(delivery.dueAt);
      const claim = await claimDelivery(deliveries, delivery, report);
      if (!claim) continue;
      const done = this.#deliver(delivery)
        .catch(report)
        .finally(() => {
          claim.end();
          this.#underWay.delete(webhookId);
          this.wake();
        });
      this.#underWay.set(webhookId, { creatorId, done });
    }
  }

  #countOf(creatorId: number): number {
    return [...this.#underWay.values()].filter((under) => under.creatorId === creatorId).length;
  }

  #wakeAt(dueAt: number): void {
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(COALESCE_MS, dueAt - Date.now()));
    this.#dueTimer = setTimeout(() => this.wake(), wait).unref();
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { webhooks, deliveries, groups, messages, presenter, siteSettings } = this.#dependencies;
    const webhook = await webhooks.byId(delivery.webhookId);
    const group = webhook && (await groups.byId(webhook.groupId));
    const message = group && (await messages.bySeq(group.id, delivery.seq));
    if (!webhook?.url || !message || message.removedAt !== null || !(await this.#isTold(webhook)))
      return deliveries.remove(delivery.id);
    let answer: Answer;
    try {
      answer = await ask(new URL(webhook.url), {
        method: 'POST',
        ...deliveryRequest(webhook, group, await presenter.json(message), delivery.id),
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_ANSWER_BYTES,
        allowed: await allowedAddresses(siteSettings),
      });
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error;
      return this.#failed(webhook, delivery, error.fault);
    }
    // "Gone": the program wants no more.
    if (answer.status === 410) return webhooks.note(webhook.id, { stoppedAt: Date.now(), failure: '410' });
    if (answer.status < 200 || answer.status >= 300)
      return this.#failed(webhook, delivery, String(answer.status));
    await writeReply(this.#dependencies, webhook, message, answer.body);
    await deliveries.remove(delivery.id);
    await webhooks.note(webhook.id, { usedAt: Date.now(), failingSince: null, failure: null });
    this.#considerSoon([webhook.groupId]);
  }

  async #failed(webhook: Webhook, delivery: Delivery, failure: string): Promise<void> {
    const { webhooks, deliveries } = this.#dependencies;
    const now = Date.now();
    const wait = RETRIES_MS[delivery.attempts];
    const isLast = wait === undefined && { stoppedAt: now };
    await webhooks.note(webhook.id, { failingSince: webhook.failingSince ?? now, failure, ...isLast });
    await deliveries.postpone(delivery, now + (wait ?? 0));
  }
}
