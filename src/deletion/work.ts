import { accountChanged } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Publish, Subscribe } from '../bus/bus.ts';
import type { Databases } from '../database/open.ts';
import type { ExportStore } from '../exports/store.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { FileStore } from '../files/store.ts';
import { deleteGroup } from '../groups/delete.ts';
import {
  groupDeleted,
  joinRequestsChanged,
  memberDeleted,
  memberLeft,
  membershipsChanged,
  ownersChanged,
} from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { MAX_PEOPLE } from '../groups/open-direct.ts';
import { refuseOnHold } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import type { InboxStore } from '../inbox/store.ts';
import type { Jobs } from '../jobs.ts';
import { inboxChanged, reportsChanged } from '../messages/events.ts';
import { ignoreHeldOrMissing, removeWithoutMembership } from '../messages/remove.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import type { AccountDeletion, AccountDeletionStore, MessagesChoice } from './account-store.ts';
import type { ChatDeletionStore } from './chat-store.ts';

/** How many messages are looked through, and how many files are removed, between two turns of the event loop. */
const MESSAGES_AT_ONCE = 2_000;
const FILES_AT_ONCE = 100;
/** How many removals are in one group commit. */
const REMOVED_AT_ONCE = 50;

const LOOK_EVERY_MS = 60_000;

type Dependencies = {
  databases: Pick<Databases, 'inTurn'>;
  accounts: AccountStore;
  accountDeletions: AccountDeletionStore;
  chatDeletions: ChatDeletionStore;
  groups: GroupStore;
  messages: MessageStore;
  files: FileStore;
  inbox: InboxStore;
  exports: ExportStore;
  blobs: BlobStore;
  writer: MessageWriter;
  publish: Publish;
  jobs: Pick<Jobs, 'onDue'>;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/**
 * Removes, one after another, what deleted accounts and groups leave behind. What a stopped process did not finish is
 * continued by the next.
 */
export class DeletionWork {
  readonly #dependencies: Dependencies;
  #running: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  /** For what another process began and did not finish. */
  readonly #timer: NodeJS.Timeout;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    dependencies.subscribeOwn(groupDeleted, () => this.begin());
    dependencies.jobs.onDue('deletions', () => this.begin());
    this.#timer = setInterval(() => this.begin(), LOOK_EVERY_MS).unref();
  }

  /** Does what is to be done, after what is under way. */
  begin(): void {
    const { report, databases } = this.#dependencies;
    this.#running = this.#running.then(() => databases.inTurn('deletions', () => this.#work())).catch(report);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #work(): Promise<void> {
    const { accountDeletions, chatDeletions, report } = this.#dependencies;
    // One that fails is tried again with the next, and does not hold up the others.
    for (const deletion of await accountDeletions.underWay())
      await this.#finishAccount(deletion).catch(report);
    for (const groupId of await chatDeletions.deletedGroups()) await this.#finishGroup(groupId).catch(report);
  }

  async #finishAccount({ accountId, messages }: AccountDeletion): Promise<void> {
    const { accountDeletions, chatDeletions, publish } = this.#dependencies;
    const groupIds = await chatDeletions.groupsOf(accountId);
    if (messages === 'remove') await this.#removeMessages(accountId);
    await this.#endLine(accountId, messages);
    await this.#leaveGroups(accountId);
    await this.#removeUploads(accountId);
    await this.#removeExport(accountId);
    if (this.#isStopped) return;
    for (const groupId of await chatDeletions.removeFromChat(accountId, messages))
      publish(joinRequestsChanged, { groupId });
    publish(reportsChanged, {});
    await accountDeletions.removeAccount(accountId);
    publish(accountChanged, { accountId });
    publish(memberDeleted, { accountId, groupIds });
  }

  /** Removes what somebody wrote, in every group, also those that they left. */
  async #removeMessages(accountId: number): Promise<void> {
    const { accountDeletions, chatDeletions, messages } = this.#dependencies;
    const heads = await chatDeletions.groupHeads();
    const total = heads.reduce((sum, { lastSeq }) => sum + lastSeq, 0);
    let done = 0;
    for (const { id: groupId, lastSeq, heldAt } of heads) {
      // What is on hold stays, without the name of who wrote it.
      if (refuseOnHold({ heldAt })) continue;
      for (let first = 1; first <= lastSeq && !this.#isStopped; first += MESSAGES_AT_ONCE) {
        const last = Math.min(lastSeq, first + MESSAGES_AT_ONCE - 1);
        const seqs = await messages.seqsBy(accountId, groupId, first, last);
        for (let at = 0; at < seqs.length; at += REMOVED_AT_ONCE)
          await Promise.all(
            seqs.slice(at, at + REMOVED_AT_ONCE).map((seq) => this.#removeMessage(accountId, groupId, seq)),
          );
        done += last - first + 1;
        await accountDeletions.setProgress(accountId, done, total);
      }
    }
  }

  #removeMessage(authorId: number, groupId: number, seq: number) {
    const target = { groupId, seq };
    return removeWithoutMembership(this.#dependencies, target, {
      by: { id: authorId },
      reason: undefined,
      now: Date.now(),
      refuse: () => undefined,
    }).catch(ignoreHeldOrMissing);
  }

  /**
   * Ends the memberships. A group keeps an owner where there is a member; one that nobody is left in and nobody can
   * join is deleted. The membership of a direct conversation stays, so that the others see that somebody left.
   */
  async #leaveGroups(accountId: number): Promise<void> {
    const { groups, chatDeletions, publish } = this.#dependencies;
    // Of all groups, also those that INBOX_ONLY hides.
    for (const groupId of await chatDeletions.groupsOf(accountId)) {
      if (this.#isStopped) return;
      const group = await groups.byId(groupId);
      if (!group) {
        await groups.leave(accountId, groupId);
        continue;
      }
      if (group.kind === 'direct') {
        await this.#leaveDirect(group);
        continue;
      }
      const nextId = await this.#firstPerson(await chatDeletions.otherMembers(groupId, accountId));
      const owners = await groups.owners(groupId);
      if (nextId !== undefined && owners.length === 1 && owners[0] === accountId) {
        await groups.makeOwner(nextId, groupId);
        publish(membershipsChanged, { groupId, accountIds: [nextId] });
        publish(ownersChanged, { groupId, accountId: nextId });
      }
      if (await groups.leave(accountId, groupId)) publish(memberLeft, { groupId, accountId });
      const isUnreachable = group.access === 'closed' || group.archivedAt !== null;
      if (nextId === undefined && isUnreachable && !refuseOnHold(group))
        await deleteGroup(this.#dependencies, groupId);
    }
  }

  /** The first of these who is no bot, and not suspended where there is anybody else. */
  async #firstPerson(ids: readonly number[]): Promise<number | undefined> {
    let suspended: number | undefined;
    for (const id of ids) {
      const account = await this.#dependencies.accounts.byId(id);
      if (!account || account.isBot) continue;
      if (account.suspendedAt === null) return id;
      suspended ??= id;
    }
    return suspended;
  }

  async #leaveDirect(group: Group): Promise<void> {
    const { accounts, groups, accountDeletions } = this.#dependencies;
    const leaving = new Set((await accountDeletions.underWay()).map(({ accountId }) => accountId));
    const memberIds = await groups.members(group.id, MAX_PEOPLE);
    const people = await Promise.all(memberIds.map((id) => accounts.byId(id)));
    if (people.every((person) => !person || leaving.has(person.id)) && !refuseOnHold(group))
      await deleteGroup(this.#dependencies, group.id);
  }

  /** The private line to the administrators goes with the messages, or has nobody left who waits. */
  async #endLine(accountId: number, choice: MessagesChoice): Promise<void> {
    const { chatDeletions, inbox, publish } = this.#dependencies;
    const groupId = await chatDeletions.lineOf(accountId);
    if (groupId === undefined) return;
    const line = await this.#dependencies.groups.byId(groupId);
    if (choice === 'remove' && line && !refuseOnHold(line)) await deleteGroup(this.#dependencies, groupId);
    else await inbox.setDone(groupId, Date.now());
    publish(inboxChanged, {});
  }

  /** The archive of their data that waits to be downloaded. */
  async #removeExport(accountId: number): Promise<void> {
    const { exports, blobs } = this.#dependencies;
    const archive = await exports.of(accountId);
    if (!archive) return;
    await blobs.remove(archive.blobId);
    await exports.remove(archive);
  }

  async #removeUploads(accountId: number): Promise<void> {
    const { chatDeletions, files, blobs } = this.#dependencies;
    for (;;) {
      const ids = await chatDeletions.unsentFilesOf(accountId, FILES_AT_ONCE);
      for (const id of ids) if (await files.removeUnsent(id)) await blobs.remove(id);
      if (ids.length < FILES_AT_ONCE || this.#isStopped) return;
    }
  }

  async #finishGroup(groupId: number): Promise<void> {
    const { chatDeletions, blobs } = this.#dependencies;
    for (;;) {
      const ids = await chatDeletions.filesOf(groupId, FILES_AT_ONCE);
      for (const id of ids) await blobs.remove(id);
      await chatDeletions.removeFiles(ids);
      if (this.#isStopped) return;
      if (ids.length < FILES_AT_ONCE) break;
    }
    const head = (await chatDeletions.groupHeads()).find(({ id }) => id === groupId);
    for (let seq = MESSAGES_AT_ONCE; seq < (head?.lastSeq ?? 0); seq += MESSAGES_AT_ONCE) {
      await chatDeletions.removeMessages(groupId, seq);
      if (this.#isStopped) return;
      await new Promise(setImmediate);
    }
    await chatDeletions.removeGroup(groupId);
  }
}
