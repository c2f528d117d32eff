import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError } from '../errors.ts';
import { type BlobStore, CONTENT } from '../files/blob-store.ts';
import { membershipsChanged } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { addMember } from '../groups/join.ts';
import type { GroupStore } from '../groups/store.ts';
import { MAX_CHARACTERS } from '../messages/send.ts';
import type { MessageWriter } from '../messages/writer.ts';
import type { FileTaker } from './files.ts';
import { type OpenedImport, openImport } from './read.ts';
import type { ImportedMessage } from './source.ts';
import type { ChatImport, ImportDetails, ImportReport, ImportStore } from './store.ts';
import { resolveGroups, resolvePeople } from './targets.ts';
import { uuidOf } from './uuid.ts';

/** Messages that are committed together. */
const BATCH = 500;
/** A ready import that nobody began in this time is thrown away with its archive. */
export const KEPT_MS = 24 * 3_600_000;

export type ImportDependencies = {
  imports: ImportStore;
  accounts: AccountStore;
  groups: GroupStore;
  blobs: BlobStore;
  writer: MessageWriter;
  files: FileTaker;
  publish: Publish;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** Brings chats in, one after another; what a stopped process did not finish is finished by the next. */
export class ImportWork {
  readonly #dependencies: ImportDependencies;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(dependencies: ImportDependencies) {
    this.#dependencies = dependencies;
    this.begin();
  }

  /** Does what is to be done, after what is under way. */
  begin(): void {
    this.#running = this.#running.then(() => this.#work()).catch(this.#dependencies.report);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #work(now = Date.now()): Promise<void> {
    const { imports, blobs } = this.#dependencies;
    for (const { id, blobId } of await imports.abandoned(now - KEPT_MS)) {
      await blobs.remove(blobId);
      await imports.remove(id);
    }
    for (const one of await imports.running()) if (!this.#isStopped) await this.#bringIn(one);
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
      if (this.#isStopped) return;
      if (!(error instanceof ChatError)) report(error);
      const failure = error instanceof ChatError ? error.message : 'Something went wrong here. Try again.';
      const now = (await imports.byId(wanted.id)) ?? wanted;
      await imports.change(wanted, { state: 'failed', details: { ...now.details, failure } });
    }
  }

  /** @returns undefined where a stop broke it off */
  async #run(wanted: ChatImport): Promise<ImportDetails | undefined> {
    const { accounts, groups, blobs, publish } = this.#dependencies;
    const { blobId, key, size, details } = wanted;
    const read = (start: number, end: number) => blobs.read(blobId, CONTENT, key, size, start, end - 1);
    const opened = await openImport(details.name, read, size, details.choices);
    try {
      const owner = await accounts.byId(wanted.accountId);
      if (!owner) throw new ChatError('not_found', 404, 'Whoever began this import has left.');
      const people = await resolvePeople(this.#dependencies, wanted, opened.outline);
      const targets = await resolveGroups(this.#dependencies, wanted, owner);
      for (const group of targets.values())
        for (const account of people.values()) await addMember({ groups, publish }, account, group);
      const counts = await this.#messages(wanted, opened, people, targets);
      if (!counts) return undefined;
      await this.#markRead([...targets.values()]);
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
    people: ReadonlyMap<string, Account>,
    targets: ReadonlyMap<string, Group>,
  ): Promise<ImportReport | undefined> {
    const { imports } = this.#dependencies;
    const counts = new Map([...targets].map(([key]) => [key, { added: 0, already: 0 }]));
    const seqs = new Map<string, number>();
    let lostFiles = 0;
    let done = 0;
    let batch: ImportedMessage[] = [];
    const flush = async () => {
      const written = await Promise.all(
        batch.map((message) => this.#write(opened, message, people, targets, seqs)),
      );
      for (const { conversation, isNew, lost } of written) {
        const count = counts.get(conversation);
        if (count) count[isNew ? 'added' : 'already'] += 1;
        lostFiles += lost;
      }
      done += batch.length;
      batch = [];
      await imports.change(wanted, { done });
    };
    for await (const message of opened.messages()) {
      if (this.#isStopped) return undefined;
      if (!targets.has(message.conversation)) continue;
      // A reply needs the number of what it answers.
      if (message.replyTo !== undefined && !seqs.has(idIn(message.conversation, message.replyTo)))
        await flush();
      batch.push(message);
      if (batch.length >= BATCH) await flush();
    }
    await flush();
    return {
      groups: [...targets].map(([key, { id, name }]) => ({
        ...{ id, name, added: 0, already: 0 },
        ...counts.get(key),
      })),
      madeAccounts: await this.#countMade(wanted),
      lostFiles,
    };
  }

  async #countMade(wanted: ChatImport): Promise<number> {
    const { people } = await this.#planOf(wanted);
    return Object.values(people).filter(({ isMade }) => isMade).length;
  }

  async #write(
    { archive }: OpenedImport,
    message: ImportedMessage,
    people: ReadonlyMap<string, Account>,
    targets: ReadonlyMap<string, Group>,
    seqs: Map<string, number>,
  ) {
    const { writer, files } = this.#dependencies;
    const { conversation, key, author, at, text, replyTo } = message;
    const group = targets.get(conversation);
    const account = people.get(author);
    if (!group || !account) throw new Error('An archive changed while it was read.');
    const id = uuidOf(`import ${group.id} ${key} ${author}`);
    const { attachments, lost } = archive
      ? await files.take(archive, { id, group, account }, message)
      : { attachments: [], lost: message.files.length };
    const root = replyTo === undefined ? undefined : seqs.get(idIn(conversation, replyTo));
    const content = readableText(text) || (attachments.length > 0 ? '' : '(Empty message)');
    const { message: written, isNew } = await writer.commit({
      ...{ groupId: group.id, id, authorId: account.id, content, createdAt: at, files: attachments },
      ...(root !== undefined && { replyTo: root, thread: root }),
    });
    seqs.set(idIn(conversation, key), written.seq);
    return { conversation, isNew, lost };
  }

  /** What was brought in is not new to anybody, but for the last message: nobody has seen that yet. */
  async #markRead(brought: readonly Group[]): Promise<void> {
    const { groups, publish } = this.#dependencies;
    for (const { id } of brought) {
      const group = await groups.byId(id);
      if (!group || group.lastSeq === 0) continue;
      const now = Date.now();
      const members = await groups.members(id, Number.MAX_SAFE_INTEGER);
      await groups.markRead(
        members.map((accountId) => ({ accountId, groupId: id, seq: group.lastSeq - 1, now })),
      );
      publish(membershipsChanged, { groupId: id });
    }
  }
}

function idIn(conversation: string, key: string): string {
  return `${conversation}\n${key}`;
}

/** As a message is stored; a longer one is cut. */
function readableText(text: string): string {
  const plain = text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\t\n]|\p{Noncharacter_Code_Point}/gu, '')
    .toWellFormed()
    .trim();
  const characters = [...plain];
  return characters.length <= MAX_CHARACTERS ? plain : `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`;
}
