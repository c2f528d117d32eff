import { eventsMissed, type Publish, type Subscribe } from '../bus/bus.ts';
import { type Caches, on } from '../cache/caches.ts';
import { memberLeft, readMoved } from '../groups/events.ts';
import type { Views } from '../http/views.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import { messageRemoved, messagesSent } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import { threadsChanged } from './events.ts';
import type { ThreadStore } from './store.ts';

/** Maximum number of followed threads that are listed and counted, the newest first. */
export const MAX_FOLLOWED = 200;
const CACHED_PEOPLE = 10_000;
const PUSH_INTERVAL_MS = 200;

export type UnreadThreads = {
  /** The link to the threads page, with the number of threads with unread replies; for pages and pushes. */
  link(accountId: number): Promise<string>;
};

/** Counts the followed threads with unread replies, and tells their followers when that changes. */
export function countThreads({
  hub,
  views,
  messages,
  threads,
  caches,
  publish,
  subscribe,
  subscribeOwn,
  report,
}: {
  hub: Hub;
  views: Views;
  messages: MessageStore;
  threads: ThreadStore;
  caches: Caches;
  publish: Publish;
  subscribe: Subscribe;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
}): UnreadThreads {
  const drop = on<{ accountId: number }, number, string>;
  const links = caches.cached<number, string>({
    name: 'links to threads',
    key: (accountId) => accountId,
    max: CACHED_PEOPLE,
    async load(accountId) {
      const followed = await threads.followedBy(accountId, MAX_FOLLOWED);
      const unread = followed.filter((followedThread) => followedThread.unread > 0).length;
      return views.render('messages/_threads-link.njk', { unread }).trim();
    },
    dropOn: [threadsChanged, readMoved, memberLeft].map((event) =>
      drop(event, ({ accountId }, cache) => cache.drop(accountId)),
    ),
  });
  /** The link that each account was last shown, by a push or on a page. */
  const shown = caches.recent<number, string>('links to threads that are shown', CACHED_PEOPLE);

  const due = new Set<number>();

  async function link(accountId: number): Promise<string> {
    const html = await links.get(accountId);
    // Other pages of this account are still to be told.
    if (!due.has(accountId)) shown.set(accountId, html);
    return html;
  }

  /** Delays the push, so that the changes of one interval need only one count. */
  const noted = ({ accountId }: { accountId: number }) => {
    if (!hub.hasSubscribers(personalTopic(accountId), 'html')) {
      // Until somebody listens here again, another process may show them something else.
      if (shown.get(accountId)) shown.set(accountId, '');
      return;
    }
    due.add(accountId);
    if (due.size === 1) setTimeout(() => renew().catch(report), PUSH_INTERVAL_MS).unref();
  };

  async function renew(): Promise<void> {
    const people = [...due];
    due.clear();
    for (const accountId of people) {
      const now = await links.get(accountId);
      if (now === shown.get(accountId)) continue;
      shown.set(accountId, now);
      hub.publish(personalTopic(accountId), ({ protocol }) => (protocol === 'html' ? now : undefined));
    }
  }

  subscribe(eventsMissed, () => shown.clear());
  subscribe(threadsChanged, noted);
  subscribe(readMoved, noted);
  subscribe(memberLeft, noted);
  subscribeOwn(messageRemoved, async ({ groupId, thread }) => {
    if (thread === null) return;
    for (const accountId of await threads.followers(groupId, thread)) publish(threadsChanged, { accountId });
  });
  subscribeOwn(messagesSent, ({ groupId, firstSeq, lastSeq }) => {
    followersAnswered(groupId, firstSeq, lastSeq).catch(report);
  });

  async function followersAnswered(groupId: number, firstSeq: number, lastSeq: number): Promise<void> {
    const sent = await messages.between(groupId, firstSeq, lastSeq);
    for (const thread of new Set(sent.map((message) => message.thread))) {
      if (thread === null) continue;
      for (const accountId of await threads.followers(groupId, thread))
        publish(threadsChanged, { accountId });
    }
  }

  return { link };
}
