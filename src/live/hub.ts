import { CLOSE, type Connection, type Viewer } from './connection.ts';
import { factText, type Protocol, textFrame } from './frames.ts';

/** A browser considers the connection dead after two missed heartbeats (`static/js/page/socket.js`). */
const HEARTBEAT_MS = 20_000;
const PERSONAL = 'account:';
const ALIVE = textFrame(factText('html', 'alive', {}));

/** What is pushed: presented at most once for each kind of viewer; undefined where there is nothing for them. */
export type Present = (viewer: Viewer) => string | undefined;

/** The sockets of a topic, and how many of them speak each protocol. */
type Subscribers = { sockets: Set<Connection> } & Record<Protocol, number>;

/**
 * Maps topics to sockets. An event is rendered and framed once per kind of viewer, and queued. At the end of the
 * turn, each socket gets everything queued for it in one write: a thousand sockets take a thousand system calls per
 * turn of the event loop, not per message.
 */
export class Hub {
  readonly #connections = new Set<Connection>();
  readonly #countsByAccount = new Map<number, number>();
  readonly #subscribersByTopic = new Map<string, Subscribers>();
  #unflushed: Connection[] = [];
  readonly #heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();

  /** To be called before `Endpoint.open`, so that revoking access in the meantime closes the connection too. */
  add(connection: Connection): void {
    const { id } = connection.account;
    this.#connections.add(connection);
    this.#countsByAccount.set(id, this.countOf(id) + 1);
  }

  remove(connection: Connection): void {
    const { id } = connection.account;
    this.#connections.delete(connection);
    const left = this.countOf(id) - 1;
    if (left > 0) this.#countsByAccount.set(id, left);
    else this.#countsByAccount.delete(id);
    for (const topic of [connection.topic, personalTopic(id)]) {
      const subscribers = this.#subscribersByTopic.get(topic);
      if (subscribers?.sockets.delete(connection)) subscribers[connection.protocol] -= 1;
      if (subscribers?.sockets.size === 0) this.#subscribersByTopic.delete(topic);
    }
  }

  /** From now on what is published to these topics reaches the connection. */
  subscribe(connection: Connection, ...topics: string[]): void {
    if (!this.#connections.has(connection)) return;
    for (const topic of topics) {
      const subscribers = this.#subscribersByTopic.get(topic) ?? { sockets: new Set(), html: 0, json: 0 };
      this.#subscribersByTopic.set(topic, subscribers);
      if (!subscribers.sockets.has(connection)) subscribers[connection.protocol] += 1;
      subscribers.sockets.add(connection);
    }
  }

  /**
   * @param change the event's change number: a connection that already got it while catching up is skipped
   * @param except an account that does not get the event
   */
  publish(
    topic: string,
    present: Present,
    { change, except }: { change?: number; except?: number } = {},
  ): void {
    const subscribers = this.#subscribersByTopic.get(topic);
    if (!subscribers) return;
    const frames = new Map<number, Buffer | undefined>();
    for (const connection of subscribers.sockets) {
      if (connection.account.id === except) continue;
      if (change !== undefined) {
        if (change <= connection.change || connection.isLeaving) continue;
        connection.change = change;
      }
      const frame = frameFor(frames, connection, present);
      if (frame) this.#queue(connection, frame);
    }
  }

  /** Sends to one connection, behind what is queued for it. */
  send(connection: Connection, text: string): void {
    this.#queue(connection, textFrame(text));
  }

  sendFact(connection: Connection, type: string, fields: Parameters<typeof factText>[2]): void {
    this.send(connection, factText(connection.protocol, type, fields));
  }

  /** Whether anybody listens to a topic, in this protocol or in any. */
  hasSubscribers(topic: string, protocol?: Protocol): boolean {
    const subscribers = this.#subscribersByTopic.get(topic);
    return subscribers !== undefined && (protocol === undefined || subscribers[protocol] > 0);
  }

  count(topic: string): number {
    return this.#subscribersByTopic.get(topic)?.sockets.size ?? 0;
  }

  get size(): number {
    return this.#connections.size;
  }

  /** How many sockets an account has open. */
  countOf(accountId: number): number {
    return this.#countsByAccount.get(accountId) ?? 0;
  }

  /** Whether a page of this account is in sight somewhere. */
  hasVisiblePage(accountId: number): boolean {
    const sockets = this.#subscribersByTopic.get(personalTopic(accountId))?.sockets ?? [];
    return [...sockets].some((connection) => connection.isVisible && connection.isAlive);
  }

  /** The accounts that listen for what concerns them. */
  people(): number[] {
    return [...this.#subscribersByTopic.keys()]
      .filter((topic) => topic.startsWith(PERSONAL))
      .map((topic) => Number(topic.slice(PERSONAL.length)));
  }

  closeWhere(matches: (connection: Connection) => boolean, code: number, reason: string): void {
    this.#flush();
    for (const connection of this.#connections) if (matches(connection)) connection.close(code, reason);
  }

  /** Asks connections to come back: what changes how they are served was changed, maybe by a command of theirs. */
  renewWhere(matches: (connection: Connection) => boolean, reason: string): void {
    for (const connection of this.#connections)
      if (matches(connection)) connection.closeOnceAnswered(CLOSE.goingAway, reason);
  }

  /** Asks for each connection, one after another, whether it may still be there. @throws the first failure, after all */
  async check(): Promise<void> {
    const failures: unknown[] = [];
    for (const connection of [...this.#connections])
      await connection.check?.().catch((error) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** Closes every socket with 1001; nothing is sent afterwards. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.closeWhere(() => true, CLOSE.goingAway, 'Hearth is stopping; connect again in a moment.');
  }

  #beat(): void {
    for (const connection of this.#connections) {
      if (!connection.isAlive) {
        connection.ws.terminate();
        continue;
      }
      connection.isAlive = false;
      connection.received = 0;
      if (!connection.isOpen) continue;
      connection.ws.ping();
      // Scripts in a browser are not told of pings.
      if (connection.protocol === 'html') this.#queue(connection, ALIVE);
    }
  }

  #queue(connection: Connection, frame: Buffer): void {
    if (!connection.queue(frame)) return;
    if (this.#unflushed.length === 0) setImmediate(() => this.#flush());
    this.#unflushed.push(connection);
  }

  #flush(): void {
    const due = this.#unflushed;
    this.#unflushed = [];
    // Consecutive connections mostly have the same frames queued; they share one buffer.
    let last: { frames: readonly Buffer[]; bytes: Buffer } | undefined;
    for (const connection of due) {
      const frames = connection.takePending();
      if (!last || !areSame(frames, last.frames)) last = { frames, bytes: joined(frames) };
      connection.write(last.bytes);
    }
  }
}

/** What concerns one person, wherever they are. */
export function personalTopic(accountId: number): string {
  return `${PERSONAL}${accountId}`;
}

function frameFor(
  frames: Map<number, Buffer | undefined>,
  viewer: Viewer,
  present: Present,
): Buffer | undefined {
  if (!frames.has(viewer.kind)) {
    const text = present(viewer);
    frames.set(viewer.kind, text === undefined ? undefined : textFrame(text));
  }
  return frames.get(viewer.kind);
}

function areSame(first: readonly Buffer[], other: readonly Buffer[]): boolean {
  return first.length === other.length && first.every((frame, index) => frame === other[index]);
}

function joined(frames: readonly Buffer[]): Buffer {
  const [first] = frames;
  return first && frames.length === 1 ? first : Buffer.concat(frames);
}
