import { randomUUID } from 'node:crypto';
import type { AccountStore } from '../accounts/store.ts';
import { eventsMissed, eventType, type Publish, type Subscribe, workLeft } from '../bus/bus.ts';
import type { Arrival, Presence } from './track.ts';

/** How often a process says that it is there. */
const BEAT_MS = 1_000;
/** A process that said nothing for so long has ended: its people are gone after the grace period for a reload. */
const LEASE_MS = 4_000;

type Place = { topic: string; accountId: number; address: string };

/** Somebody has come to a topic, or is gone, in another process. */
const personMoved = eventType<Place & { process: string; isHere: boolean }>('presence.person-moved');
/** Whether a page of somebody is in sight there. */
const pageSeen = eventType<{ process: string; accountId: number; isVisible: boolean }>('presence.page-seen');
const processBeats = eventType<{ process: string }>('presence.process-beats');
const processStopped = eventType<{ process: string }>('presence.process-stopped');
/** Asks one process, or all, who is there. */
const rosterAsked = eventType<{ of: string | null }>('presence.roster-asked');
const rosterTold = eventType<{ process: string; places: readonly Place[]; visible: readonly number[] }>(
  'presence.roster-told',
);

type Other = {
  heardAt: number;
  arrivals: Map<string, { topic: string; arrival: Arrival }>;
  visible: Set<number>;
};

type Dependencies = {
  presence: Presence;
  accounts: AccountStore;
  publish: Publish;
  subscribe: Subscribe;
  /** Tells the listeners of this process. */
  deliver: Publish;
  isCutOff(): boolean;
  report(error: unknown): void;
};

/**
 * Who is here by way of other processes: each tells the others of its people, and its people are gone once it is not
 * heard of any more. Ids and addresses only; who they are is read from the accounts.
 */
export class SharedPresence {
  readonly #process = randomUUID();
  readonly #dependencies: Dependencies;
  readonly #others = new Map<string, Other>();
  /** Those of this process, by topic and account: where they are, and with how many sockets. */
  readonly #own = new Map<string, Place & { sockets: number }>();
  readonly #visible = new Set<number>();
  readonly #beat = setInterval(() => this.#beatOnce(), BEAT_MS).unref();
  /** One after another, since whoever comes has to be read first. */
  #running = Promise.resolve();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    const { publish, subscribe } = dependencies;
    subscribe(personMoved, ({ process, ...moved }) =>
      this.#inTurn(process, (other) => this.#move(other, moved, moved.isHere)),
    );
    subscribe(pageSeen, ({ process, accountId, isVisible }) =>
      this.#inTurn(process, async ({ visible }) => {
        if (isVisible) visible.add(accountId);
        else visible.delete(accountId);
      }),
    );
    subscribe(processBeats, ({ process }) => this.#heard(process));
    subscribe(processStopped, ({ process }) => {
      if (process === this.#process) return;
      dependencies.deliver(workLeft, {});
      this.#inTurn(process, async () => this.#forget(process));
    });
    subscribe(rosterTold, ({ process, places, visible }) =>
      this.#inTurn(process, (other) => this.#replace(other, places, visible)),
    );
    subscribe(rosterAsked, ({ of }) => {
      if (of === null || of === this.#process) this.#tellRoster();
    });
    subscribe(eventsMissed, () => publish(rosterAsked, { of: null }));
    publish(rosterAsked, { of: null });
  }

  /** Tells the others of a socket of this process. */
  entered(topic: string, { account, address }: Arrival): void {
    const key = keyOf(topic, account.id);
    const place = this.#own.get(key);
    const isNew = place?.address !== address;
    this.#own.set(key, { topic, accountId: account.id, address, sockets: (place?.sockets ?? 0) + 1 });
    if (isNew) this.#tellMoved({ topic, accountId: account.id, address }, true);
  }

  left(topic: string, { account }: Arrival): void {
    const key = keyOf(topic, account.id);
    const place = this.#own.get(key);
    if (!place) return;
    place.sockets -= 1;
    if (place.sockets > 0) return;
    this.#own.delete(key);
    this.#tellMoved({ topic, accountId: account.id, address: place.address }, false);
  }

  /** @param isVisible whether any page of the account in this process is in sight */
  sees(accountId: number, isVisible: boolean): void {
    if (this.#visible.has(accountId) === isVisible) return;
    if (isVisible) this.#visible.add(accountId);
    else this.#visible.delete(accountId);
    this.#dependencies.publish(pageSeen, { process: this.#process, accountId, isVisible });
  }

  /** Whether a page of this account is in sight in another process. */
  isSeenElsewhere(accountId: number): boolean {
    return [...this.#others.values()].some(({ visible }) => visible.has(accountId));
  }

  /** How many other processes there are. */
  get others(): number {
    return this.#others.size;
  }

  /** Announces that this process stops, so that the others need not wait for its lease to expire. */
  stop(): void {
    clearInterval(this.#beat);
    this.#dependencies.publish(processStopped, { process: this.#process });
  }

  #tellMoved(place: Place, isHere: boolean): void {
    this.#dependencies.publish(personMoved, { process: this.#process, ...place, isHere });
  }

  #tellRoster(): void {
    const places = [...this.#own.values()].map(({ topic, accountId, address }) => ({
      topic,
      accountId,
      address,
    }));
    this.#dependencies.publish(rosterTold, { process: this.#process, places, visible: [...this.#visible] });
  }

  #beatOnce(): void {
    const { publish } = this.#dependencies;
    publish(processBeats, { process: this.#process });
    const ended = Date.now() - LEASE_MS;
    for (const [process, other] of this.#others) {
      if (other.heardAt >= ended) continue;
      // It was killed, maybe between a commit and its event; or nobody can be heard, which is said once that has passed.
      if (!this.#dependencies.isCutOff()) this.#dependencies.deliver(eventsMissed, {});
      this.#inTurn(process, async () => this.#forget(process));
    }
  }

  #heard(process: string): void {
    if (process === this.#process) return;
    const other = this.#others.get(process);
    if (other) other.heardAt = Date.now();
    else this.#dependencies.publish(rosterAsked, { of: process });
  }

  #inTurn(process: string, work: (other: Other) => Promise<void>): void {
    if (process === this.#process) return;
    const known = this.#others.get(process);
    const other = known ?? { heardAt: 0, arrivals: new Map(), visible: new Set() };
    other.heardAt = Date.now();
    this.#others.set(process, other);
    // What it has told before was not heard.
    if (!known) this.#dependencies.publish(rosterAsked, { of: process });
    // One that was forgotten meanwhile is asked anew.
    const doIt = () => (this.#others.get(process) === other ? work(other) : undefined);
    this.#running = this.#running.then(doIt).catch(this.#dependencies.report);
  }

  async #move({ arrivals }: Other, { topic, accountId, address }: Place, isHere: boolean): Promise<void> {
    const { presence, accounts } = this.#dependencies;
    const key = keyOf(topic, accountId);
    const before = arrivals.get(key);
    if (before) presence.leave(topic, before.arrival);
    arrivals.delete(key);
    const account = isHere ? await accounts.byId(accountId) : undefined;
    if (!account) return;
    const arrival = { account, address };
    arrivals.set(key, { topic, arrival });
    presence.enter(topic, arrival);
  }

  async #replace(other: Other, places: readonly Place[], visible: readonly number[]): Promise<void> {
    this.#leaveAll(other);
    other.visible = new Set(visible);
    for (const place of places) await this.#move(other, place, true);
  }

  #forget(process: string): void {
    const other = this.#others.get(process);
    if (!other) return;
    this.#others.delete(process);
    this.#leaveAll(other);
  }

  #leaveAll({ arrivals }: Other): void {
    for (const { topic, arrival } of arrivals.values()) this.#dependencies.presence.leave(topic, arrival);
    arrivals.clear();
  }
}

function keyOf(topic: string, accountId: number): string {
  return `${topic} ${accountId}`;
}
