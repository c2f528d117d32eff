import type { Account } from '../accounts/store.ts';

/** The place where everybody is who has a socket open; also the topic of `/ws`. */
export const OVERALL = 'overview';

/** Somebody who is at a place, however many tabs they have open there. */
export type Person = { account: Account; address: string };

/** A socket, as far as presence is concerned. */
export type Arrival = Person;

export type PresenceChange = { place: string; joined?: Account; left?: Account };

export type Presence = {
  enter(place: string, arrival: Arrival): void;
  leave(place: string, arrival: Arrival): void;
  /** Somebody is gone for good: no waiting for a reload to come back. */
  drop(account: Pick<Account, 'id'>, place: string): void;
  /** The people at a place, ordered by name. */
  at(place: string): Person[];
};

type Entry = { account: Account; arrivals: Arrival[]; shown: string; leaving?: NodeJS.Timeout };

/**
 * Knows who is where from the sockets that are open. A reload closes a socket and opens another; whoever comes
 * back within `graceMs` never left.
 * @param changed is told when somebody joins or leaves a place, or shows up with another address
 */
export function createPresence(changed: (change: PresenceChange) => void, graceMs = 3_000): Presence {
  const places = new Map<string, Map<number, Entry>>();

  function remove(place: string, accountId: number): void {
    const people = places.get(place);
    const entry = people?.get(accountId);
    if (!people || !entry) return;
    clearTimeout(entry.leaving);
    people.delete(accountId);
    if (people.size === 0) places.delete(place);
    changed({ place, left: entry.account });
  }

  /** Of several addresses the one that came last is shown; during the grace, the one that was. */
  function show(place: string, entry: Entry): void {
    const address = entry.arrivals.at(-1)?.address ?? entry.shown;
    if (address === entry.shown) return;
    entry.shown = address;
    changed({ place });
  }

  return {
    enter(place, arrival) {
      const people = places.get(place) ?? new Map<number, Entry>();
      places.set(place, people);
      const entry = people.get(arrival.account.id);
      if (!entry) {
        people.set(arrival.account.id, {
          account: arrival.account,
          arrivals: [arrival],
          shown: arrival.address,
        });
        return changed({ place, joined: arrival.account });
      }
      clearTimeout(entry.leaving);
      entry.arrivals.push(arrival);
      const hasNewFace =
        entry.account.pictureVersion !== arrival.account.pictureVersion ||
        entry.account.name !== arrival.account.name;
      entry.account = arrival.account;
      if (hasNewFace) changed({ place });
      show(place, entry);
    },
    leave(place, arrival) {
      const entry = places.get(place)?.get(arrival.account.id);
      const index = entry?.arrivals.indexOf(arrival) ?? -1;
      if (!entry || index < 0) return;
      entry.arrivals.splice(index, 1);
      show(place, entry);
      if (entry.arrivals.length > 0) return;
      entry.leaving = setTimeout(remove, graceMs, place, arrival.account.id).unref();
    },
    drop: (account, place) => remove(place, account.id),
    at(place) {
      return [...(places.get(place)?.values() ?? [])]
        .map((entry) => ({ account: entry.account, address: entry.shown }))
        .sort((a, b) => a.account.name.localeCompare(b.account.name));
    },
  };
}
