import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { deterministicUuid } from '../crypto/deterministic-uuid.ts';
import type { Group } from '../groups/group.ts';
import { joinInvitedGroup } from '../groups/join.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import type { GroupStore } from '../groups/store.ts';
import type { MessageOrderStore } from '../messages/order-store.ts';
import { MAX_CHARACTERS } from '../messages/send.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import type { FileTaker } from './files.ts';
import type { OpenedImport } from './read.ts';
import type { ImportedMessage } from './source.ts';
import type { ImportedPeople } from './targets.ts';

/** Messages that are committed together. */
const BATCH = 500;
/** Files that are taken at the same time. */
const FILES_AT_ONCE = 4;

export type WriteDependencies = {
  accounts: AccountStore;
  groups: GroupStore;
  joinRequests: JoinRequestStore;
  messages: MessageStore;
  messageOrder: MessageOrderStore;
  writer: MessageWriter;
  files: FileTaker;
  publish: Publish;
};

type Plan = Readonly<{
  people: ImportedPeople;
  /** By the keys of conversations. */
  targets: ReadonlyMap<string, Group>;
}>;

/** A message with where it goes, and what is known of it before it is written. */
type Prepared = { message: ImportedMessage } & (
  | { existingSeq: number }
  | {
      group: Group;
      account: Account;
      id: string;
      attachments: Awaited<ReturnType<FileTaker['take']>>['attachments'];
    }
);

/** Writes the messages of one archive, in their order, each once. */
export class ImportWriter {
  readonly counts: ReadonlyMap<string, { added: number; already: number }>;
  lostFiles = 0;
  done = 0;
  readonly #dependencies: WriteDependencies;
  readonly #archive: OpenedImport['archive'];
  readonly #plan: Plan;
  readonly #seqs = new Map<string, number>();
  readonly #joined = new Map<string, Promise<void>>();
  /** The newest message that was brought in, by group. */
  readonly #newest = new Map<number, number>();
  #batch: ImportedMessage[] = [];

  constructor(dependencies: WriteDependencies, { archive }: OpenedImport, plan: Plan) {
    this.#dependencies = dependencies;
    this.#archive = archive;
    this.#plan = plan;
    this.counts = new Map([...plan.targets].map(([key]) => [key, { added: 0, already: 0 }]));
  }

  /** Takes a message; those of conversations that are left out are passed over. @returns whether some were written */
  async add(message: ImportedMessage): Promise<boolean> {
    const { conversation, replyTo, thread } = message;
    if (!this.#plan.targets.has(conversation)) return false;
    // A reply needs the numbers of what it answers.
    const isUnknown = [replyTo, thread].some(
      (key) => key !== undefined && !this.#seqs.has(idIn(conversation, key)),
    );
    if (isUnknown) await this.flush();
    this.#batch.push(message);
    if (this.#batch.length < BATCH) return isUnknown;
    await this.flush();
    return true;
  }

  /** Writes what waits. The files come first, so that messages with some keep their place among the others. */
  async flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    const prepared: Prepared[] = [];
    for (let at = 0; at < batch.length; at += FILES_AT_ONCE)
      prepared.push(
        ...(await Promise.all(batch.slice(at, at + FILES_AT_ONCE).map((message) => this.#prepare(message)))),
      );
    const written = await Promise.allSettled(prepared.map((one) => this.#write(one)));
    const failed = written.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    for (const { conversation, key } of batch) {
      const group = this.#plan.targets.get(conversation);
      const seq = this.#seqs.get(idIn(conversation, key)) ?? 0;
      if (group) this.#newest.set(group.id, Math.max(seq, this.#newest.get(group.id) ?? 0));
    }
    for (const [groupId, seq] of this.#newest)
      await this.#dependencies.messageOrder.noteImported(groupId, seq);
    this.done += batch.length;
  }

  /** The numbers of the messages that the archive has of each group. */
  seqs(): ReadonlyMap<number, ReadonlySet<number>> {
    const byGroup = new Map<number, Set<number>>();
    for (const [key, seq] of this.#seqs) {
      const group = this.#plan.targets.get(key.slice(0, key.lastIndexOf('\0')));
      if (group) byGroup.set(group.id, (byGroup.get(group.id) ?? new Set<number>()).add(seq));
    }
    return byGroup;
  }

  async #prepare(message: ImportedMessage): Promise<Prepared> {
    const { messages, files } = this.#dependencies;
    const group = this.#plan.targets.get(message.conversation);
    if (!group) throw new Error('An archive changed while it was read.');
    const id = deterministicUuid(`import ${group.id} ${message.key} ${message.author}`);
    // One that is here may have another author by now, whom an administrator named.
    for (const known of [id, message.id]) {
      const existing = known === undefined ? undefined : await messages.byId(known);
      if (existing?.groupId === group.id) return { message, existingSeq: existing.seq };
    }
    const account = await this.#plan.people.of(message.author);
    await this.#join(account, group);
    const prepared = { message, group, account, id, attachments: [] };
    if (!this.#archive) {
      this.lostFiles += message.files.length;
      return prepared;
    }
    const { attachments, lost } = await files.take(this.#archive, { id, group, account }, message);
    this.lostFiles += lost;
    return { ...prepared, attachments };
  }

  /** Whoever wrote in a conversation is in its group, and nobody else; whom an owner removed stays out. */
  #join(account: Account, group: Group): Promise<void> {
    const key = `${account.id} ${group.id}`;
    // Several messages of one person are prepared at the same time: all of them wait.
    const joined = this.#joined.get(key) ?? this.#joinFirst(account, group);
    this.#joined.set(key, joined);
    return joined;
  }

  async #joinFirst(account: Account, group: Group): Promise<void> {
    await joinInvitedGroup(this.#dependencies, account, group);
    // SQLite answers at once: without this, a thousand people would let nobody else have a turn.
    await new Promise(setImmediate);
  }

  async #write(prepared: Prepared): Promise<void> {
    const { conversation, key, at, text, files, replyTo, thread = replyTo } = prepared.message;
    const count = this.counts.get(conversation);
    if ('existingSeq' in prepared) {
      this.#seqs.set(idIn(conversation, key), prepared.existingSeq);
      if (count) count.already += 1;
      return;
    }
    const { group, account, id, attachments } = prepared;
    const answered = replyTo === undefined ? undefined : this.#seqs.get(idIn(conversation, replyTo));
    const root = thread === undefined ? undefined : (this.#seqs.get(idIn(conversation, thread)) ?? answered);
    // Where its files are lost, their names are what is left of it.
    const lost = attachments.length > 0 ? '' : files.map(({ name }) => `(File: ${name})`).join('\n');
    const content = readableText(text || lost) || (attachments.length > 0 ? '' : '(Empty message)');
    const { message: written, isNew } = await this.#dependencies.writer.commit({
      ...{ groupId: group.id, id, authorId: account.id, content, createdAt: at, files: attachments },
      ...(answered !== undefined && { replyTo: answered }),
      ...(root !== undefined && { thread: root }),
    });
    this.#seqs.set(idIn(conversation, key), written.seq);
    if (count) count[isNew ? 'added' : 'already'] += 1;
  }
}

function idIn(conversation: string, key: string): string {
  return `${conversation}\0${key}`;
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
