import { and, asc, eq, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { Cipher } from '../crypto/cipher.ts';
import type { Database, Statement } from '../database/open.ts';
import { files, messages, revisions } from '../database/tables/chat.ts';
import { ChatError } from '../errors.ts';
import { isFromMachine, spokenIn } from '../files/file.ts';
import { type Appended, type Message, type NewMessage, NO_METADATA, type Revision } from './message.ts';
import { createMessageQueries } from './queries.ts';
import { createSealedMessages } from './sealed.ts';

/** Makes of a message as it is the message as it should be; the same object where there is nothing to change. */
export type Amendment = {
  groupId: number;
  seq: number;
  amend(message: Message): Message | ChatError;
};

export type MessageStore = {
  /** Commits a batch in one transaction. An id that is somebody else's message refuses that one only. */
  append(batch: readonly NewMessage[]): Promise<ReadonlyArray<Appended | ChatError>>;
  /** Commits changes of messages that are there, in one transaction; no message may be in a batch twice. */
  amend(batch: readonly Amendment[]): Promise<ReadonlyArray<Message | ChatError>>;
  /** How far a group has been written. */
  head(groupId: number): Promise<Head>;
  bySeq(groupId: number, seq: number): Promise<Message | undefined>;
  byId(id: string): Promise<Message | undefined>;
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
  /** Up to `limit` newest messages of a thread, its first one left out, in order of seq. */
  inThread(groupId: number, seq: number, limit: number): Promise<Message[]>;
  /** Up to `limit` pinned messages, the last pinned first. */
  pinned(groupId: number, limit: number): Promise<Message[]>;
  countPinned(group: { id: number; lastChange: number }): Promise<number>;
  /** What a message said before, the oldest first. */
  revisions(message: Message): Promise<Revision[]>;
  /** Seals up to `limit` bodies after a position with the current key; resolves to the last position, undefined at the end. */
  reseal(after: Position, limit: number): Promise<Position | undefined>;
};

export type Position = { groupId: number; seq: number };

export type Head = { lastSeq: number; lastChange: number };

const CACHED_NEWEST_PAGES = 500;

export function createMessageStore({ orm, atomically }: Database, cipher: Cipher): MessageStore {
  const sealed = createSealedMessages(cipher);
  const { open, keep } = sealed;
  const newestPages = new LRUCache<
    number,
    { lastChange: number; limit: number; messages: readonly Message[] }
  >({
    max: CACHED_NEWEST_PAGES,
  });
  /** Pins are changes of messages: the count holds until the group's next one. */
  const pinCounts = new LRUCache<number, { lastChange: number; count: number }>({ max: CACHED_NEWEST_PAGES });
  const queries = createMessageQueries(orm);

  /** What the ids of a batch already stand for, and which of them are new, by group. */
  function sort(batch: readonly NewMessage[]) {
    const messagesById = new Map<string, NewMessage | Message>();
    const claimed = new Set<string>();
    const newByGroup = new Map<number, NewMessage[]>();
    for (const row of queries.byIds.all({ ids: JSON.stringify(batch.map((message) => message.id)) }))
      messagesById.set(row.id, open(row));
    for (const message of batch) {
      if (messagesById.has(message.id) || !mayClaim(message, claimed)) continue;
      messagesById.set(message.id, message);
      const list = newByGroup.get(message.groupId);
      if (list) list.push(message);
      else newByGroup.set(message.groupId, [message]);
    }
    return { messagesById, newByGroup };
  }

  return {
    async append(batch) {
      const { messagesById, newByGroup } = sort(batch);
      const writes = [...newByGroup].map(([groupId, list]) => appendTo(groupId, list));
      const results = await atomically(writes.flatMap((write) => write.statements));
      let from = 0;
      for (const { statements, take } of writes) {
        for (const message of take(results.slice(from, from + statements.length)))
          messagesById.set(message.id, message);
        from += statements.length;
      }
      return batch.map((candidate) => {
        const message = messagesById.get(candidate.id);
        if (!message) return new ChatError('not_found', 404, 'A file of this message is not there any more.');
        if (
          !('seq' in message) ||
          message.authorId !== candidate.authorId ||
          message.groupId !== candidate.groupId
        ) {
          return new ChatError('id_taken', 409, 'Another message has this id. Send it with a new one.');
        }
        return { message, isNew: newByGroup.get(candidate.groupId)?.includes(candidate) ?? false };
      });
    },
    async amend(batch) {
      const current = batch.map(({ groupId, seq }) => find(groupId, seq));
      const wanted = batch.map(({ amend }, index) => {
        const message = current[index];
        return message ? amend(message) : notThere();
      });
      const changed = wanted.filter(
        (result, index): result is Message => !(result instanceof ChatError) && result !== current[index],
      );
      const perGroup = grouped(changed, (message) => message.groupId);
      const statements = [...perGroup].flatMap(([groupId, list]) => [
        () => queries.advance.get({ groupId, messages: 0, changes: list.length }),
        ...list.flatMap((message, index) => amendOne(message, list.length - 1 - index)),
      ]);
      const results = await atomically<unknown[]>(statements);
      const written = new Map(
        results
          // Of the statements above only the updates return messages.
          .filter((row): row is typeof messages.$inferSelect => isMessageRow(row))
          .map((row) => [`${row.groupId}/${row.seq}`, open(row)]),
      );
      return wanted.map((result) =>
        result instanceof ChatError ? result : (written.get(`${result.groupId}/${result.seq}`) ?? result),
      );
    },
    head: async (groupId) => queries.head.get({ groupId }) ?? { lastSeq: 0, lastChange: 0 },
    bySeq: async (groupId, seq) => find(groupId, seq),
    async byId(id) {
      const [row] = queries.byIds.all({ ids: JSON.stringify([id]) });
      return row && open(row);
    },
    async before(groupId, seq, limit) {
      return queries.before.all({ groupId, seq, limit }).map(open).reverse();
    },
    async newest({ id, lastSeq, lastChange }, limit) {
      const cached = newestPages.get(id);
      if (cached?.lastChange === lastChange && cached.limit === limit) return cached.messages;
      const found = sealed.kept(id, Math.max(1, lastSeq - limit + 1), lastSeq);
      const newest =
        found ??
        queries.before
          .all({ groupId: id, seq: lastSeq + 1, limit })
          .map(open)
          .reverse();
      newestPages.set(id, { lastChange, limit, messages: newest });
      return newest;
    },
    async between(groupId, first, last) {
      const cached = sealed.kept(groupId, first, last);
      return cached ?? queries.between.all({ groupId, first, last }).map(open);
    },
    async changedAfter(groupId, change, limit) {
      // A push asks for what was written a moment ago.
      const kept = sealed.keptChanges(groupId, change + 1, change + limit);
      return kept ?? queries.changedAfter.all({ groupId, change, limit }).map(open);
    },
    async pinned(groupId, limit) {
      return queries.pinned.all({ groupId, limit }).map(open);
    },
    async countPinned({ id, lastChange }) {
      const cached = pinCounts.get(id);
      if (cached?.lastChange === lastChange) return cached.count;
      const count = queries.countPinned.get({ groupId: id })?.pins ?? 0;
      pinCounts.set(id, { lastChange, count });
      return count;
    },
    async inThread(groupId, seq, limit) {
      return queries.inThread.all({ groupId, seq, limit }).map(open).reverse();
    },
    async revisions({ groupId, seq, id }) {
      return queries.revisions.all({ groupId, seq }).map((row) => sealed.openRevision(id, row));
    },
    async reseal(after, limit) {
      const rows = orm
        .select()
        .from(messages)
        .where(sql`(${messages.groupId}, ${messages.seq}) > (${after.groupId}, ${after.seq})`)
        .orderBy(asc(messages.groupId), asc(messages.seq))
        .limit(limit)
        .all();
      const edited = rows.filter((row) => row.editedAt !== null);
      const before = edited.flatMap(({ groupId, seq, id }) =>
        queries.revisions.all({ groupId, seq }).map((row) => ({ ...row, id })),
      );
      await atomically([
        ...rows.flatMap((row) => {
          const parts = sealed.reseal(row);
          return parts ? [() => orm.update(messages).set(parts).where(eq(messages.id, row.id)).run()] : [];
        }),
        ...before.flatMap((row) => {
          const body = sealed.resealRevision(row);
          const which = and(
            eq(revisions.groupId, row.groupId),
            eq(revisions.seq, row.seq),
            eq(revisions.change, row.change),
          );
          return body ? [() => orm.update(revisions).set({ body }).where(which).run()] : [];
        }),
      ]);
      const last = rows.at(-1);
      return last && { groupId: last.groupId, seq: last.seq };
    },
  };

  /** Whether the files of a new message are its author's, meant for this group, and sent with no other. */
  function mayClaim({ files = [], groupId, authorId }: NewMessage, claimed: Set<string>): boolean {
    if (files.length === 0) return true;
    const ids = files.map((file) => file.id);
    const unsent = queries.unsentFiles.all({ ids: JSON.stringify(ids), groupId, authorId });
    if (unsent.length < ids.length || ids.some((id) => claimed.has(id))) return false;
    for (const id of ids) claimed.add(id);
    return true;
  }

  function find(groupId: number, seq: number): Message | undefined {
    const [message] =
      sealed.kept(groupId, seq, seq) ?? queries.between.all({ groupId, first: seq, last: seq }).map(open);
    return message;
  }

  /** New messages of one group, then the first messages of the threads that they answer, whose counts they change. */
  function appendTo(groupId: number, list: readonly NewMessage[]) {
    const threads = [
      ...grouped(
        list.filter((message) => message.thread != null),
        (message) => message.thread ?? 0,
      ),
    ];
    const changes = list.length + threads.length;
    const inserts = list.flatMap((message, index): Statement<unknown>[] => {
      const behind = list.length - 1 - index;
      const row = {
        replyTo: null,
        thread: null,
        ...message,
        ...sealed.seal(message),
        behind,
        changesBehind: changes - 1 - index,
      };
      const statements: Statement<unknown>[] = [() => queries.insert.run(row)];
      if (message.thread != null) {
        const thread = { groupId, behind, thread: message.thread, authorId: message.authorId };
        statements.push(
          () => queries.followAsAuthor.run(thread),
          () => queries.followAsAsked.run(thread),
        );
      }
      if (message.files?.length) {
        const ids = JSON.stringify(message.files.map((file) => file.id));
        statements.push(() => queries.claimFiles.run({ groupId, behind, ids }));
      }
      if (!message.mentions?.length && !message.mentionsAll) return statements;
      const mentioned = {
        groupId,
        behind,
        all: message.mentionsAll ? 1 : 0,
        ids: JSON.stringify(message.mentions ?? []),
      };
      return [...statements, () => queries.mention.run(mentioned)];
    });
    const statements: Statement<unknown>[] = [
      () => queries.advance.get({ groupId, messages: list.length, changes }),
      ...inserts,
      ...threads.map(
        ([seq, replies], index) =>
          () =>
            queries.countReplies.get({
              groupId,
              seq,
              replies: replies.length,
              changesBehind: threads.length - 1 - index,
            }),
      ),
    ];
    const take = (results: readonly unknown[]): Message[] => {
      // The first statement returns the group's counters, the last ones the messages that were answered.
      const { lastSeq, lastChange } = results[0] as Head;
      for (const row of results.slice(results.length - threads.length)) if (isMessageRow(row)) open(row);
      return list.map((message, index) =>
        keep({
          replyTo: null,
          thread: null,
          ...NO_METADATA,
          ...message,
          seq: lastSeq - (list.length - 1 - index),
          change: lastChange - (changes - 1 - index),
          editedAt: null,
          removedAt: null,
          replyCount: 0,
          pinnedAt: null,
        }),
      );
    };
    return { statements, take };
  }

  /** What a message said is kept as long as it is there; of a removed one nothing is. */
  function amendOne(next: Message, changesBehind: number): Statement<unknown>[] {
    const { groupId, seq, id, editedAt, removedAt, pinnedAt } = next;
    const before = find(groupId, seq);
    const update = { groupId, seq, editedAt, removedAt, pinnedAt, changesBehind, ...sealed.seal(next) };
    const write = () => queries.update.get(update);
    if (removedAt !== null) {
      const which = and(eq(revisions.groupId, groupId), eq(revisions.seq, seq));
      const sent = and(eq(files.groupId, groupId), eq(files.seq, seq));
      return [
        () => orm.delete(revisions).where(which).run(),
        () => orm.delete(files).where(sent).run(),
        () => before?.removedAt === null && queries.countRemoved.run({ groupId, seq }),
        write,
      ];
    }
    // Before a machine has heard a voice message, it says nothing.
    if (!before || before.content === next.content || hasNoTranscript(before)) return [write];
    const { change } = before;
    const revision = {
      groupId,
      seq,
      change,
      body: sealed.sealRevision(id, before),
      writtenAt: before.editedAt ?? before.createdAt,
      writerId: writerOf(before),
    };
    return [() => orm.insert(revisions).values(revision).run(), write];
  }
}

function hasNoTranscript({ content, files }: Message): boolean {
  return content === '' && spokenIn(files) !== undefined;
}

/** Null is the author, 0 the machine. */
function writerOf({ files }: Message): number | null {
  const voice = spokenIn(files)?.voice;
  return voice && isFromMachine(voice) ? 0 : (voice?.reviewerId ?? null);
}

function isMessageRow(row: unknown): row is typeof messages.$inferSelect {
  return typeof row === 'object' && row !== null && 'body' in row && 'seq' in row;
}

function notThere(): ChatError {
  return new ChatError('not_found', 404, 'There is no such message.');
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => number): Map<number, Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const items = groups.get(keyOf(item));
    if (items) items.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
