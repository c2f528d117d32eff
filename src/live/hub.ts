import { CLOSE, type Connection, type Viewer } from './connection.ts';
import { factText, type Protocol, textFrame } from './frames.ts';

/** A browser that has heard nothing for two beats takes the line for dead (`static/js/page/socket.js`). */
const HEARTBEAT_MS = 20_000;
const PERSONAL = 'account:';

/** What is pushed: presented at most once for each kind of viewer; undefined where there is nothing for them. */
export type Present = (viewer: Viewer) => string | undefined;

export type Hub = {
  /** Every connection is known from its first moment, so that what is revoked meanwhile closes it too. */
  add(connection: Connection): void;
  remove(connection: Connection): void;
  /** From now on what is published to these topics reaches the connection. */
  subscribe(connection: Connection, ...topics: string[]): void;
  /** @param change lets a connection skip what it got while catching up; @param except an account that is left out */
  publish(topic: string, present: Present, options?: { change?: number; except?: number }): void;
  /** Sends to one connection, behind what is queued for it. */
  send(connection: Connection, text: string): void;
  sendFact(connection: Connection, type: string, fields: Parameters<typeof factText>[2]): void;
  /** Whether anybody listens to a topic, in this protocol or in any. */
  hasSubscribers(topic: string, protocol?: Protocol): boolean;
  count(topic: string): number;
  /** How many sockets an account has open. */
  countOf(accountId: number): number;
  /** Whether a page of this account is in sight somewhere. */
  hasVisiblePage(accountId: number): boolean;
  /** The accounts that listen for what concerns them. */
  people(): number[];
  closeWhere(matches: (connection: Connection) => boolean, code: number, reason: string): void;
  /** Says goodbye to everyone; nothing is sent afterwards. */
  close(): void;
};

/** The sockets of a topic, and how many of them speak each protocol. */
type Listeners = { sockets: Set<Connection> } & Record<Protocol, number>;

/**
 * Topics to sockets. An event is presented and framed once for each kind of viewer and queued; at the end of the
 * turn each socket gets all that is queued for it in one write, however many events there were. That is worth a
 * multiple: a thousand sockets take a thousand system calls a turn, not a thousand a message.
 */
export function createHub(): Hub {
  const connections = new Set<Connection>();
  const perAccount = new Map<number, number>();
  const listeners = new Map<string, Listeners>();
  let unflushed: Connection[] = [];
  const alive = textFrame(factText('html', 'alive', {}));

  const heartbeat = setInterval(() => {
    for (const connection of connections) {
      if (!connection.isAlive) {
        connection.ws.terminate();
        continue;
      }
      connection.isAlive = false;
      connection.received = 0;
      if (!connection.isOpen) continue;
      connection.ws.ping();
      // Scripts in a browser are not told of pings.
      if (connection.protocol === 'html') queue(connection, alive);
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();

  function queue(connection: Connection, frame: Buffer): void {
    if (!connection.queue(frame)) return;
    if (unflushed.length === 0) setImmediate(flush);
    unflushed.push(connection);
  }

  function flush(): void {
    const due = unflushed;
    unflushed = [];
    // Neighbours mostly have the same frames waiting: those share one buffer.
    let last: { frames: readonly Buffer[]; bytes: Buffer } | undefined;
    for (const connection of due) {
      const frames = connection.takePending();
      if (!last || !areSame(frames, last.frames)) last = { frames, bytes: joined(frames) };
      connection.write(last.bytes);
    }
  }

  return {
    add(connection) {
      connections.add(connection);
      perAccount.set(connection.account.id, (perAccount.get(connection.account.id) ?? 0) + 1);
    },
    remove(connection) {
      connections.delete(connection);
      const left = (perAccount.get(connection.account.id) ?? 1) - 1;
      if (left > 0) perAccount.set(connection.account.id, left);
      else perAccount.delete(connection.account.id);
      for (const topic of [connection.topic, personalTopic(connection.account.id)]) {
        const subscribers = listeners.get(topic);
        if (subscribers?.sockets.delete(connection)) subscribers[connection.protocol] -= 1;
        if (subscribers?.sockets.size === 0) listeners.delete(topic);
      }
    },
    subscribe(connection, ...topics) {
      if (!connections.has(connection)) return;
      for (const topic of topics) {
        const subscribers = listeners.get(topic) ?? { sockets: new Set(), html: 0, json: 0 };
        listeners.set(topic, subscribers);
        if (!subscribers.sockets.has(connection)) subscribers[connection.protocol] += 1;
        subscribers.sockets.add(connection);
      }
    },
    publish(topic, present, { change, except } = {}) {
      const subscribers = listeners.get(topic);
      if (!subscribers) return;
      const frames = new Map<string, Buffer | undefined>();
      for (const connection of subscribers.sockets) {
        if (connection.account.id === except) continue;
        if (change !== undefined) {
          if (change <= connection.change) continue;
          connection.change = change;
        }
        const frame = frameFor(frames, connection, present);
        if (frame) queue(connection, frame);
      }
    },
    send: (connection, text) => queue(connection, textFrame(text)),
    sendFact: (connection, type, fields) =>
      queue(connection, textFrame(factText(connection.protocol, type, fields))),
    hasSubscribers: (topic, protocol) =>
      protocol ? (listeners.get(topic)?.[protocol] ?? 0) > 0 : listeners.has(topic),
    countOf: (accountId) => perAccount.get(accountId) ?? 0,
    hasVisiblePage: (accountId) =>
      [...(listeners.get(personalTopic(accountId))?.sockets ?? [])].some(
        (connection) => connection.isVisible && connection.isAlive,
      ),
    count: (topic) => listeners.get(topic)?.sockets.size ?? 0,
    people: () =>
      [...listeners.keys()]
        .filter((topic) => topic.startsWith(PERSONAL))
        .map((topic) => Number(topic.slice(PERSONAL.length))),
    closeWhere(matches, code, reason) {
      flush();
      for (const connection of connections) if (matches(connection)) connection.close(code, reason);
    },
    close() {
      clearInterval(heartbeat);
      flush();
      for (const connection of connections)
        connection.close(CLOSE.goingAway, 'Hearth is stopping; connect again in a moment.');
    },
  };
}

/** What concerns one person, wherever they are. */
export function personalTopic(accountId: number): string {
  return `${PERSONAL}${accountId}`;
}

function frameFor(
  frames: Map<string, Buffer | undefined>,
  viewer: Viewer,
  present: Present,
): Buffer | undefined {
  const form = `${viewer.protocol} ${viewer.seesAddresses} ${viewer.seesReceipts}`;
  if (!frames.has(form)) {
    const text = present(viewer);
    frames.set(form, text === undefined ? undefined : textFrame(text));
  }
  return frames.get(form);
}

function areSame(first: readonly Buffer[], other: readonly Buffer[]): boolean {
  return first.length === other.length && first.every((frame, index) => frame === other[index]);
}

function joined(frames: readonly Buffer[]): Buffer {
  const [first] = frames;
  return first && frames.length === 1 ? first : Buffer.concat(frames);
}
