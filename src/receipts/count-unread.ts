import type { Publish, Subscribe } from '../bus/bus.ts';
import { unreadChanged } from '../groups/events.ts';
import type { ReadMark } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Hub } from '../live/hub.ts';
import { messagesSent } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import type { ReadMarks } from './mark-read.ts';

/** Shortest time between two pushes of unread counts: fast enough to feel live, and cheap in a busy room. */
const PUSH_INTERVAL_MS = 200;

type Dependencies = {
  hub: Hub;
  groups: GroupStore;
  messages: MessageStore;
  marks: ReadMarks;
  publish: Publish;
  subscribe: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** After messages were sent: advances the authors' read marks, publishes `unreadChanged` for connected members. */
export function countUnread({ hub, groups, messages, marks, publish, subscribe, report }: Dependencies): {
  flush(): Promise<void>;
} {
  const due = new Map<number, { firstSeq: number; lastSeq: number }>();
  let timer: NodeJS.Timeout | undefined;
  // Rounds run one after another: an overlapping one would read marks that the first is about to move.
  let round = Promise.resolve();

  subscribe(messagesSent, ({ groupId, firstSeq, lastSeq }) => {
    due.set(groupId, { firstSeq: due.get(groupId)?.firstSeq ?? firstSeq, lastSeq });
    timer ??= setTimeout(startRound, PUSH_INTERVAL_MS).unref();
  });

  function startRound(): void {
    timer = undefined;
    round = round.then(tell).catch(report);
  }

  async function tell(): Promise<void> {
    const spans = [...due];
    due.clear();
    const own = await Promise.all(
      spans.map(([groupId, span]) => ownMarks(groupId, span.firstSeq, span.lastSeq)),
    );
    // In parallel, so that group commit writes all of them in one transaction.
    await Promise.all(own.flat().map((mark) => marks.commit(mark)));
    for (const accountId of hub.people()) {
      const memberships = await groups.membershipsOf(accountId);
      for (const [groupId] of spans)
        if (memberships.has(groupId)) publish(unreadChanged, { groupId, accountId });
    }
  }

  /** Marks of authors who had read everything before their own message: that message then counts as read, too. */
  async function ownMarks(groupId: number, firstSeq: number, lastSeq: number): Promise<ReadMark[]> {
    const read = new Map<number, number>();
    for (const { authorId, seq } of await messages.between(groupId, firstSeq, lastSeq)) {
      const readSeq = read.get(authorId) ?? (await groups.membership(authorId, groupId))?.readSeq;
      if (readSeq === seq - 1) read.set(authorId, seq);
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
