import type { Databases } from '../database/open.ts';
import { ChatError } from '../errors.ts';
import { type BlobStore, CONTENT } from '../files/blob-store.ts';
import { membershipsChanged } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import type { Jobs } from '../jobs.ts';
import { threadsChanged } from '../threads/events.ts';
import { type OpenedImport, openImport } from './read.ts';
import type { ChatImport, ImportDetails, ImportReport, ImportStore } from './store.ts';
import { ImportedPeople, resolveGroups } from './targets.ts';
import { ImportWriter, type WriteDependencies } from './write.ts';

/** An import that nobody began in this time, or that failed, is thrown away with its archive. */
export const KEPT_MS = 24 * 3_600_000;
/** What another process began and did not finish is found within this time. */
const LOOK_EVERY_MS = 60_000;

export type ImportDependencies = WriteDependencies & {
  databases: Pick<Databases, 'inTurn'>;
  imports: ImportStore;
  blobs: BlobStore;
  jobs: Pick<Jobs, 'onDue'>;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** Brings chats in, one after another; what a stopped process did not finish is finished by the next. */
export class ImportWork {
  readonly #dependencies: ImportDependencies;
  #running: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  /** Says that another process may have begun the same. */
  #lost: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(dependencies: ImportDependencies) {
    this.#dependencies = dependencies;
    this.begin();
    dependencies.jobs.onDue('imports', () => this.begin());
    this.#timer = setInterval(() => this.begin(), LOOK_EVERY_MS).unref();
  }

  /** Does what is to be done, after what is under way. */
  begin(): void {
    this.#running = this.#running
      .then(() =>
        this.#dependencies.databases.inTurn('imports', (lost) => {
          this.#lost = lost;
          return this.#work();
        }),
      )
      .catch(this.#dependencies.report);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#lost?.aborted === true;
  }

  async #work(now = Date.now()): Promise<void> {
    const { imports, blobs } = this.#dependencies;
    for (const { id, blobId } of await imports.abandoned(now - KEPT_MS)) {
      await blobs.remove(blobId);
      await imports.remove(id);
    }
    for (const one of await imports.running()) if (!this.#isOver) await this.#bringIn(one);
  }

  async #bringIn(wanted: ChatImport): Promise<void> {
    const { imports, blobs, report } = this.#dependencies;
    try {
      const details = await this.#run(wanted);
      if (details === undefined) return;
      await imports.change(wanted, { state: 'done', details });
      await blobs.remove(wanted.blobId);
    } catch (error) {
      // What a stop broke off is finished by the next process.
      if (this.#isOver) return;
      if (!(error instanceof ChatError)) report(error);
      const failure = error instanceof ChatError ? error.message : 'Something went wrong here. Try again.';
      const now = (await imports.byId(wanted.id)) ?? wanted;
      await imports.change(wanted, { state: 'failed', details: { ...now.details, failure } });
    }
  }

  /** @returns undefined where a stop broke it off */
  async #run(wanted: ChatImport): Promise<ImportDetails | undefined> {
    const { accounts, blobs } = this.#dependencies;
    const { blobId, key, size, details } = wanted;
    const read = (start: number, end: number) => blobs.read(blobId, CONTENT, key, size, start, end - 1);
    const opened = await openImport(details.name, read, size, details.choices);
    try {
      const owner = await accounts.byId(wanted.accountId);
      if (!owner) throw new ChatError('not_found', 404, 'Whoever began this import has left.');
      const targets = await resolveGroups(this.#dependencies, wanted, owner);
      const now = { ...details, ...(await this.#planOf(wanted)), outline: opened.outline };
      const people = new ImportedPeople(this.#dependencies, wanted, now);
      const counts = await this.#messages(wanted, opened, people, targets);
      if (!counts) return undefined;
      return { ...details, ...(await this.#planOf(wanted)), report: counts };
    } finally {
      opened.archive?.close();
    }
  }

  async #planOf({ id }: ChatImport) {
    const now = await this.#dependencies.imports.byId(id);
    return { people: now?.details.people ?? {}, conversations: now?.details.conversations ?? {} };
  }

  async #messages(
    wanted: ChatImport,
    opened: OpenedImport,
    people: ImportedPeople,
    targets: ReadonlyMap<string, Group>,
  ): Promise<ImportReport | undefined> {
    const { imports } = this.#dependencies;
    const writer = new ImportWriter(this.#dependencies, opened, { people, targets });
    for await (const message of opened.messages()) {
      if (this.#isOver) return undefined;
      if (await writer.add(message)) await imports.change(wanted, { done: writer.done });
    }
    await writer.flush();
    await imports.change(wanted, { done: writer.done });
    await this.#markRead(wanted, writer.seqs());
    return {
      groups: [...targets].map(([key, { id, name }]) => ({
        ...{ id, name, added: 0, already: 0 },
        ...writer.counts.get(key),
      })),
      madeAccounts: await this.#countMade(wanted),
      lostFiles: writer.lostFiles,
    };
  }

  async #countMade(wanted: ChatImport): Promise<number> {
    const { people } = await this.#planOf(wanted);
    return Object.values(people).filter(({ isMade }) => isMade).length;
  }

  /**
   * Imported messages count as read for members who had read everything, except the last one. Members with unread
   * messages keep their read mark, and nothing that was written during the import is marked as read.
   */
  async #markRead(wanted: ChatImport, seqs: ReadonlyMap<number, ReadonlySet<number>>): Promise<void> {
    const { groups, publish } = this.#dependencies;
    const { conversations } = await this.#planOf(wanted);
    const before = new Map(Object.values(conversations).map(({ id, lastSeq }) => [id, lastSeq]));
    for (const [groupId, broughtIn] of seqs) {
      const first = before.get(groupId) ?? 0;
      let last = first;
      while (broughtIn.has(last + 1)) last += 1;
      const marks = await groups.marksOf(groupId, Number.MAX_SAFE_INTEGER);
      const now = Date.now();
      const isWhole = [...broughtIn].every((seq) => seq <= last);
      const readers = marks.filter(({ readSeq }) => readSeq >= first);
      await groups.markRead(
        readers.map(({ accountId }) => ({ accountId, groupId, seq: isWhole ? last - 1 : last, now })),
      );
      publish(membershipsChanged, { groupId });
      for (const { accountId } of readers) publish(threadsChanged, { accountId });
    }
  }
}
