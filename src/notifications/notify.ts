import type { Account, AccountStore } from '../accounts/store.ts';
import { eventsMissed, type Publish, type Subscribe, workLeft } from '../bus/bus.ts';
import { type Group, notificationLevelOf } from '../groups/group.ts';
import { isLineOfOther } from '../groups/policies.ts';
import { type GroupPresenter, isHidden, unreadOf } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import { factText } from '../live/frames.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import { mentionsAdded, messagesSent, messageTranscribed } from '../messages/events.ts';
import { excerptOf } from '../messages/excerpt.ts';
import type { Message } from '../messages/message.ts';
import type { MessageStore } from '../messages/store.ts';
import type { LivePresence } from '../presence/live.ts';
import type { NotificationClaimStore } from './claim-store.ts';
import { memberNotified } from './events.ts';
import type { Notice, Push } from './push.ts';
import { PushQueue } from './push-queue.ts';
import { isQuiet } from './quiet.ts';
import type { DeviceStore } from './store.ts';

/** Messages of one conversation within this time become one notification. */
const COALESCE_MS = 400;
/** After a start, the pages that were open get this long to connect again: who looks at one needs no push message. */
const AFTER_START_MS = 5_000;
/** Of messages older than this, such as those from before a long outage, nobody is notified. */
const MAX_AGE_MS = 60 * 60_000;
/** Maximum number of messages that one notification of a group considers. */
const MAX_MESSAGES = 1_000;
/** Maximum number of members that one @all notifies. */
const MAX_NOTIFIED = 5_000;

type People = Pick<LivePresence, 'isHere' | 'hasVisiblePage'>;

type Dependencies = {
  hub: Hub;
  livePresence: People;
  publish: Publish;
  subscribe: Subscribe;
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  devices: DeviceStore;
  notificationClaims: NotificationClaimStore;
  push: Push;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/**
 * Notifies members of messages, according to their notification levels and quiet hours. Open pages receive a fact,
 * which a hidden page shows as a browser notification; devices receive a push message while no page of the account is
 * visible.
 */
export class Notifier {
  readonly #hub: Hub;
  readonly #publish: Publish;
  readonly #presence: People;
  readonly #accounts: AccountStore;
  readonly #groups: GroupStore;
  readonly #groupPresenter: GroupPresenter;
  readonly #messages: MessageStore;
  readonly #devices: DeviceStore;
  readonly #claims: NotificationClaimStore;
  readonly #deliveries: PushQueue;
  readonly #report: (error: unknown) => void;
  readonly #dueGroups = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #startTimer: NodeJS.Timeout | undefined;
  #running = Promise.resolve();

  constructor(dependencies: Dependencies) {
    const { subscribe, subscribeOwn } = dependencies;
    this.#hub = dependencies.hub;
    this.#publish = dependencies.publish;
    this.#presence = dependencies.livePresence;
    this.#accounts = dependencies.accounts;
    this.#groups = dependencies.groups;
    this.#groupPresenter = dependencies.groupPresenter;
    this.#messages = dependencies.messages;
    this.#devices = dependencies.devices;
    this.#claims = dependencies.notificationClaims;
    this.#deliveries = new PushQueue(dependencies.push, dependencies.report);
    this.#report = dependencies.report;
    subscribe(memberNotified, (notified) => this.#showPages(notified));
    for (const event of [eventsMissed, workLeft]) subscribe(event, () => this.start());
    subscribeOwn(messagesSent, ({ groupId }) => this.#tellSoon([groupId]));
    // The transcript replaces the notification of the voice message, unless a newer message has done so.
    subscribeOwn(messageTranscribed, ({ groupId, seq }) => this.#inTurn(() => this.#tellWords(groupId, seq)));
    subscribeOwn(mentionsAdded, ({ groupId, seq, accountIds }) =>
      this.#inTurn(() => this.#tellCalled(groupId, seq, accountIds)),
    );
  }

  /** Notifies of what a stopped or killed process left, also while this one runs. */
  async start(): Promise<void> {
    const groupIds = await this.#claims.unclaimed();
    if (groupIds.length === 0) return;
    clearTimeout(this.#startTimer);
    this.#startTimer = setTimeout(() => this.#tellSoon(groupIds), AFTER_START_MS).unref();
  }

  /** Notifies of nothing more; resolves when what is under way is done. What is not claimed is left to others. */
  async stop(): Promise<void> {
    clearTimeout(this.#startTimer);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    await this.#deliveries.stop();
  }

  #tellSoon(groupIds: readonly number[]): void {
    for (const groupId of groupIds) this.#dueGroups.add(groupId);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#inTurn(() => this.#tellAll());
    }, COALESCE_MS).unref();
  }

  #inTurn(work: () => Promise<void>): void {
    this.#running = this.#running.then(work).catch(this.#report);
  }

  /** Notifies members whom an edit newly mentions, even if they have read the message already. */
  async #tellCalled(groupId: number, seq: number, accountIds: readonly number[]): Promise<void> {
    const group = await this.#groups.byId(groupId);
    const [message] = await this.#messages.between(groupId, seq, seq);
    if (group && message)
      for (const accountId of accountIds) await this.#tell(group, message, accountId, true);
  }

  async #tellWords(groupId: number, seq: number): Promise<void> {
    const group = await this.#groups.byId(groupId);
    const isTold = !this.#dueGroups.has(groupId);
    if (group?.lastSeq === seq && isTold)
      await this.#tellOf(group, await this.#messages.between(groupId, seq, seq));
  }

  /** Notifies of the messages that no other process has claimed. */
  async #tellAll(): Promise<void> {
    const groupIds = [...this.#dueGroups];
    this.#dueGroups.clear();
    const groups = await this.#groups.byIds(groupIds);
    const claims = [...groups.values()].map(({ id, lastSeq }) => ({ groupId: id, upTo: lastSeq }));
    for (const [groupId, first] of await this.#claims.claim(claims)) {
      const group = groups.get(groupId);
      // What is claimed is told once: a fault with one group must not leave out the others.
      if (group) await this.#tellFrom(group, first).catch(this.#report);
    }
  }

  async #tellFrom(group: Group, first: number): Promise<void> {
    const considered = Math.max(first, group.lastSeq - MAX_MESSAGES + 1);
    const messages = await this.#messages.between(group.id, considered, group.lastSeq);
    const oldest = Date.now() - MAX_AGE_MS;
    await this.#tellOf(
      group,
      messages.filter((message) => message.createdAt > oldest && message.removedAt === null),
    );
  }

  /** Notifies each member only of the newest message that they are to be notified of. */
  async #tellOf(group: Group, sent: readonly Message[]): Promise<void> {
    const everything = new Set(await this.#groups.notifiedOfEverything(group));
    const newest = new Map<number, Message>();
    for (const message of sent) {
      const called = message.mentionsAll
        ? await this.#groups.members(group.id, MAX_NOTIFIED)
        : message.mentions;
      for (const accountId of new Set([...everything, ...called]))
        if (accountId !== message.authorId) newest.set(accountId, message);
    }
    for (const [accountId, message] of newest) await this.#tell(group, message, accountId);
  }

  async #tell(group: Group, message: Message, accountId: number, isAnew = false): Promise<void> {
    if (!this.#presence.isHere(accountId) && !(await this.#devices.has(accountId))) return;
    const account = await this.#accounts.byId(accountId);
    const membership = (await this.#groups.membershipsOf(accountId)).get(group.id);
    if (!account || !membership || (!isAnew && message.seq <= membership.readSeq)) return;
    const notificationLevel = notificationLevelOf(group, membership);
    if (notificationLevel === 'nothing' || notificationLevel === 'hidden' || isQuiet(account, new Date()))
      return;
    if (this.#presence.isHere(accountId))
      this.#publish(memberNotified, { groupId: group.id, seq: message.seq, accountId });
    if (this.#presence.hasVisiblePage(accountId)) return;
    const devices = await this.#devices.of(accountId);
    if (devices.length === 0) return;
    const notice = await this.#noticeOf(group, message, account);
    const isWanted = () => this.#mayRead(accountId, message);
    for (const device of devices) this.#deliveries.add({ device, notice, isWanted });
  }

  async #mayRead(accountId: number, { groupId, seq }: Message): Promise<boolean> {
    const message = await this.#messages.bySeq(groupId, seq);
    const isMember = (await this.#groups.membershipsOf(accountId)).has(groupId);
    return isMember && message !== undefined && message.removedAt === null;
  }

  /** Tells the open pages of a member in this process. */
  async #showPages({ groupId, seq, accountId }: { groupId: number; seq: number; accountId: number }) {
    const topic = personalTopic(accountId);
    if (!this.#hub.hasSubscribers(topic)) return;
    const group = await this.#groups.byId(groupId);
    const message = await this.#messages.bySeq(groupId, seq);
    const account = await this.#accounts.byId(accountId);
    if (!group || !message || !account) return;
    const { title, body, url, tag } = await this.#noticeOf(group, message, account);
    this.#hub.publish(topic, ({ protocol, isAdmin }) =>
      isLineOfOther(group, { id: accountId, isAdmin })
        ? undefined
        : factText(protocol, 'notify', { title, body, url, tag }),
    );
  }

  async #noticeOf(group: Group, message: Message, account: Account): Promise<Notice> {
    const author = (await this.#accounts.byId(message.authorId))?.name ?? 'Somebody';
    const { name } = await this.#groupPresenter.named(group, account.id);
    return {
      title: group.kind === 'direct' && name === author ? author : `${author} in ${name}`,
      body: excerptOf(message),
      url: `/groups/${group.id}?around=${message.seq}#message-${message.seq}`,
      tag: `group-${group.id}`,
      badge: await this.#unreadConversations(account.id),
    };
  }

  async #unreadConversations(accountId: number): Promise<number> {
    let count = 0;
    for (const membership of (await this.#groups.membershipsOf(accountId)).values()) {
      const group = await this.#groups.byId(membership.groupId);
      const isOwn = group?.lineOf === null || group?.lineOf === accountId;
      if (group && isOwn && !isHidden(group, membership) && unreadOf(group, membership) > 0) count += 1;
    }
    return count;
  }
}
