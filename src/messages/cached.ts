import { type Cached, type Caches, on, type RecentValues } from '../cache/caches.ts';
import type { Database } from '../database/executor.ts';
import type { Sealer } from '../database/sealed-columns.ts';
import { messagesPurged } from '../groups/events.ts';
import type { Amendment, Committed } from './amend.ts';
import { messagesChanged } from './events.ts';
import type { Appended, Message, NewMessage } from './message.ts';
import { MessageStore } from './store.ts';

/** Cache limit in characters. Messages are cached opened, since decrypting takes longer than reading the row. */
const MAX_CHARACTERS = 16_000_000;
/** What a message takes beside its text, counted in characters. */
const BESIDE_TEXT = 300;
const MAX_GROUPS = 10_000;
/** A longer range is read past the cache: few of its messages would be read again. */
const MAX_RANGE = 2_000;

type Key = { groupId: number; seq: number };

/** The store, with messages kept opened in memory. */
export class CachedMessageStore extends MessageStore {
  readonly #messages: Cached<Key, Message | undefined>;
  readonly #pinCounts: Cached<number, number>;

  /** The newest change of each group that was told. */
  readonly #told: RecentValues<number, number>;

  constructor(db: Database, sealer: Sealer, { cached, recent }: Caches) {
    super(db, sealer);
    this.#told = recent<number, number>('newest changes', MAX_GROUPS);
    this.#messages = cached({
      name: 'messages',
      key: keyOf,
      maxSize: MAX_CHARACTERS,
      sizeOf: (message) => (message?.content.length ?? 0) + BESIDE_TEXT,
      load: ({ groupId, seq }) => super.bySeq(groupId, seq),
      loadMany: (keys) => this.#load(keys),
      dropOn: [
        on(messagesChanged, ({ groupId, messages }, cache) => {
          this.#told.set(groupId, Math.max(this.#told.get(groupId) ?? 0, messages.at(-1)?.change ?? 0));
          for (const { seq, change } of messages) {
            const kept = cache.peek({ groupId, seq });
            // A message that this process wrote is already cached in its new version.
            if (!kept || kept.change < change) cache.drop({ groupId, seq });
          }
        }),
        on(messagesPurged, ({ groupId, first, last }, cache) => {
          for (let seq = first; seq <= last; seq++) cache.drop({ groupId, seq });
        }),
      ],
    });
    this.#pinCounts = cached({
      name: 'pin counts',
      key: (groupId) => groupId,
      max: MAX_GROUPS,
      load: (groupId) => super.countPinned(groupId),
      dropOn: [
        on(messagesChanged, ({ groupId }, cache) => cache.drop(groupId)),
        on(messagesPurged, ({ groupId }, cache) => cache.drop(groupId)),
      ],
    });
  }

  override async append(batch: readonly NewMessage[]): Promise<Committed<Appended>> {
    return this.#keepWritten(await super.append(batch));
  }

  override async amend(batch: readonly Amendment[]): Promise<Committed<Message>> {
    return this.#keepWritten(await super.amend(batch));
  }

  override bySeq(groupId: number, seq: number): Promise<Message | undefined> {
    return this.#messages.get({ groupId, seq });
  }

  override async bySeqs(groupId: number, seqs: readonly number[]): Promise<Message[]> {
    return (await this.#many(groupId, seqs)).sort((a, b) => a.change - b.change);
  }

  override between(groupId: number, first: number, last: number): Promise<Message[]> {
    const count = Math.max(0, last - first + 1);
    if (count > MAX_RANGE) return super.between(groupId, first, last);
    return this.#many(
      groupId,
      Array.from({ length: count }, (_, index) => first + index),
    );
  }

  override async changedAfter(groupId: number, change: number, limit: number): Promise<Message[]> {
    const found = new Map<number, Message>();
    for (let after = change; ; ) {
      const wanted = limit - found.size;
      const changes = await super.changesAfter(groupId, after, wanted);
      after = changes.at(-1)?.change ?? after;
      const messages = await this.#asListed(groupId, changes);
      // What has changed again since it was listed is listed again, after what was changed in between.
      const listed = messages.filter((message) => message.change <= after);
      for (const message of listed) {
        // Behind the others: it may be there already in the version before.
        found.delete(message.seq);
        found.set(message.seq, message);
      }
      const isLast = changes.length < wanted && listed.length === messages.length;
      // Some may have been removed for good since they were listed: then fewer than wanted is not the end.
      if (isLast || found.size >= limit) return [...found.values()];
    }
  }

  /** Messages in the version that was listed or a newer one, in order of change. */
  async #asListed(
    groupId: number,
    changes: readonly Readonly<{ seq: number; change: number }>[],
  ): Promise<Message[]> {
    const read = (seqs: readonly number[]) => this.#many(groupId, seqs);
    const bySeq = new Map(
      (await read(changes.map(({ seq }) => seq))).map((message) => [message.seq, message]),
    );
    // Their events may not have been told here yet, and a load that began before them may be shared.
    const stale = changes.filter(({ seq, change }) => (bySeq.get(seq)?.change ?? 0) < change);
    for (const { seq } of stale) this.#messages.drop({ groupId, seq });
    for (const message of await read(stale.map(({ seq }) => seq))) bySeq.set(message.seq, message);
    return [...bySeq.values()].sort((a, b) => a.change - b.change);
  }

  override countPinned(groupId: number): Promise<number> {
    return this.#pinCounts.get(groupId);
  }

  async #many(groupId: number, seqs: readonly number[]): Promise<Message[]> {
    const messages = await this.#messages.getMany(seqs.map((seq) => ({ groupId, seq })));
    return messages.filter((message) => message !== undefined);
  }

  /** @param keys of one group */
  async #load(keys: readonly Key[]): Promise<ReadonlyMap<string | number, Message>> {
    const seqs = keys.map((key) => key.seq);
    const loaded = await super.bySeqs(keys[0]?.groupId ?? 0, seqs);
    return new Map(loaded.map((message) => [keyOf(message), message]));
  }

  #keepWritten<Result>(committed: Committed<Result>): Committed<Result> {
    // Another process may have changed a message again by now, and its event may have been told.
    for (const message of committed.written)
      if ((this.#told.get(message.groupId) ?? 0) < message.change) this.#messages.put(message, message);
      else this.#messages.drop(message);
    return committed;
  }
}

function keyOf({ groupId, seq }: Key): string {
  return `${groupId}/${seq}`;
}
