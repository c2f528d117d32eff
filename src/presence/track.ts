import type { Account } from '../accounts/store.ts';

/** The topic of everybody who has a socket open; also the topic of `/ws`. */
export const OVERALL = 'overview';

/** Somebody who is at a topic, however many tabs they have open there. */
export type Person = { account: Account; address: string };

/** A socket, as far as presence is concerned. */
export type Arrival = Person;

export type PresenceChange = { topic: string; joined?: Account; left?: Account };

export type Presence = {
  enter(topic: string, arrival: Arrival): void;
  leave(topic: string, arrival: Arrival): void;
  /** Removes somebody at once, without the grace period for a reload. */
  drop(account: Pick<Account, 'id'>, topic: string): void;
  has(topic: string, accountId: number): boolean;
  /** The people at a topic, ordered by name. */
  at(topic: string): Person[];
};

type Entry = { account: Account; arrivals: Arrival[]; shown: string; leaving?: NodeJS.Timeout };

/**
 * Tracks presence by open sockets. A page reload closes a socket and opens another, so somebody who comes back within
 * `graceMs` milliseconds does not count as having left.
 * @param changed called when somebody joins or leaves a topic, or their shown address, name or picture changes
 */
export function createPresence(changed: (change: PresenceChange) => void, graceMs = 3_000): Presence {
  const peopleByTopic = new Map<string, Map<number, Entry>>();

  function remove(topic: string, accountId: number): void {
    const people = peopleByTopic.get(topic);
    const entry = people?.get(accountId);
    if (!people || !entry) return;
    clearTimeout(entry.leaving);
    people.delete(accountId);
    if (people.size === 0) peopleByTopic.delete(topic);
    changed({ topic, left: entry.account });
  }

  /** Shows the address of the newest socket, and during the grace period the last one shown. */
  function show(topic: string, entry: Entry): void {
    const address = entry.arrivals.at(-1)?.address ?? entry.shown;
    if (address === entry.shown) return;
    entry.shown = address;
    changed({ topic });
  }

  return {
    enter(topic, arrival) {
      const people = peopleByTopic.get(topic) ?? new Map<number, Entry>();
      peopleByTopic.set(topic, people);
      const entry = people.get(arrival.account.id);
      if (!entry) {
        people.set(arrival.account.id, {
          account: arrival.account,
          arrivals: [arrival],
          shown: arrival.address,
        });
        return changed({ topic, joined: arrival.account });
      }
      clearTimeout(entry.leaving);
      entry.arrivals.push(arrival);
      const hasNewFace =
        entry.account.pictureVersion !== arrival.account.pictureVersion ||
        entry.account.name !== arrival.account.name;
      entry.account = arrival.account;
      if (hasNewFace) changed({ topic });
      show(topic, entry);
    },
    leave(topic, arrival) {
      const entry = peopleByTopic.get(topic)?.get(arrival.account.id);
      const index = entry?.arrivals.indexOf(arrival) ?? -1;
      if (!entry || index < 0) return;
      entry.arrivals.splice(index, 1);
      show(topic, entry);
      if (entry.arrivals.length > 0) return;
      entry.leaving = setTimeout(remove, graceMs, topic, arrival.account.id).unref();
    },
    drop: (account, topic) => remove(topic, account.id),
    has: (topic, accountId) => peopleByTopic.get(topic)?.has(accountId) === true,
    at(topic) {
      return [...(peopleByTopic.get(topic)?.values() ?? [])]
        .map((entry) => ({ account: entry.account, address: entry.shown }))
        .sort((a, b) => a.account.name.localeCompare(b.account.name));
    },
  };
}
