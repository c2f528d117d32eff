import type { Subscribe } from '../bus/bus.ts';
import type { GroupStore } from '../groups/store.ts';
import { messagesChanged } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import { asDocument } from './document.ts';
import type { SearchIndex } from './index.ts';

/** New messages are indexed this much later, many at a time. */
const INDEX_DELAY_MS = 150;
const BATCH = 250;
/** After this many new documents the index is merged, as soon as nothing else is to be indexed. */
const MERGE_AFTER_DOCUMENTS = 20_000;

export type SearchFeed = {
  /** Resolves when everything that is written is in the index. */
  flush(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * Keeps the index at the state of the messages: what was written while it was away first, group by group, then what
 * is written. It reads by `change` from where it is, so that nothing has to be handed over and nothing is missed.
 */
export function startSearchFeed({
  index,
  groups,
  messages,
  subscribe,
  report,
}: {
  index: SearchIndex;
  groups: GroupStore;
  messages: MessageStore;
  subscribe: Subscribe;
  /** Hears of what failed in the background. */
  report(error: unknown): void;
}): SearchFeed {
  const cursors = new Map<number, number>();
  const due = new Set<number>();
  let isStopped = false;
  let untidy = 0;
  let timer: NodeJS.Timeout | undefined;
  let running = begin().catch(recover);

  subscribe(messagesChanged, ({ groupId }) => {
    due.add(groupId);
    later();
  });

  function later(): void {
    if (isStopped || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      running = running.then(drain).catch(recover);
    }, INDEX_DELAY_MS);
    timer.unref();
  }

  /** An index that was damaged is gone by now: everything is indexed once more. */
  async function recover(error: unknown): Promise<void> {
    report(error);
    if (!/malformed|not a database/.test(String(error))) return;
    cursors.clear();
    for (const { id } of await groups.everyKind()) due.add(id);
    later();
  }

  async function begin(): Promise<void> {
    for (const { groupId, change } of await index.cursors()) {
      const group = await groups.byId(groupId);
      // The messages are those of an older backup: what the index knows of them may not be so.
      if (!group || change > group.lastChange) await index.forget(groupId);
      else cursors.set(groupId, change);
    }
    for (const { id, lastChange } of await groups.everyKind())
      if ((cursors.get(id) ?? 0) < lastChange) due.add(id);
    await drain();
  }

  async function drain(): Promise<void> {
    for (const groupId of due) {
      due.delete(groupId);
      while (!isStopped && (await advance(groupId)) === BATCH);
    }
    if (untidy < MERGE_AFTER_DOCUMENTS) return;
    untidy = 0;
    let isFirst = true;
    while (!isStopped && due.size === 0 && (await index.tidy(isFirst))) isFirst = false;
  }

  async function advance(groupId: number): Promise<number> {
    const changed = await messages.changedAfter(groupId, cursors.get(groupId) ?? 0, BATCH);
    const last = changed.at(-1);
    if (!last) return 0;
    await index.index(changed.map(asDocument), [{ groupId, change: last.change }]);
    cursors.set(groupId, last.change);
    untidy += changed.length;
    return changed.length;
  }

  return {
    async flush() {
      clearTimeout(timer);
      timer = undefined;
      running = running.then(drain).catch(report);
      await running;
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
      await index.close();
    },
  };
}
