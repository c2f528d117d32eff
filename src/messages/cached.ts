import { type Caches, on } from '../cache/caches.ts';
import { messagesChanged } from './events.ts';
import type { Message } from './message.ts';
import type { MessageStore } from './store.ts';

/** A message is pushed, paged and listed many times; opening one takes longer than reading it. */
const MAX_CHARACTERS = 16_000_000;
/** What a message takes beside its text, counted in characters. */
const BESIDE_TEXT = 300;
const MAX_GROUPS = 10_000;

type Key = { groupId: number; seq: number };

/** The store, with messages kept opened in memory. */
export function cacheMessages(store: MessageStore, { cached }: Caches): MessageStore {
  const keyOf = ({ groupId, seq }: Key) => `${groupId}/${seq}`;
  const messages = cached<Key, Message | undefined>({
    name: 'messages',
    key: keyOf,
    maxSize: MAX_CHARACTERS,
    sizeOf: (message) => (message?.content.length ?? 0) + BESIDE_TEXT,
    load: ({ groupId, seq }) => store.bySeq(groupId, seq),
    async loadMany(keys) {
      const groupId = keys[0]?.groupId ?? 0;
      const loaded = await store.bySeqs(
        groupId,
        keys.map((key) => key.seq),
      );
      return new Map(loaded.map((message) => [keyOf(message), message]));
    },
    dropOn: [
      on(messagesChanged, ({ groupId, messages }, cache) => {
        for (const { seq, change } of messages) {
          const kept = cache.peek({ groupId, seq });
          // What was written here is kept already.
          if (!kept || kept.change < change) cache.drop({ groupId, seq });
        }
      }),
    ],
  });
  const pinCounts = cached<number, number>({
    name: 'pin counts',
    key: (groupId) => groupId,
    max: MAX_GROUPS,
    load: store.countPinned,
    dropOn: [on(messagesChanged, ({ groupId }, cache) => cache.drop(groupId))],
  });

  async function many(groupId: number, seqs: readonly number[]): Promise<Message[]> {
    const found = await messages.getMany(seqs.map((seq) => ({ groupId, seq })));
    return found.filter((message) => message !== undefined);
  }

  function keepWritten<Committed extends { written: readonly Message[] }>(committed: Committed): Committed {
    for (const message of committed.written) messages.put(message, message);
    return committed;
  }

  return {
    ...store,
    append: async (batch) => keepWritten(await store.append(batch)),
    amend: async (batch) => keepWritten(await store.amend(batch)),
    bySeq: (groupId, seq) => messages.get({ groupId, seq }),
    async bySeqs(groupId, seqs) {
      return (await many(groupId, seqs)).sort((a, b) => a.change - b.change);
    },
    between: (groupId, firstSeq, lastSeq) =>
      many(
        groupId,
        Array.from({ length: Math.max(0, lastSeq - firstSeq + 1) }, (_, index) => firstSeq + index),
      ),
    async changedAfter(groupId, change, limit) {
      const changes = await store.changesAfter(groupId, change, limit);
      const changed = await many(
        groupId,
        changes.map(({ seq }) => seq),
      );
      return changed.sort((a, b) => a.change - b.change);
    },
    countPinned: pinCounts.get,
  };
}
