import { type Costs, Network, type Outcome } from './simulate.ts';

/** How people use a chat; the figures are assumptions, and stand in docs/scaling.md. */
export const HABITS = {
  /** Of all people, those whose page is open in the busiest hour. */
  online: 0.2,
  /** What each of these writes in that hour. */
  messagesPerHour: 12,
  /** In the busiest minute there is this much more than in the hour on average. */
  peak: 2,
  /** Groups of 8, 30, 120 and 500 people, and how many messages go to each. */
  groups: [
    { people: 8, share: 0.5 },
    { people: 30, share: 0.3 },
    { people: 120, share: 0.15 },
    { people: 500, share: 0.05 },
  ],
} as const;

/** Messages a second in the busiest minute. */
export function messagesPerSecond(people: number): number {
  const { online, messagesPerHour, peak } = HABITS;
  return (people * online * messagesPerHour * peak) / 3_600;
}

/** Sockets that get a message, on average. */
export function listenersPerMessage(people: number): number {
  return HABITS.groups.reduce((sum, group) => sum + group.share * onlineIn(group.people, people), 0);
}

/** Lets so many people talk for some seconds of the busiest minute. @param random from 0 to 1, such as Math.random */
export function simulatePeople(
  costs: Costs,
  { people, processes }: { people: number; processes: number },
  { seconds, random }: { seconds: number; random: () => number },
): Outcome {
  const network = new Network(costs, processes);
  const rate = messagesPerSecond(people);
  for (let at = 0; at < seconds; at += -Math.log(1 - random()) / rate) {
    const listeners = new Map<number, number>();
    for (let count = onlineIn(sizeOf(random()), people); count > 0; count--) {
      const process = Math.floor(random() * processes);
      listeners.set(process, (listeners.get(process) ?? 0) + 1);
    }
    const [process = 0] = listeners.keys();
    network.send(at, { process, group: Math.floor(random() * 1_000_000), listeners });
  }
  network.events.run();
  return network.outcome();
}

function sizeOf(draw: number): number {
  let left = draw;
  for (const { people, share } of HABITS.groups) {
    left -= share;
    if (left < 0) return people;
  }
  return HABITS.groups[0].people;
}

/** Of a group; who writes is one of them, and nobody has a group larger than everybody. */
function onlineIn(size: number, people: number): number {
  return Math.max(1, Math.round(Math.min(size, people) * HABITS.online));
}
