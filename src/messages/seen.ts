import { LRUCache } from 'lru-cache';
import { accountChanged } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Subscribe } from '../events.ts';
import { memberJoined, memberLeft, readMoved } from '../groups/events.ts';
import { groupTopic } from '../groups/live.ts';
import type { Group, GroupStore } from '../groups/store.ts';
import type { Views } from '../http/views.ts';
import type { Hub } from '../live/hub.ts';
import { messagesSent } from './events.ts';
import { readersOf } from './readers.ts';
import type { MessageStore } from './store.ts';

const PUSH_INTERVAL_MS = 250;
const CACHED_GROUPS = 2_000;

type Dependencies = {
  hub: Hub;
  views: Views;
  accounts: AccountStore;
  groups: GroupStore;
  messages: MessageStore;
  subscribe: Subscribe;
  /** Hears of what failed in the background. */
  report(error: unknown): void;
};

export type Seen = {
  /** The read receipts below the newest message, the same for everyone who may see them. Empty in large groups. */
  line(group: Pick<Group, 'id' | 'lastSeq'>): Promise<string>;
};

/** Tells who has read the newest message of a group, to those who let others see theirs too. */
export function showSeen({ hub, views, accounts, groups, messages, subscribe, report }: Dependencies): Seen {
  const due = new Set<number>();
  const told = new LRUCache<number, string>({ max: CACHED_GROUPS });
  /** Rendered lines; dropped when a read mark moves or a newer message arrives. */
  const lines = new LRUCache<number, { lastSeq: number; html: string }>({ max: CACHED_GROUPS });

  function note({ groupId }: { groupId: number }): void {
    lines.delete(groupId);
    if (due.has(groupId) || !hub.hasSubscribers(groupTopic(groupId))) return;
    due.add(groupId);
    setTimeout(() => tell(groupId).catch(report), PUSH_INTERVAL_MS).unref();
  }
  subscribe(readMoved, note);
  subscribe(messagesSent, note);
  for (const event of [memberJoined, memberLeft]) subscribe(event, note);
  subscribe(accountChanged, () => lines.clear());

  async function tell(groupId: number): Promise<void> {
    due.delete(groupId);
    const group = await groups.byId(groupId);
    if (!group) return;
    const { seq, html, accountIds } = await state(group);
    // The same readers of the same message are no news.
    const news = `${seq} ${accountIds}`;
    if (html === '' || told.get(groupId) === news) return;
    told.set(groupId, news);
    const json = JSON.stringify({ type: 'seen', seq, accountIds });
    hub.publish(groupTopic(groupId), ({ protocol, seesReceipts }) =>
      seesReceipts ? (protocol === 'json' ? json : html) : undefined,
    );
  }

  async function state({ id, lastSeq }: Pick<Group, 'id' | 'lastSeq'>) {
    const newest = await messages.bySeq(id, lastSeq);
    const nothing = { seq: 0, authorId: 0 };
    const found = await readersOf({ groups, accounts }, { id }, newest ?? nothing);
    // Where nothing is said yet, nobody has read it; its place is there all the same.
    const readers = newest ? found : found && [];
    if (!readers) return { seq: lastSeq, html: '', accountIds: [] };
    return {
      seq: lastSeq,
      html: views.render('messages/_seen.njk', { readers }).trim(),
      accountIds: readers.map((reader) => reader.id),
    };
  }

  return {
    async line(group) {
      const cachedLine = lines.get(group.id);
      if (cachedLine?.lastSeq === group.lastSeq) return cachedLine.html;
      const { html } = await state(group);
      lines.set(group.id, { lastSeq: group.lastSeq, html });
      return html;
    },
  };
}
