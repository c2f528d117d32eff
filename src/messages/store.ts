import { and, asc, desc, eq, gt, gte, lt, lte, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { Cipher } from '../crypto/cipher.ts';
import type { Database, Statement } from '../database/open.ts';
import { groups, messages } from '../database/tables/chat.ts';
import { ChatError } from '../errors.ts';

/** A message, opened. Times are milliseconds, UTC. */
export type Message = Readonly<{
  groupId: number;
  seq: number;
  id: string;
  change: number;
  authorId: number;
  content: string;
  createdAt: number;
  editedAt: number | null;
  removedAt: number | null;
}>;

export type NewMessage = Pick<Message, 'groupId' | 'id' | 'authorId' | 'content' | 'createdAt'>;

/** `isNew` is false where this id had been committed before: a repeated send. */
export type Appended = { message: Message; isNew: boolean };

export type MessageStore = {
  /** Commits a batch in one transaction. An id that is somebody else's message refuses that one only. */
  append(batch: readonly NewMessage[]): Promise<ReadonlyArray<Appended | ChatError>>;
  /** Up to `limit` messages before a seq, the nearest ones, in order of seq. */
  before(groupId: number, seq: number, limit: number): Promise<Message[]>;
  /** The same before the end, kept in memory until `lastChange` moves on: the page that everybody asks for. */
  newest(
    group: { id: number; lastSeq: number; lastChange: number },
    limit: number,
  ): Promise<readonly Message[]>;
  /** The messages from one seq to another, both included, in order of seq. */
  between(groupId: number, firstSeq: number, lastSeq: number): Promise<Message[]>;
  /** Up to `limit` messages written after a change, in order of change. */
  changedAfter(groupId: number, change: number, limit: number): Promise<Message[]>;
  /** Seals up to `limit` bodies after a position with the current key; resolves to the last position, undefined at the end. */
  reseal(after: Position, limit: number): Promise<Position | undefined>;
};

export type Position = { groupId: number; seq: number };

type Row = typeof messages.$inferSelect;

/** Newly written and lately read messages stay opened in memory: a message is pushed, paged and listed many times. */
const CACHED_CHARACTERS = 16_000_000;
/** What a message takes beside its text, counted in characters. */
const BESIDE_TEXT = 200;
const CACHED_ENDS = 500;

export function createMessageStore({ orm, atomically }: Database, cipher: Cipher): MessageStore {
  const opened = new LRUCache<string, Message>({
    maxSize: CACHED_CHARACTERS,
    sizeCalculation: ({ content }) => content.length + BESIDE_TEXT,
  });
  const ends = new LRUCache<number, { lastChange: number; limit: number; messages: readonly Message[] }>({
    max: CACHED_ENDS,
  });
  const value = (name: string) => sql.placeholder(name);
  const inGroup = eq(messages.groupId, value('groupId'));
  const ofGroup = eq(groups.id, value('groupId'));
  const queries = {
    byIds: orm
      .select()
      .from(messages)
      .where(sql`${messages.id} IN (SELECT value FROM json_each(${value('ids')}))`)
      .prepare(),
    before: orm
      .select()
      .from(messages)
      .where(and(inGroup, lt(messages.seq, value('seq'))))
      .orderBy(desc(messages.seq))
      .limit(value('limit'))
      .prepare(),
    between: orm
      .select()
      .from(messages)
      .where(and(inGroup, gte(messages.seq, value('first')), lte(messages.seq, value('last'))))
      .orderBy(asc(messages.seq))
      .prepare(),
    changedAfter: orm
      .select()
      .from(messages)
      .where(and(inGroup, gt(messages.change, value('change'))))
      .orderBy(asc(messages.change))
      .limit(value('limit'))
      .prepare(),
    advance: orm
      .update(groups)
      .set({
        lastSeq: sql`${groups.lastSeq} + ${value('count')}`,
        lastChange: sql`${groups.lastChange} + ${value('count')}`,
      })
      .where(ofGroup)
      .returning({ lastSeq: groups.lastSeq, lastChange: groups.lastChange })
      .prepare(),
    insert: orm
      .insert(messages)
      .values({
        groupId: value('groupId'),
        // The counters have been advanced for the whole batch; each message counts back from them.
        seq: sql`(SELECT last_seq FROM groups WHERE id = ${value('groupId')}) - ${value('behind')}`,
        change: sql`(SELECT last_change FROM groups WHERE id = ${value('groupId')}) - ${value('behind')}`,
        id: value('id'),
        authorId: value('authorId'),
        body: value('body'),
        createdAt: value('createdAt'),
      })
      .prepare(),
  };

  const place = (groupId: number, id: string) => `messages/${groupId}/${id}`;

  function open(row: Row): Message {
    const key = `${row.groupId}/${row.seq}`;
    const known = opened.get(key);
    if (known?.change === row.change) return known;
    const { body, ...rest } = row;
    return keep({ ...rest, content: cipher.open(place(row.groupId, row.id), body) });
  }

  function keep(message: Message): Message {
    opened.set(`${message.groupId}/${message.seq}`, message);
    return message;
  }

  /** What the ids of a batch already stand for, and which of them are new, by group. */
  function sort(batch: readonly NewMessage[]) {
    const known = new Map<string, NewMessage | Message>();
    const fresh = new Map<number, NewMessage[]>();
    for (const row of queries.byIds.all({ ids: JSON.stringify(batch.map((one) => one.id)) }))
      known.set(row.id, open(row));
    for (const one of batch) {
      if (known.has(one.id)) continue;
      known.set(one.id, one);
      const list = fresh.get(one.groupId);
      if (list) list.push(one);
      else fresh.set(one.groupId, [one]);
    }
    return { known, fresh };
  }

  return {
    async append(batch) {
      const { known, fresh } = sort(batch);
      const byGroup = [...fresh.values()];
      const advances = byGroup.map((list): Statement<{ lastSeq: number; lastChange: number } | undefined> => {
        const groupId = list[0]?.groupId;
        return () => queries.advance.get({ groupId, count: list.length });
      });
      const inserts = byGroup.flatMap((list) =>
        list.map((one, index): Statement<unknown> => {
          const body = cipher.seal(place(one.groupId, one.id), one.content);
          return () => queries.insert.run({ ...one, body, behind: list.length - 1 - index });
        }),
      );
      const results = await atomically([...advances, ...inserts]);

      byGroup.forEach((list, group) => {
        // The first results are those of the advances, in the order of the groups.
        const head = results[group] as { lastSeq: number; lastChange: number };
        list.forEach((one, index) => {
          const behind = list.length - 1 - index;
          const seq = head.lastSeq - behind;
          known.set(
            one.id,
            keep({ ...one, seq, change: head.lastChange - behind, editedAt: null, removedAt: null }),
          );
        });
      });
      return batch.map((one) => {
        const message = known.get(one.id);
        if (
          !message ||
          !('seq' in message) ||
          message.authorId !== one.authorId ||
          message.groupId !== one.groupId
        ) {
          return new ChatError('id_taken', 409, 'Another message has this id. Send it with a new one.');
        }
        return { message, isNew: fresh.get(one.groupId)?.includes(one) ?? false };
      });
    },
    async before(groupId, seq, limit) {
      return queries.before.all({ groupId, seq, limit }).map(open).reverse();
    },
    async newest({ id, lastSeq, lastChange }, limit) {
      const known = ends.get(id);
      if (known?.lastChange === lastChange && known.limit === limit) return known.messages;
      const found = openedBetween(id, Math.max(1, lastSeq - limit + 1), lastSeq);
      const newest =
        found ??
        queries.before
          .all({ groupId: id, seq: lastSeq + 1, limit })
          .map(open)
          .reverse();
      ends.set(id, { lastChange, limit, messages: newest });
      return newest;
    },
    async between(groupId, first, last) {
      const cached = openedBetween(groupId, first, last);
      return cached ?? queries.between.all({ groupId, first, last }).map(open);
    },
    async changedAfter(groupId, change, limit) {
      return queries.changedAfter.all({ groupId, change, limit }).map(open);
    },
    async reseal(after, limit) {
      const rows = orm
        .select()
        .from(messages)
        .where(sql`(${messages.groupId}, ${messages.seq}) > (${after.groupId}, ${after.seq})`)
        .orderBy(asc(messages.groupId), asc(messages.seq))
        .limit(limit)
        .all();
      await atomically(
        rows
          .filter((row) => !cipher.isCurrent(row.body))
          .map((row) => () => {
            const at = place(row.groupId, row.id);
            const body = cipher.seal(at, cipher.open(at, row.body));
            return orm.update(messages).set({ body }).where(eq(messages.id, row.id)).run();
          }),
      );
      const last = rows.at(-1);
      return last && { groupId: last.groupId, seq: last.seq };
    },
  };

  /** All of a range from memory, or undefined where one is missing; a push asks for what was written a moment ago. */
  function openedBetween(groupId: number, first: number, last: number): Message[] | undefined {
    const found: Message[] = [];
    for (let seq = first; seq <= last; seq++) {
      const message = opened.get(`${groupId}/${seq}`);
      if (!message) return undefined;
      found.push(message);
    }
    return found;
  }
}
