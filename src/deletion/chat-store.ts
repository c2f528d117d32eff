import { and, asc, eq, inArray, isNotNull, isNull, lte, max, type SQL, sql } from 'drizzle-orm';
import type { Database, Executor } from '../database/executor.ts';
import {
  drafts,
  files,
  groups,
  inboxLines,
  joinRequests,
  memberships,
  messages,
  notifiedGroups,
  playbackReceipts,
  removedMembers,
  reports,
  revisions,
  savedMessages,
  threadFollows,
  transcriptions,
} from '../database/tables/chat.ts';
import { linkImages } from '../database/tables/links.ts';
import { webhooks } from '../database/tables/webhooks.ts';
import type { MessagesChoice } from './account-store.ts';

/** Takes accounts and groups out of the chat database, a bounded number of rows at a time. */
export class ChatDeletionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Every group with the number of its newest message, and since when it is on hold. */
  groupHeads(): Promise<{ id: number; lastSeq: number; heldAt: number | null }[]> {
    return this.#db.all((orm) =>
      orm
        .select({ id: groups.id, lastSeq: groups.lastSeq, heldAt: groups.heldAt })
        .from(groups)
        .orderBy(asc(groups.id)),
    );
  }

  /** The ids of the groups that an account is in. */
  async groupsOf(accountId: number): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ groupId: memberships.groupId })
        .from(memberships)
        .where(eq(memberships.accountId, accountId)),
    );
    return rows.map((row) => row.groupId);
  }

  /** The private line of an account to the administrators. */
  async lineOf(accountId: number): Promise<number | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .select({ id: groups.id })
        .from(groups)
        .where(and(eq(groups.lineOf, accountId), isNull(groups.deletedAt))),
    );
    return row?.id;
  }

  /** The ids of up to `limit` files that an account uploaded and did not send. */
  async unsentFilesOf(accountId: number, limit: number): Promise<string[]> {
    const isUnsent = and(eq(files.accountId, accountId), isNull(files.seq));
    const rows = await this.#db.all((orm) =>
      orm.select({ id: files.id }).from(files).where(isUnsent).limit(limit),
    );
    return rows.map((row) => row.id);
  }

  /** Up to a thousand members of a group other than this one, in the order in which they joined. */
  async otherMembers(groupId: number, exceptId: number): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ accountId: memberships.accountId })
        .from(memberships)
        .where(eq(memberships.groupId, groupId))
        .orderBy(asc(memberships.joinedAt), asc(memberships.accountId))
        .limit(1_000),
    );
    return rows.map((row) => row.accountId).filter((id) => id !== exceptId);
  }

  /**
   * Removes what the chat database has of an account beside its messages and memberships.
   * @returns the groups that it asked to join
   */
  async removeFromChat(accountId: number, choice: MessagesChoice): Promise<number[]> {
    const tables = [
      drafts,
      savedMessages,
      threadFollows,
      playbackReceipts,
      removedMembers,
      transcriptions,
      webhooks,
    ];
    for (const table of tables)
      await this.#db.run((orm) => orm.delete(table).where(eq(table.accountId, accountId)));
    const asked = await this.#db.all((orm) =>
      orm
        .delete(joinRequests)
        .where(eq(joinRequests.accountId, accountId))
        .returning({ groupId: joinRequests.groupId }),
    );
    if (choice === 'remove') await this.#removeReports(accountId);
    return asked.map(({ groupId }) => groupId);
  }

  async #removeReports(accountId: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(reports).where(eq(reports.reporterId, accountId)));
    await this.#db.run((orm) =>
      orm
        .update(reports)
        .set({ content: null })
        .where(and(isNotNull(reports.content), isOfRemovedMessage(accountId))),
    );
  }

  /** The groups that were deleted and have something left. */
  async deletedGroups(): Promise<number[]> {
    const rows = await this.#db.all((orm) =>
      orm.select({ id: groups.id }).from(groups).where(isNotNull(groups.deletedAt)),
    );
    return rows.map((row) => row.id);
  }

  /** The ids of up to `limit` files of a group. */
  async filesOf(groupId: number, limit: number): Promise<string[]> {
    const rows = await this.#db.all((orm) =>
      orm.select({ id: files.id }).from(files).where(eq(files.groupId, groupId)).limit(limit),
    );
    return rows.map((row) => row.id);
  }

  async removeFiles(ids: readonly string[]): Promise<void> {
    await this.#db.run((orm) => orm.delete(transcriptions).where(inArray(transcriptions.fileId, [...ids])));
    await this.#db.run((orm) => orm.delete(files).where(inArray(files.id, [...ids])));
  }

  /** Removes the messages of a group up to one, with their earlier versions. */
  removeMessages(groupId: number, upTo: number): Promise<void> {
    return this.#db.transaction((tx) => removeMessagesIn(tx, groupId, upTo));
  }

  /** Removes a deleted group and what is left of it. */
  removeGroup(groupId: number): Promise<void> {
    return this.#db.transaction(async (tx) => {
      const newest = await tx.get((orm) =>
        orm
          .select({ seq: max(messages.seq) })
          .from(messages)
          .where(eq(messages.groupId, groupId)),
      );
      await removeMessagesIn(tx, groupId, newest?.seq ?? 0);
      const tables = [
        threadFollows,
        drafts,
        savedMessages,
        playbackReceipts,
        notifiedGroups,
        joinRequests,
        removedMembers,
        reports,
        memberships,
        inboxLines,
        linkImages,
        webhooks,
      ];
      for (const table of tables) await tx.run((orm) => orm.delete(table).where(eq(table.groupId, groupId)));
      await tx.run((orm) => orm.delete(groups).where(eq(groups.id, groupId)));
    });
  }
}

/** A report keeps what a message said, but not what its author removed with the account. */
function isOfRemovedMessage(authorId: number): SQL {
  return sql`EXISTS (SELECT 1 FROM ${messages} WHERE ${messages.groupId} = ${reports.groupId}
    AND ${messages.seq} = ${reports.seq} AND ${messages.authorId} = ${authorId} AND ${messages.removedAt} IS NOT NULL)`;
}

async function removeMessagesIn(tx: Executor, groupId: number, upTo: number): Promise<void> {
  const areOld = and(eq(revisions.groupId, groupId), lte(revisions.seq, upTo));
  await tx.run((orm) => orm.delete(revisions).where(areOld));
  const areMessages = and(eq(messages.groupId, groupId), lte(messages.seq, upTo));
  await tx.run((orm) => orm.delete(messages).where(areMessages));
}
