import type { RawData } from 'ws';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Subscribe } from '../bus/bus.ts';
import { ChatError } from '../errors.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { groupCreated } from '../groups/events.ts';
import { groupOf, groupTopic } from '../groups/live.ts';
import { isListed } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import { CLOSE, type Connection } from '../live/connection.ts';
import type { Hub } from '../live/hub.ts';
import type { PlainProtocol } from '../live/upgrade.ts';
import { messagesSent } from '../messages/events.ts';
import type { Message } from '../messages/message.ts';
import type { MessageStore } from '../messages/store.ts';
import type { BoundOperation } from '../operations/define.ts';
import { requireScope } from '../operations/scopes.ts';
import type { LivePresence } from '../presence/live.ts';
import { authorOf } from './secure-chat-demo.ts';

/** The group that Chatterbox talks in. */
const CHATTERBOX_GROUP = 'General';
const HISTORY = 50;

export type PlainSocketDependencies = {
  hub: Hub;
  accounts: AccountStore;
  groups: GroupStore;
  messages: MessageStore;
  livePresence: LivePresence;
  subscribe: Subscribe;
  /** The operation `send`. */
  send: BoundOperation<OpenGroup>;
  /** The operation `join`. */
  join: BoundOperation<SignedIn>;
  report(error: unknown): void;
};

/** How the frames of a client look. */
type Form = {
  message(author: string, message: Message): string;
  /** What was received; undefined for nothing to send. @throws ChatError for what is not understood */
  contentOf(text: string): string | undefined;
  refusal(sentence: string): string;
};

/** A socket of a group, and the last message that it was sent. */
type Reader = { connection: Connection; groupId: number; seq: number; form: Form; last: Promise<void> };

const SECURE_CHAT_DEMO: Form = {
  message: (author, { content, createdAt }) =>
    JSON.stringify({ author, content, created_at: new Date(createdAt).toISOString() }),
  contentOf: (text) => text.trim() || undefined,
  refusal: (sentence) => `[system] ${sentence}`,
};

const CHATTERBOX: Form = {
  message: (username, message) => JSON.stringify({ type: 'message', ...spoken(username, message) }),
  contentOf(text) {
    const content = contentIn(text);
    if (content === undefined) throw new ChatError('not_understood', 400, 'Invalid message format');
    return content;
  },
  refusal: (detail) => JSON.stringify({ type: 'error', detail }),
};

/**
 * Sockets without a subprotocol, for the clients of other chats: Chatterbox at `/ws?token=…`, and Secure Chat Demo at
 * `/ws` and `/ws/chat/:id`. What is written arrives in their form; edits and removals have none.
 */
export class PlainSockets implements PlainProtocol {
  readonly #dependencies: PlainSocketDependencies;
  readonly #readers = new Set<Reader>();
  /** Those who are told of new groups. */
  readonly #listeners = new Set<Connection>();

  constructor(dependencies: PlainSocketDependencies) {
    this.#dependencies = dependencies;
    const { subscribe, report } = dependencies;
    subscribe(messagesSent, ({ groupId, lastSeq }) => {
      for (const reader of this.#readers)
        if (reader.groupId === groupId)
          reader.last = reader.last.then(() => this.#tell(reader, lastSeq)).catch(report);
    });
    subscribe(groupCreated, ({ groupId }) => this.#tellOfGroup(groupId));
  }

  /** @throws ChatError for somebody who is no member */
  async open(connection: Connection, { hasToken }: { hasToken: boolean }): Promise<void> {
    if (hasToken) return this.#openChatterbox(connection);
    if (!connection.topic.startsWith('group:')) {
      this.#listeners.add(connection);
      connection.ws.once('close', () => this.#listeners.delete(connection));
      connection.ws.on('message', () => connection.countFrame());
      return;
    }
    const { groups } = this.#dependencies;
    const { group, account } = await openGroup(groups, connection.account, groupOf(connection.topic));
    if (!connection.isOpen) return;
    this.#read(connection, group.id, group.lastSeq, SECURE_CHAT_DEMO);
    this.#announce(group.id, `${account.username} joined`);
    connection.ws.once('close', () => this.#announce(group.id, `${account.username} left`));
  }

  async #openChatterbox(connection: Connection): Promise<void> {
    const { groups, messages, accounts, hub, join } = this.#dependencies;
    const { account, sessionId } = connection;
    requireScope(connection.scopes, 'write');
    const group = (await groups.all()).find(({ name }) => name === CHATTERBOX_GROUP);
    if (!group) throw new ChatError('not_found', 404, `There is no group ${CHATTERBOX_GROUP} here.`);
    if (!(await groups.membership(account.id, group.id)))
      await join.run({ account, sessionId }, { groupId: group.id });
    const { group: now } = await openGroup(groups, account, group.id);
    const newest = await messages.between(now.id, Math.max(1, now.lastSeq - HISTORY + 1), now.lastSeq);
    const shown = newest.filter(({ removedAt }) => removedAt === null);
    const history = shown.map(async (message) => spoken(await authorOf(accounts, message.authorId), message));
    hub.send(connection, JSON.stringify({ type: 'history', messages: await Promise.all(history) }));
    this.#read(connection, now.id, now.lastSeq, CHATTERBOX);
  }

  /** From now on: what is written in the group after `seq`, and what the client sends. */
  #read(connection: Connection, groupId: number, seq: number, form: Form): void {
    const { livePresence, report } = this.#dependencies;
    if (!connection.isOpen) return;
    const reader: Reader = { connection, groupId, seq, form, last: Promise.resolve() };
    this.#readers.add(reader);
    livePresence.countIn(connection, groupTopic(groupId));
    connection.ws.once('close', () => {
      this.#readers.delete(reader);
      livePresence.leaveGroup(connection, groupTopic(groupId));
    });
    connection.ws.on('message', (data, isBinary) => this.#take(reader, data, isBinary).catch(report));
    // What was written since `seq` was read.
    reader.last = this.#catchUp(reader).catch(report);
  }

  async #catchUp(reader: Reader): Promise<void> {
    const group = await this.#dependencies.groups.byId(reader.groupId);
    if (group) await this.#tell(reader, group.lastSeq);
  }

  async #take({ connection, groupId, form }: Reader, data: RawData, isBinary: boolean): Promise<void> {
    const { hub, groups, send } = this.#dependencies;
    if (!connection.isOpen || !connection.countFrame()) return;
    try {
      const content = isBinary ? undefined : form.contentOf(String(data));
      if (content === undefined) return;
      requireScope(connection.scopes, 'write');
      await send.run(await openGroup(groups, connection.account, groupId), { content });
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      hub.send(connection, form.refusal(error.message));
    }
  }

  async #tell(reader: Reader, lastSeq: number): Promise<void> {
    const { hub, messages, accounts, groups } = this.#dependencies;
    const { connection, groupId, seq } = reader;
    if (lastSeq <= seq || !connection.isOpen) return;
    if (!(await groups.membership(connection.account.id, groupId)))
      return connection.close(CLOSE.notAMember, 'You are not in this group any more.');
    const first = seq + 1;
    reader.seq = lastSeq;
    for (const message of await messages.between(reader.groupId, first, lastSeq))
      if (message.removedAt === null)
        hub.send(reader.connection, reader.form.message(await authorOf(accounts, message.authorId), message));
  }

  #announce(groupId: number, words: string): void {
    for (const { connection, form, ...reader } of this.#readers)
      if (reader.groupId === groupId && form === SECURE_CHAT_DEMO)
        this.#dependencies.hub.send(connection, `[system] ${words}`);
  }

  async #tellOfGroup(groupId: number): Promise<void> {
    const { hub, groups } = this.#dependencies;
    const group = await groups.byId(groupId);
    if (!group) return;
    for (const connection of this.#listeners) {
      const membership = await groups.membership(connection.account.id, groupId);
      if (isListed(group, membership, connection.account)) hub.send(connection, `new_group:${group.name}`);
    }
  }
}

function spoken(username: string, { content, createdAt }: Message) {
  return { username, content, timestamp: new Date(createdAt).toISOString() };
}

function contentIn(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('content' in value)) return undefined;
    return typeof value.content === 'string' && value.content.trim() !== '' ? value.content : undefined;
  } catch {
    return undefined;
  }
}
