import { randomUUID } from 'node:crypto';
import { eventsMissed, eventType, type Publish, type Subscribe } from '../bus/bus.ts';
import { groupAdvanced } from '../groups/events.ts';
import type { GroupStore } from '../groups/store.ts';
import { messagesChanged, messagesSent } from './events.ts';
import type { MessageStore } from './store.ts';

/** Changes that are read at a time where some were missed. */
const BATCH = 500;

/** What one transaction wrote in one group, in order of change. */
export type Commit = Readonly<{
  groupId: number;
  changed: readonly Readonly<{ seq: number; change: number }>[];
  /** The new messages among them. */
  sent: Readonly<{ firstSeq: number; lastSeq: number }> | null;
}>;

/** Tells other processes of a commit. */
const messagesCommitted = eventType<Commit & { process: string }>('messages.committed');

type Dependencies = {
  messages: Pick<MessageStore, 'changesAfter'>;
  groups: Pick<GroupStore, 'everyKind'>;
  publish: Publish;
  /** Tells the listeners of this process of what another one did. */
  deliver: Publish;
  subscribe: Subscribe;
  isAlone: boolean;
  report(error: unknown): void;
};

/**
 * Publishes the events of commits, in each process and for each group in order of change and without a gap, as if there
 * were one process: what two of them commit may be heard in another order, and what a killed one committed not at all.
 * A gap is filled from the database before anything after it is told.
 */
export class Announcer {
  readonly #process = randomUUID();
  readonly #dependencies: Dependencies;
  /** Up to which change of each group everything was told. */
  readonly #told = new Map<number, number>();
  readonly #filling = new Map<number, Promise<void>>();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    dependencies.subscribe(messagesCommitted, ({ process, ...commit }) => {
      if (process !== this.#process) return this.#take(commit, dependencies.deliver);
    });
  }

  /** Begins with what there is: nothing is told of its messages. */
  async start(): Promise<void> {
    if (this.#dependencies.isAlone) return;
    for (const { id, lastSeq, lastChange } of await this.#dependencies.groups.everyKind()) {
      this.#told.set(id, Math.max(lastChange, this.#told.get(id) ?? 0));
      this.#dependencies.deliver(groupAdvanced, { groupId: id, lastSeq, lastChange });
    }
  }

  /** Tells everybody of a commit of this process; resolves once this process has been told. */
  async announce(commit: Commit): Promise<void> {
    const { publish, isAlone } = this.#dependencies;
    if (!isAlone) publish(messagesCommitted, { ...commit, process: this.#process });
    await this.#take(commit, publish);
  }

  /**
   * Tells again of messages that were committed before: whoever sends one again may do so because the process that
   * committed it was killed before it told anybody. Those who were told skip it.
   */
  async repeat(
    messages: readonly Readonly<{ groupId: number; seq: number; change: number }>[],
  ): Promise<void> {
    if (this.#dependencies.isAlone) return;
    // One by one: between two of them may be others that were not told of here.
    for (const { groupId, seq, change } of messages.toSorted((a, b) => a.change - b.change))
      await this.announce({ groupId, changed: [{ seq, change }], sent: null });
  }

  #take(commit: Commit, tell: Publish): Promise<void> | undefined {
    const { groupId } = commit;
    const underWay = this.#filling.get(groupId);
    if (!underWay && !this.#hasGapBefore(commit)) return void this.#tell(commit, tell);
    const done = (underWay ?? Promise.resolve())
      .then(() => this.#fillBefore(commit))
      .catch((error) => {
        this.#dependencies.report(error);
        // What is before cannot be told now: whoever needs it reads it again.
        this.#dependencies.deliver(eventsMissed, {});
      })
      .then(() => this.#tell(commit, tell))
      .finally(() => this.#filling.get(groupId) === done && this.#filling.delete(groupId));
    this.#filling.set(groupId, done);
    return done;
  }

  #hasGapBefore({ groupId, changed }: Commit): boolean {
    if (this.#dependencies.isAlone) return false;
    return (changed[0]?.change ?? 0) > (this.#told.get(groupId) ?? 0) + 1;
  }

  async #fillBefore(commit: Commit): Promise<void> {
    const { messages, deliver } = this.#dependencies;
    const { groupId } = commit;
    while (this.#hasGapBefore(commit)) {
      const told = this.#told.get(groupId) ?? 0;
      const changed = await messages.changesAfter(groupId, told, BATCH);
      if (changed.length === 0) return;
      this.#tell({ groupId, changed, sent: null }, deliver);
    }
  }

  #tell({ groupId, changed, sent }: Commit, tell: Publish): void {
    const lastChange = changed.at(-1)?.change ?? 0;
    this.#told.set(groupId, Math.max(lastChange, this.#told.get(groupId) ?? 0));
    const lastSeq = Math.max(0, ...changed.map(({ seq }) => seq));
    tell(groupAdvanced, { groupId, lastSeq, lastChange });
    tell(messagesChanged, { groupId, messages: changed });
    if (sent) tell(messagesSent, { groupId, ...sent });
  }
}
