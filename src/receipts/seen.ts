import { accountChanged } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Subscribe } from '../bus/bus.ts';
import { type Caches, on } from '../cache/caches.ts';
import { memberJoined, memberLeft, readMoved } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { groupTopic } from '../groups/live.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Views } from '../http/views.ts';
import type { Hub } from '../live/hub.ts';
import { messagesSent } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import { readersOf } from './readers.ts';

const PUSH_INTERVAL_MS = 250;
const CACHED_GROUPS = 2_000;

type Dependencies = {
  hub: Hub;
  views: Views;
  accounts: AccountStore;
  groups: GroupStore;
  messages: MessageStore;
  caches: Caches;
  subscribe: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

export type Seen = {
  /** The read receipts below the newest message, the same for everyone who may see them. Empty in large groups. */
  line(group: Pick<Group, 'id' | 'lastSeq'>): Promise<string>;
};

/** Renders and pushes the read receipts of a group's newest message, for accounts that show their own. */
export function showSeen(dependencies: Dependencies): Seen {
  const { hub, views, accounts, groups, messages, caches, subscribe, report } = dependencies;
  const due = new Set<number>();
  const told = caches.recent<number, string>('read receipts that were pushed', CACHED_GROUPS);
  const lines = caches.cached<Pick<Group, 'id' | 'lastSeq'>, string>({
    name: 'read receipts',
    key: ({ id, lastSeq }) => `${id}/${lastSeq}`,
    max: CACHED_GROUPS,
    load: async (group) => (await state(group)).html,
    tagsOf: (_html, { id }) => [String(id)],
    dropOn: [
      ...[readMoved, messagesSent, memberJoined, memberLeft].map((event) =>
        on<{ groupId: number }, Pick<Group, 'id' | 'lastSeq'>, string>(event, ({ groupId }, cache) =>
          cache.dropTag(String(groupId)),
        ),
      ),
      on(accountChanged, (_payload, cache) => cache.clear()),
    ],
  });

  function note({ groupId }: { groupId: number }): void {
    if (due.has(groupId) || !hub.hasSubscribers(groupTopic(groupId))) return;
    due.add(groupId);
    setTimeout(() => tell(groupId).catch(report), PUSH_INTERVAL_MS).unref();
  }
  subscribe(readMoved, note);
  subscribe(messagesSent, note);
  for (const event of [memberJoined, memberLeft]) subscribe(event, note);

  async function tell(groupId: number): Promise<void> {
    due.delete(groupId);
    const group = await groups.byId(groupId);
    if (!group) return;
    const { seq, html, accountIds } = await state(group);
    // Skip the push when neither the message nor its readers have changed.
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
    // A group without messages has no readers, but its empty list is rendered all the same.
    const readers = newest ? found : found && [];
    if (!readers) return { seq: lastSeq, html: '', accountIds: [] };
    return {
      seq: lastSeq,
      html: views.render('messages/_seen.njk', { readers }).trim(),
      accountIds: readers.map((reader) => reader.id),
    };
  }

  return { line: (group) => lines.get(group) };
}
