import { setTimeout as pause } from 'node:timers/promises';
import { eventsMissed, type Subscribe } from '../bus/bus.ts';
import { groupDeleted, messagesPurged } from '../groups/events.ts';
import type { GroupStore } from '../groups/store.ts';
import { messagesChanged } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import { onNobodysBehalf } from '../request-id.ts';
import { asDocument } from './document.ts';
import type { SearchIndex } from './index.ts';

/** Delay before new messages are indexed, so that many are indexed together. */
const INDEX_DELAY_MS = 150;
/** The thread of the index starts when all else has started, or with the first search. */
const START_DELAY_MS = 3_000;
/** A search waits this long for messages that are not indexed yet; of a large import it finds what is indexed. */
const MAX_WAIT_MS = 1_000;
const BATCH = 250;
/** Delay after which a process asks whether it is the one that writes now. */
const CLAIM_MS = 2_000;
const RETRY_MS = 10_000;
/** After this many new documents the index is merged, as soon as nothing else is to be indexed. */
const MERGE_AFTER_DOCUMENTS = 20_000;

type Dependencies = {
  index: SearchIndex;
  groups: GroupStore;
  messages: MessageStore;
  subscribe: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/**
 * Keeps the index up to date: first with what changed since it last ran, group by group, then with new changes. It
 * reads messages by `change` from a cursor per group, so that events only trigger it and no change is missed.
 */
export class SearchFeed {
  readonly #index: SearchIndex;
  readonly #groups: GroupStore;
  readonly #messages: MessageStore;
  readonly #report: (error: unknown) => void;
  /** The change up to which each group is indexed. */
  readonly #cursors = new Map<number, number>();
  readonly #due = new Set<number>();
  /** Whether `#due` has everything that is not indexed. */
  #hasLookedUp = false;
  #isStopped = false;
  #indexedSinceMerge = 0;
  #dueAt = 0;
  /** Before this time, only a search starts the thread of the index. */
  readonly #startAt: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor({ index, groups, messages, subscribe, report }: Dependencies) {
    this.#index = index;
    this.#groups = groups;
    this.#messages = messages;
    this.#report = report;
    // A process cannot ask another one, which writes the index, to hurry.
    this.#startAt = index.isWithMessages ? 0 : Date.now() + START_DELAY_MS;
    this.#later();
    subscribe(groupDeleted, ({ groupId }) => this.#forget(groupId));
    subscribe(messagesPurged, ({ groupId, last }) => this.#then(() => this.#forgetUpTo(groupId, last)));
    subscribe(eventsMissed, () => {
      this.#hasLookedUp = false;
      this.#later();
    });
    subscribe(messagesChanged, ({ groupId }) => {
      this.#due.add(groupId);
      this.#later();
    });
  }

  /** Removes what is indexed of a group that is deleted, after what is under way. */
  #forget(groupId: number): void {
    this.#then(async () => {
      this.#due.delete(groupId);
      this.#cursors.delete(groupId);
      await this.#index.forget(groupId);
    });
  }

  /** Runs work on the index behind what is under way, where it is this process that writes it. */
  #then(work: () => Promise<void>): void {
    this.#running = this.#running
      .then(async () => {
        if (await this.#isWriter()) await work();
      })
      .catch((error) => this.#recover(error));
  }

  /** Removes what is no longer kept; what of it stays is indexed again. */
  async #forgetUpTo(groupId: number, last: number): Promise<void> {
    await this.#index.forget(groupId, last);
    if (this.#index.isWithMessages) return;
    if (!(await this.#groups.byId(groupId))) return;
    const kept = await this.#messages.between(groupId, 1, last);
    if (kept.length > 0) await this.#index.index(kept.map(asDocument), []);
  }

  /** Resolves when everything that is written is in the index. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#startDrain();
    await this.#running;
  }

  /** Resolves when what was written before is in the index, where that does not take long. */
  async catchUp(): Promise<void> {
    if (!this.#index.isWithMessages && this.#timer) {
      clearTimeout(this.#timer);
      this.#startDrain();
    }
    const wait = new AbortController();
    await Promise.race([this.#running, pause(MAX_WAIT_MS, undefined, { signal: wait.signal, ref: false })]);
    wait.abort();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#index.close();
  }

  #later(delay = INDEX_DELAY_MS): void {
    const dueAt = Math.max(Date.now() + delay, this.#startAt);
    if (this.#isStopped || (this.#timer && this.#dueAt <= dueAt)) return;
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    // For all who have written meanwhile.
    this.#timer = onNobodysBehalf(() => setTimeout(() => this.#startDrain(), dueAt - Date.now())).unref();
  }

  #startDrain(): void {
    this.#timer = undefined;
    this.#running = this.#running.then(() => this.#drain()).catch((error) => this.#recover(error));
  }

  /** Looks up anew what is not indexed: of a damaged index, which the worker has deleted by now, that is everything. */
  #recover(error: unknown): void {
    this.#report(error);
    this.#hasLookedUp = false;
    this.#later(RETRY_MS);
  }

  async #isWriter(): Promise<boolean> {
    const claim = await this.#index.claim();
    // Another one has written meanwhile.
    if (claim !== 'kept') this.#hasLookedUp = false;
    return claim !== 'refused';
  }

  async #lookUp(): Promise<void> {
    // First, since it may be asked for again meanwhile.
    this.#hasLookedUp = true;
    this.#cursors.clear();
    for (const { groupId, change } of await this.#index.cursors()) {
      const group = await this.#groups.byId(groupId);
      // Messages that were restored from an older backup have changes of the same number again.
      const isOlder = group && change > group.lastChange && !this.#index.isWithMessages;
      if (!group || isOlder) await this.#index.forget(groupId);
      else this.#cursors.set(groupId, change);
    }
    for (const { id, lastChange, purgedSeq } of await this.#groups.everyKind()) {
      if (this.#isStopped) return;
      if (purgedSeq > 0) await this.#forgetUpTo(id, purgedSeq);
      if ((this.#cursors.get(id) ?? 0) < lastChange) this.#due.add(id);
    }
  }

  async #drain(): Promise<void> {
    if (!(await this.#isWriter())) return this.#later(CLAIM_MS);
    if (!this.#hasLookedUp) await this.#lookUp();
    for (const groupId of this.#due) {
      this.#due.delete(groupId);
      while (!this.#isStopped && (await this.#advance(groupId)) === BATCH);
    }
    if (this.#indexedSinceMerge < MERGE_AFTER_DOCUMENTS) return;
    this.#indexedSinceMerge = 0;
    let isFirst = true;
    while (!this.#isStopped && this.#due.size === 0 && (await this.#index.tidy(isFirst))) isFirst = false;
  }

  async #advance(groupId: number): Promise<number> {
    // A group that was deleted in the meantime is not indexed again.
    if (!(await this.#groups.byId(groupId))) return 0;
    const changed = await this.#messages.changedAfter(groupId, this.#cursors.get(groupId) ?? 0, BATCH);
    const last = changed.at(-1);
    if (!last) return 0;
    await this.#index.index(changed.map(asDocument), [{ groupId, change: last.change }]);
    this.#cursors.set(groupId, last.change);
    this.#indexedSinceMerge += changed.length;
    return changed.length;
  }
}
