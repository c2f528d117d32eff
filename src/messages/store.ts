import { and, eq } from 'drizzle-orm';
import type { Database, Executor } from '../database/executor.ts';
import type { Sealer } from '../database/sealed-columns.ts';
import { files, playbackReceipts, revisions } from '../database/tables/chat.ts';
import { ChatError, notFound } from '../errors.ts';
import {
  type Amendment,
  type Changed,
  type Committed,
  groupNow,
  hasNoTranscript,
  writerOf,
} from './amend.ts';
import { applyEffects, hasEffects } from './effects.ts';
import { grouped, inEach } from './grouped.ts';
import {
  type Appended,
  written as asWritten,
  type Message,
  type NewMessage,
  type Revision,
  resultOf,
} from './message.ts';
import { messageQueries } from './queries.ts';
import { type SealedMessage, SealedMessages } from './sealed.ts';
import { tooSoon } from './slow-mode-queries.ts';

/** Stores messages, and updates counters, mentions, follows and files in the same transactions. */
export class MessageStore {
  readonly #db: Database;
  readonly #sealed: SealedMessages;
  readonly #queries: ReturnType<typeof messageQueries>;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealed = new SealedMessages(sealer);
    this.#queries = db.prepare(messageQueries);
  }

  /** Commits a batch in one transaction. Only a message whose id is taken by another one is refused. */
  append(batch: readonly NewMessage[]): Promise<Committed<Appended>> {
    return this.#db.transaction(async (tx) => {
      const { messagesById, newByGroup } = await this.#sort(tx, batch);
      // At once: while they wait for an engine elsewhere, others wait for the locks of these groups.
      const written = await inEach(newByGroup, (groupId, list) => this.#appendTo(tx, groupId, list));
      for (const message of written) if (messagesById.has(message.id)) messagesById.set(message.id, message);
      return {
        results: batch.map((candidate) => resultOf(candidate, messagesById, newByGroup)),
        written,
      };
    }, groupsOf(batch));
  }

  /** Amends existing messages in one transaction; a batch must not contain a message twice. */
  amend(batch: readonly Amendment[]): Promise<Committed<Message>> {
    return this.#db.transaction(async (tx) => {
      const results: (Message | ChatError)[] = [];
      const changed: Changed[] = [];
      for (const { groupId, seq, amend, refuseIn } of batch) {
        const row = await tx.get(this.#queries.between, { groupId, first: seq, last: seq });
        const before = row && this.#sealed.open(row);
        const refusal = before && refuseIn?.(await groupNow(tx, this.#queries, groupId, changed), before);
        const after = refusal ?? (before ? amend(before) : notFound('There is no such message.'));
        if (before && !(after instanceof ChatError) && after !== before)
          changed.push({ before, after, index: results.length });
        results.push(after);
      }
      const written: Message[] = [];
      for (const [groupId, list] of grouped(changed, ({ before }) => before.groupId)) {
        let change = (await this.#advance(tx, groupId, 0, list.length)).lastChange - list.length;
        for (const { before, after, index } of list) {
          change += 1;
          const message = await this.#amendOne(tx, before, { ...after, change });
          results[index] = message;
          written.push(message);
        }
      }
      return { results, written };
    }, groupsOf(batch));
  }

  async bySeq(groupId: number, seq: number): Promise<Message | undefined> {
    const row = await this.#db.get(this.#queries.between, { groupId, first: seq, last: seq });
    return row && this.#sealed.open(row);
  }

  /** The messages with these seqs that exist, in order of change. */
  async bySeqs(groupId: number, seqs: readonly number[]): Promise<Message[]> {
    return this.#openAll(await this.#db.all(this.#queries.bySeqs, { groupId, seqs: JSON.stringify(seqs) }));
  }

  async byId(id: string): Promise<Message | undefined> {
    const row = await this.#db.get(this.#queries.byIds, { ids: JSON.stringify([id]) });
    return row && this.#sealed.open(row);
  }

  /** The messages from one seq to another, both included, in order of seq. */
  async between(groupId: number, first: number, last: number): Promise<Message[]> {
    return this.#openAll(await this.#db.all(this.#queries.between, { groupId, first, last }));
  }

  /** The seqs of an author's messages from one seq to another that are not removed, in order. */
  async seqsBy(authorId: number, groupId: number, first: number, last: number): Promise<number[]> {
    const rows = await this.#db.all(this.#queries.seqsBy, { authorId, groupId, first, last });
    return rows.map((row) => row.seq);
  }

  /** Up to `limit` messages written after a change, in order of change. */
  async changedAfter(groupId: number, change: number, limit: number): Promise<Message[]> {
    return this.#openAll(await this.#db.all(this.#queries.changedAfter, { groupId, change, limit }));
  }

  /** Like `changedAfter`, without the contents. */
  changesAfter(groupId: number, change: number, limit: number): Promise<{ seq: number; change: number }[]> {
    return this.#db.all(this.#queries.changesAfter, { groupId, change, limit });
  }

  /** Up to `limit` newest messages of a thread, its first one left out, in order of seq. */
  async inThread(
    groupId: number,
    seq: number,
    limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<Message[]> {
    const newestFirst = await this.#db.all(this.#queries.inThread, { groupId, seq, limit, before });
    return this.#openAll(newestFirst.reverse());
  }

  /** Up to `limit` pinned messages, the last pinned first. */
  async pinned(groupId: number, limit: number): Promise<Message[]> {
    return this.#openAll(await this.#db.all(this.#queries.pinned, { groupId, limit }));
  }

  async countPinned(groupId: number): Promise<number> {
    return (await this.#db.get(this.#queries.countPinned, { groupId }))?.pins ?? 0;
  }

  /** What a message said before, the oldest first. */
  async revisions({ groupId, seq, id }: Message): Promise<Revision[]> {
    const rows = await this.#db.all(this.#queries.revisions, { groupId, seq });
    return rows.map((row) => this.#sealed.openRevision(id, row));
  }

  #openAll(rows: readonly SealedMessage[]): Message[] {
    return rows.map((row) => this.#sealed.open(row));
  }

  /** Maps the ids of a batch to their messages, stored or new, or refusals, and groups the new ones by group. */
  async #sort(tx: Executor, batch: readonly NewMessage[]) {
    const messagesById = new Map<string, NewMessage | Message | ChatError>();
    const claimed = new Set<string>();
    const newByGroup = new Map<number, NewMessage[]>();
    const ids = JSON.stringify(batch.map((message) => message.id));
    for (const row of await tx.all(this.#queries.byIds, { ids }))
      messagesById.set(row.id, this.#sealed.open(row));
    for (const message of batch) {
      if (messagesById.has(message.id)) continue;
      const refusal = await tooSoon(tx, this.#queries, message, newByGroup.get(message.groupId));
      if (refusal) {
        messagesById.set(message.id, refusal);
        continue;
      }
      if (message.files?.length && !(await this.#mayClaim(tx, message, claimed))) continue;
      messagesById.set(message.id, message);
      const list = newByGroup.get(message.groupId);
      if (list) list.push(message);
      else newByGroup.set(message.groupId, [message]);
    }
    return { messagesById, newByGroup };
  }

  /** Whether the files of a new message are its author's, meant for this group, and sent with no other. */
  async #mayClaim(
    tx: Executor,
    { files = [], groupId, authorId }: NewMessage,
    claimed: Set<string>,
  ): Promise<boolean> {
    const ids = files.map((file) => file.id);
    const unsent = await tx.all(this.#queries.unsentFiles, { ids: JSON.stringify(ids), groupId, authorId });
    if (unsent.length < ids.length || ids.some((id) => claimed.has(id))) return false;
    for (const id of ids) claimed.add(id);
    return true;
  }

  /** Advances a group's seq and change counters. @returns their new values */
  async #advance(tx: Executor, groupId: number, messages: number, changes: number) {
    const head = await tx.get(this.#queries.advance, { groupId, messages, changes });
    if (!head) throw notFound('There is no such group.');
    return head;
  }

  /** Inserts new messages of one group, then updates the reply counts of the threads that they belong to. */
  async #appendTo(tx: Executor, groupId: number, list: readonly NewMessage[]): Promise<Message[]> {
    const replies = list.filter((message) => message.thread != null);
    const threads = grouped(replies, (message) => message.thread ?? 0);
    const head = await this.#advance(tx, groupId, list.length, list.length + threads.size);
    let seq = head.lastSeq - list.length;
    let change = head.lastChange - list.length - threads.size;
    const written = list.map((message) => asWritten(message, ++seq, ++change));
    await tx.runEach(
      this.#queries.insert,
      written.map((message) => this.#rowOf(message)),
    );
    for (const message of written) if (hasEffects(message)) await applyEffects(tx, this.#queries, message);
    for (const [thread, { length }] of threads) {
      change += 1;
      const row = await tx.get(this.#queries.countReplies, { groupId, seq: thread, replies: length, change });
      if (row) written.push(this.#sealed.open(row));
    }
    return written;
  }

  /** Field by field: copying whole objects took as long as writing the row. */
  #rowOf(message: Message) {
    const { groupId, seq, change, id, authorId, createdAt, replyTo, thread } = message;
    const { body, metadata } = this.#sealed.seal(message);
    return { groupId, seq, change, id, authorId, body, createdAt, replyTo, thread, metadata };
  }

  /** Writes an amended message. An edit keeps the old text as a revision; a removal deletes revisions, playback receipts and files. */
  async #amendOne(tx: Executor, before: Message, next: Message): Promise<Message> {
    const { groupId, seq, editedAt, removedAt, pinnedAt, change } = next;
    if (removedAt !== null) {
      const which = and(eq(revisions.groupId, groupId), eq(revisions.seq, seq));
      const sent = and(eq(files.groupId, groupId), eq(files.seq, seq));
      const played = and(eq(playbackReceipts.groupId, groupId), eq(playbackReceipts.seq, seq));
      await tx.run((orm) => orm.delete(revisions).where(which));
      await tx.run((orm) => orm.delete(playbackReceipts).where(played));
      await tx.run((orm) => orm.delete(files).where(sent));
      if (before.removedAt === null) await tx.run(this.#queries.countRemoved, { groupId, seq });
    } else if (before.content !== next.content && !hasNoTranscript(before)) {
      const revision = {
        groupId,
        seq,
        change: before.change,
        body: this.#sealed.sealRevision(before),
        writtenAt: before.editedAt ?? before.createdAt,
        writerId: writerOf(before),
      };
      await tx.run((orm) => orm.insert(revisions).values(revision));
    }
    const update = { groupId, seq, change, editedAt, removedAt, pinnedAt, ...this.#sealed.seal(next) };
    await tx.run(this.#queries.update, update);
    return next;
  }
}

const groupsOf = (batch: readonly { groupId: number }[]) => batch.map(({ groupId }) => groupId);
