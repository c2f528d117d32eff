import type { Publish, Subscribe } from '../bus/bus.ts';
import { unreadCounted } from '../groups/events.ts';
import type { ReadMark } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Hub } from '../live/hub.ts';
import { messagesSent } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import type { ReadMarks } from './mark-read.ts';

/** Shortest time between two pushes of unread counts: fast enough to feel live, and cheap in a busy room. */
const PUSH_INTERVAL_MS = 200;

/** Further back, an own message does not move the read mark. */
const MAX_REMOVED_BETWEEN = 50;

type Dependencies = {
  hub: Hub;
  groups: GroupStore;
  messages: MessageStore;
  marks: ReadMarks;
  publish: Publish;
  subscribe: Subscribe;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** After messages were sent: advances the authors' read marks, publishes `unreadCounted` for connected members. */
export function countUnread({
  hub,
  groups,
  messages,
  marks,
  publish,
  subscribe,
  subscribeOwn,
  report,
}: Dependencies): {
  flush(): Promise<void>;
} {
  type Spans = Map<number, { firstSeq: number; lastSeq: number }>;
  const due: Spans = new Map();
  /** Those that this process sent, whose authors' marks it moves. */
  const dueOwn: Spans = new Map();
  let timer: NodeJS.Timeout | undefined;
  // Rounds run one after another: an overlapping one would read marks that the first is about to move.
  let round = Promise.resolve();

  subscribeOwn(messagesSent, (span) => add(dueOwn, span));
  subscribe(messagesSent, (span) => {
    add(due, span);
    timer ??= setTimeout(startRound, PUSH_INTERVAL_MS).unref();
  });

  function add(
    spans: Spans,
    { groupId, firstSeq, lastSeq }: { groupId: number; firstSeq: number; lastSeq: number },
  ) {
    spans.set(groupId, { firstSeq: spans.get(groupId)?.firstSeq ?? firstSeq, lastSeq });
  }

  function startRound(): void {
    timer = undefined;
    round = round.then(tell).catch(report);
  }

  async function tell(): Promise<void> {
    const spans = [...due];
    const ownSpans = [...dueOwn];
    due.clear();
    dueOwn.clear();
    const own = await Promise.all(
      ownSpans.map(([groupId, span]) => ownMarks(groupId, span.firstSeq, span.lastSeq)),
    );
    // In parallel, so that group commit writes all of them in one transaction.
    await Promise.all(own.flat().map((mark) => marks.commit(mark)));
    for (const accountId of hub.people()) {
      const memberships = await groups.membershipsOf(accountId);
      for (const [groupId] of spans)
        if (memberships.has(groupId)) publish(unreadCounted, { groupId, accountId });
    }
  }

  /** Whether nothing but removed messages stands between a read mark and a message. */
  async function isAllReadBetween(groupId: number, readSeq: number, seq: number): Promise<boolean> {
    if (readSeq >= seq || seq - readSeq > MAX_REMOVED_BETWEEN) return false;
    const between = readSeq === seq - 1 ? [] : await messages.between(groupId, readSeq + 1, seq - 1);
    return between.every((message) => message.removedAt !== null);
  }

  /** Marks of authors who had read everything before their own message: that message then counts as read, too. */
  async function ownMarks(groupId: number, firstSeq: number, lastSeq: number): Promise<ReadMark[]> {
    const read = new Map<number, number>();
    for (const { authorId, seq } of await messages.between(groupId, firstSeq, lastSeq)) {
      const readSeq = read.get(authorId) ?? (await groups.membership(authorId, groupId))?.readSeq;
      if (readSeq !== undefined && (await isAllReadBetween(groupId, readSeq, seq))) read.set(authorId, seq);
    }
    const now = Date.now();
    return [...read].map(([accountId, seq]) => ({ accountId, groupId, seq, now }));
  }

  return {
    async flush() {
      clearTimeout(timer);
      startRound();
      await round;
    },
  };
}
