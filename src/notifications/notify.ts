import type { Account, AccountStore } from '../accounts/store.ts';
import type { Subscribe } from '../bus/bus.ts';
import type { GroupPresenter } from '../groups/present.ts';
import { unreadOf } from '../groups/present.ts';
import { type Group, type GroupStore, notificationLevelOf } from '../groups/store.ts';
import { factText } from '../live/frames.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import { mentionsAdded, messagesSent, messageWrittenDown } from '../messages/events.ts';
import { excerptOf } from '../messages/excerpt.ts';
import type { Message } from '../messages/message.ts';
import type { MessageStore } from '../messages/store.ts';
import type { Notice, Push } from './push.ts';
import { isQuiet } from './quiet.ts';
import type { Device, DeviceStore } from './store.ts';

/** Messages of one conversation within this time become one notification. */
const COALESCE_MS = 400;
/** Maximum number of members that one @all notifies. */
const MAX_NOTIFIED = 5_000;
const CONCURRENT_DELIVERIES = 8;

type Dependencies = {
  hub: Hub;
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  devices: DeviceStore;
  push: Push;
  subscribe: Subscribe;
  /** Hears of what failed in the background. */
  report(error: unknown): void;
};

/**
 * Tells people of messages that they want to hear of and are not looking at: open pages as a fact, which a hidden one
 * shows as the browser's notification, and devices by push while no page of theirs is in sight.
 */
export function notifyPeople(dependencies: Dependencies): { flush(): Promise<void> } {
  const { hub, accounts, groups, groupPresenter, messages, devices, push, subscribe, report } = dependencies;
  const due = new Map<number, { firstSeq: number; lastSeq: number }>();
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const queue: { device: Device; notice: Notice }[] = [];
  let serving = 0;

  subscribe(messagesSent, ({ groupId, firstSeq, lastSeq }) => {
    due.set(groupId, { firstSeq: due.get(groupId)?.firstSeq ?? firstSeq, lastSeq });
    timer ??= setTimeout(() => {
      timer = undefined;
      running = running.then(tellAll).catch(report);
    }, COALESCE_MS).unref();
  });

  // The words take the place of the notification that had none, where nothing newer has.
  subscribe(messageWrittenDown, ({ groupId, seq }) => {
    running = running.then(() => tellWords(groupId, seq)).catch(report);
  });

  // Whom an edit calls is told once, also of a message that they have read already.
  subscribe(mentionsAdded, ({ groupId, seq, accountIds }) => {
    running = running
      .then(async () => {
        const group = await groups.byId(groupId);
        const [message] = await messages.between(groupId, seq, seq);
        if (group && message) for (const accountId of accountIds) await tell(group, message, accountId, true);
      })
      .catch(report);
  });

  async function tellWords(groupId: number, seq: number): Promise<void> {
    const group = await groups.byId(groupId);
    const isTold = !due.has(groupId);
    if (group?.lastSeq === seq && isTold) await tellOf(group, await messages.between(groupId, seq, seq));
  }

  async function tellAll(): Promise<void> {
    const spans = [...due];
    due.clear();
    for (const [groupId, { firstSeq, lastSeq }] of spans) {
      const group = await groups.byId(groupId);
      if (group) await tellOf(group, await messages.between(groupId, firstSeq, lastSeq));
    }
  }

  /** Each person hears of the newest message that they want to hear of. */
  async function tellOf(group: Group, sent: readonly Message[]): Promise<void> {
    const everything = new Set(await groups.notifiedOfEverything(group));
    const newest = new Map<number, Message>();
    for (const message of sent) {
      const called = message.mentionsAll ? await groups.members(group.id, MAX_NOTIFIED) : message.mentions;
      for (const accountId of new Set([...everything, ...called]))
        if (accountId !== message.authorId) newest.set(accountId, message);
    }
    for (const [accountId, message] of newest) await tell(group, message, accountId);
  }

  async function tell(group: Group, message: Message, accountId: number, isAnew = false): Promise<void> {
    const topic = personalTopic(accountId);
    if (!hub.hasSubscribers(topic) && !(await devices.has(accountId))) return;
    const account = await accounts.byId(accountId);
    const membership = (await groups.membershipsOf(accountId)).get(group.id);
    if (!account || !membership || (!isAnew && message.seq <= membership.readSeq)) return;
    const notificationLevel = notificationLevelOf(group, membership);
    if (notificationLevel === 'nothing' || notificationLevel === 'hidden' || isQuiet(account, new Date()))
      return;
    const notice = await noticeOf(group, message, account);
    const { title, body, url, tag } = notice;
    hub.publish(topic, ({ protocol }) => factText(protocol, 'notify', { title, body, url, tag }));
    if (hub.hasVisiblePage(accountId)) return;
    for (const device of await devices.of(accountId)) deliver(device, notice);
  }

  /** A call to everybody is many devices: a few are served at a time. */
  function deliver(device: Device, notice: Notice): void {
    queue.push({ device, notice });
    if (serving < CONCURRENT_DELIVERIES) void serve();
  }

  async function serve(): Promise<void> {
    serving += 1;
    for (let next = queue.shift(); next; next = queue.shift())
      await push.send(next.device, next.notice).catch(report);
    serving -= 1;
  }

  async function noticeOf(group: Group, message: Message, account: Account): Promise<Notice> {
    const author = (await accounts.byId(message.authorId))?.name ?? 'Somebody';
    const { name } = await groupPresenter.named(group, account.id);
    return {
      title: group.kind === 'direct' && name === author ? author : `${author} in ${name}`,
      body: excerptOf(message),
      url: `/groups/${group.id}?around=${message.seq}#message-${message.seq}`,
      tag: `group-${group.id}`,
      badge: await unreadConversations(account.id),
    };
  }

  async function unreadConversations(accountId: number): Promise<number> {
    let count = 0;
    for (const membership of (await groups.membershipsOf(accountId)).values()) {
      const group = await groups.byId(membership.groupId);
      if (group && notificationLevelOf(group, membership) !== 'hidden' && unreadOf(group, membership) > 0)
        count += 1;
    }
    return count;
  }

  return {
    async flush() {
      clearTimeout(timer);
      timer = undefined;
      push.stop();
      queue.length = 0;
      await running;
    },
  };
}
