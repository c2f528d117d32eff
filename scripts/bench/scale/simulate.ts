import { Events, Part } from './events.ts';

/** Seconds of work that each part spends. */
export type Costs = Readonly<{
  /** The event loop of the process that takes a message. */
  message: number;
  /** A commit of a process: by itself, for each message, and for each group of its batch. Nothing where the loop itself writes. */
  commit: Readonly<{ batch: number; message: number; group: number }>;
  /** One processor of the database, which all processes share. */
  database: number;
  /** The bus, for each other process that a message goes to. */
  bus: number;
  /** The event loop of another process that has somebody of the group: it reads the message. */
  remote: number;
  /** A frame to one socket. */
  delivery: number;
}>;

export const FREE: Costs = {
  ...{ message: 0, commit: { batch: 0, message: 0, group: 0 } },
  ...{ database: 0, bus: 0, remote: 0, delivery: 0 },
};

/** A machine for the database has so many. */
const DATABASE_PROCESSORS = 4;

/** A message: of which group, at which process, and how many sockets of the group each process has. */
export type Sent = Readonly<{ group: number; process: number; listeners: ReadonlyMap<number, number> }>;

type Waiting = { sent: Sent; at: number; acknowledge: (now: number) => void };

export type Outcome = Readonly<{
  /** Messages a second. */
  rate: number;
  /** Until the last socket has a message, in seconds: 99 of a hundred are faster. */
  p99: number;
  /** How busy the busiest event loop, the processors of the database together, and the bus are: 1 is all the time of one. */
  load: { loop: number; database: number; bus: number };
}>;

/**
 * Follows each message through a Hearth of several processes: the loop that takes it, the commit with all that waits, the
 * database, the bus, and the loops that push it to sockets (a network of queues, event by event; Harchol-Balter,
 * "Performance Modeling and Design of Computer Systems", 2013).
 */
export class Network {
  readonly events = new Events();
  readonly #costs: Costs;
  readonly #loops: Part[];
  readonly #waiting: Waiting[][];
  readonly #isWriting: boolean[];
  readonly #database = Array.from({ length: DATABASE_PROCESSORS }, () => new Part());
  readonly #bus = new Part();
  readonly #lags: number[] = [];
  #now = 0;

  constructor(costs: Costs, processes: number) {
    this.#costs = costs;
    this.#loops = Array.from({ length: processes }, () => new Part());
    this.#waiting = Array.from({ length: processes }, () => []);
    this.#isWriting = new Array<boolean>(processes).fill(false);
  }

  /** Sends a message at a time. @param acknowledge is called when it is committed */
  send(at: number, sent: Sent, acknowledge: (now: number) => void = () => {}): void {
    this.events.at(at, (now) =>
      this.events.at(this.#loop(sent.process).do(now, this.#costs.message), (taken) => {
        this.#waiting[sent.process]?.push({ sent, at, acknowledge });
        this.#write(sent.process, taken);
      }),
    );
  }

  outcome(): Outcome {
    const sorted = this.#lags.toSorted((a, b) => a - b);
    return {
      rate: sorted.length / this.#now,
      p99: sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0,
      load: {
        loop: Math.max(...this.#loops.map((loop) => loop.load(this.#now))),
        database: this.#database.reduce((sum, part) => sum + part.load(this.#now), 0),
        bus: this.#bus.load(this.#now),
      },
    };
  }

  get count(): number {
    return this.#lags.length;
  }

  #freest(): Part {
    return this.#database.reduce((best, part) => (part.free < best.free ? part : best));
  }

  #loop(process: number): Part {
    return this.#loops[process] as Part;
  }

  /** Commits what waits at a process, once the commit before is done. */
  #write(process: number, now: number): void {
    const batch = this.#waiting[process] ?? [];
    if (this.#isWriting[process] || batch.length === 0) return;
    this.#waiting[process] = [];
    this.#isWriting[process] = true;
    const { commit, database } = this.#costs;
    const groups = new Set(batch.map(({ sent }) => sent.group)).size;
    const took = commit.batch + batch.length * commit.message + groups * commit.group;
    const stored = this.#freest().do(now, batch.length * database);
    this.events.at(Math.max(now + took, stored), (committed) => {
      this.#isWriting[process] = false;
      for (const waiting of batch) this.#tell(waiting, committed);
      this.#write(process, committed);
    });
  }

  #tell({ sent, at, acknowledge }: Waiting, now: number): void {
    const { process, listeners } = sent;
    const { delivery, bus, remote } = this.#costs;
    let left = listeners.size;
    const reached = (done: number) => {
      this.#now = Math.max(this.#now, done);
      left -= 1;
      if (left === 0) this.#lags.push(done - at);
    };
    for (const [other, sockets] of listeners) {
      if (other === process) {
        this.events.at(this.#loop(process).do(now, sockets * delivery), (done) => {
          acknowledge(done);
          reached(done);
        });
      } else
        this.events.at(this.#bus.do(now, bus), (told) => {
          this.events.at(this.#loop(other).do(told, remote + sockets * delivery), reached);
        });
    }
  }
}

/**
 * People at one process who each send, wait for their acknowledgement, and send again.
 * @param groups in which they are in turns, with so many listeners each
 * @returns messages a second
 */
export function closedLoop(costs: Costs, senders: number, groups: number, listeners: number): number {
  const network = new Network(costs, 1);
  const sendAs = (person: number, at: number): void =>
    network.send(at, { group: person % groups, process: 0, listeners: new Map([[0, listeners]]) }, (now) =>
      sendAs(person, now),
    );
  for (let person = 0; person < senders; person++) sendAs(person, 0);
  network.events.run(() => network.count >= 20_000);
  return network.outcome().rate;
}
