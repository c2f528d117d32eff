import type { Socket } from 'socket.io';
import { z } from 'zod';
import { sessionEnded, sessionsEnded } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import { eventsMissed, type Subscribe } from '../bus/bus.ts';
import { ChatError, notSignedIn } from '../errors.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Limits } from '../limits.ts';
import { messagesSent } from '../messages/events.ts';
import type { Message } from '../messages/message.ts';
import { messageId } from '../messages/send.ts';
import type { MessageStore } from '../messages/store.ts';
import { type BoundOperation, parseInput } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { requireScope, type Scope } from '../operations/scopes.ts';
import type { Bearer, Tokens } from '../tokens/identify.ts';
import { authorOf } from './secure-chat-demo.ts';
import { SocketIo } from './socket-io.ts';

/** A socket that does not say who it is in this time is closed. */
const IDENTIFY_MS = 10_000;
/** Events of one socket in a second. */
const MAX_EVENTS = 30;
const MAX_ROOMS = 100;
/** A reader with more that it has not taken is cut off. In characters. */
const MAX_WAITING = 1_000_000;
/** Over all programs of an account. */
const MAX_SOCKETS_OF_ONE = 100;

const identification = z.union([z.string(), z.object({ token: z.string() }).transform(({ token }) => token)]);
const whichChat = wholeNumber('"chatId" takes the number of a chat.');
const joining = z.union([whichChat, z.object({ chatId: whichChat }).transform(({ chatId }) => chatId)]);
const saying = z.object({
  chatId: whichChat,
  message: z.string('Write something first.'),
  id: messageId.optional(),
});

export type ChatsphereSocketDependencies = {
  accounts: AccountStore;
  groups: GroupStore;
  messages: MessageStore;
  tokens: Pick<Tokens, 'identify'>;
  subscribe: Subscribe;
  limits: Limits;
  /** The operation `send`. */
  send: BoundOperation<OpenGroup>;
  report(error: unknown): void;
};

/** What a socket has said of itself, and the last message that it was sent of each chat that it joined. */
type Reader = {
  token: string;
  sessionId: string;
  /** 0 until it has said who it is. */
  accountId: number;
  chats: Map<number, number>;
  events: number;
  second: number;
  last: Promise<void>;
};

type Acknowledge = (answer: object) => void;

/** A message as ChatSphere's client takes it. */
export async function chatMessageOf(
  accounts: AccountStore,
  { groupId, seq, id, authorId, content, createdAt }: Message,
) {
  return {
    ...{ id, chatId: groupId, seq, message: content },
    user: { id: authorId, username: await authorOf(accounts, authorId) },
    createdAt: new Date(createdAt).toISOString(),
  };
}

/**
 * ChatSphere's sockets, which speak Socket.IO: `identify` with a token, `join-room` for a chat, then `chat-message` both
 * ways. Who somebody is comes from the token, whatever else a client says.
 */
export class ChatsphereSockets {
  readonly #dependencies: ChatsphereSocketDependencies;
  readonly #readers = new Map<Socket, Reader>();
  readonly socketIo: SocketIo;

  constructor(dependencies: ChatsphereSocketDependencies) {
    this.#dependencies = dependencies;
    const { limits, report, subscribe } = dependencies;
    this.socketIo = new SocketIo(limits, report, (socket) => this.#welcome(socket));
    subscribe(sessionEnded, ({ sessionId }) => this.#disconnect((reader) => reader.sessionId === sessionId));
    subscribe(sessionsEnded, ({ accountId }) => this.#disconnect((reader) => reader.accountId === accountId));
    // What was sent meanwhile, this process was not told of.
    subscribe(eventsMissed, () => {
      for (const [socket, { chats }] of this.#readers)
        for (const chatId of chats.keys()) this.#tellSoon(socket, chatId);
    });
    subscribe(messagesSent, ({ groupId }) => {
      for (const [socket, reader] of this.#readers)
        if (reader.chats.has(groupId)) this.#tellSoon(socket, groupId);
    });
  }

  #welcome(socket: Socket): void {
    const reader: Reader = {
      ...{ token: '', sessionId: '', accountId: 0, chats: new Map(), events: 0, second: 0 },
      last: Promise.resolve(),
    };
    this.#readers.set(socket, reader);
    const timer = setTimeout(() => reader.token === '' && socket.disconnect(true), IDENTIFY_MS).unref();
    socket.on('disconnect', () => {
      clearTimeout(timer);
      this.#readers.delete(socket);
    });
    const take = (event: string, act: (given: unknown) => Promise<object>) =>
      socket.on(event, (given: unknown, acknowledge?: unknown) => {
        const answer: Acknowledge =
          typeof acknowledge === 'function' ? (acknowledge as Acknowledge) : () => {};
        this.#count(socket, reader)
          .then(() => act(given))
          .then(answer)
          .catch((error: unknown) => this.#refuse(socket, answer, error));
      });
    take('identify', (given) => this.#identify(reader, given));
    take('join-room', (given) => this.#join(socket, reader, given));
    take('chat-message', (given) => this.#say(reader, given));
  }

  #disconnect(matches: (reader: Reader) => boolean): void {
    for (const [socket, reader] of this.#readers) if (matches(reader)) socket.disconnect(true);
  }

  async #count(socket: Socket, reader: Reader): Promise<void> {
    const second = Math.floor(Date.now() / 1_000);
    reader.events = reader.second === second ? reader.events + 1 : 1;
    reader.second = second;
    if (reader.events <= MAX_EVENTS) return;
    socket.disconnect(true);
    throw new ChatError('too_many', 429, 'Too much at once; connect again in a moment.');
  }

  async #identify(reader: Reader, given: unknown): Promise<object> {
    const token = parse(identification, given, 'Send the token.');
    const { account, sessionId } = await this.#bearer(token, 'read');
    const others = [...this.#readers.values()].filter(({ accountId }) => accountId === account.id);
    if (reader.accountId !== account.id && others.length >= MAX_SOCKETS_OF_ONE)
      throw new ChatError('too_many', 429, `An account has at most ${MAX_SOCKETS_OF_ONE} sockets.`);
    Object.assign(reader, { token, sessionId, accountId: account.id });
    return { user: { id: account.id, username: account.username } };
  }

  async #join(socket: Socket, reader: Reader, given: unknown): Promise<object> {
    const { account } = await this.#bearer(reader.token, 'read');
    const chatId = parse(joining, given, '"chatId" takes the number of a chat.');
    const { group } = await openGroup(this.#dependencies.groups, account, chatId);
    if (reader.chats.size >= MAX_ROOMS && !reader.chats.has(chatId))
      throw new ChatError('too_many', 409, `A socket is in at most ${MAX_ROOMS} chats.`);
    if (!reader.chats.has(chatId)) reader.chats.set(chatId, group.lastSeq);
    this.#tellSoon(socket, chatId);
    return { chatId, name: group.name };
  }

  async #say(reader: Reader, given: unknown): Promise<object> {
    const { groups, send } = this.#dependencies;
    const { account } = await this.#bearer(reader.token, 'write');
    const { chatId, message, id } = parse(saying, given, 'Send "chatId" and "message".');
    const sent = await send.run(await openGroup(groups, account, chatId), { content: message, id });
    return { id: sent.id ?? null, seq: sent.seq ?? null };
  }

  /** Asked for each event, so that a token that was revoked ends at once. */
  async #bearer(token: string, scope: Scope): Promise<Bearer> {
    const bearer = token === '' ? undefined : await this.#dependencies.tokens.identify(token);
    if (!bearer) throw notSignedIn();
    requireScope(bearer.scopes, scope);
    return bearer;
  }

  #tellSoon(socket: Socket, chatId: number): void {
    const reader = this.#readers.get(socket);
    if (!reader) return;
    reader.last = reader.last
      .then(() => this.#tell(socket, reader, chatId))
      .catch((error: unknown) => {
        if (!(error instanceof ChatError)) return this.#dependencies.report(error);
        // Somebody who may read no longer.
        reader.chats.delete(chatId);
      });
  }

  async #tell(socket: Socket, reader: Reader, chatId: number): Promise<void> {
    const { groups, messages, accounts } = this.#dependencies;
    const { account } = await this.#bearer(reader.token, 'read');
    const { group } = await openGroup(groups, account, chatId);
    const from = reader.chats.get(chatId);
    if (from === undefined || group.lastSeq <= from) return;
    reader.chats.set(chatId, group.lastSeq);
    for (const message of await messages.between(chatId, from + 1, group.lastSeq))
      if (message.removedAt === null) {
        if (waitingFor(socket) > MAX_WAITING) return cutOff(socket);
        socket.emit('chat-message', await chatMessageOf(accounts, message));
      }
  }

  #refuse(socket: Socket, answer: Acknowledge, error: unknown): void {
    const detail =
      error instanceof ChatError ? error.message : 'Something went wrong here. Try again in a moment.';
    if (!(error instanceof ChatError)) this.#dependencies.report(error);
    answer({ error: detail });
    socket.emit('error-message', { detail });
  }
}

/** What a client has not taken yet; one that polls may never ask for it. In characters. */
function waitingFor({ conn }: Socket): number {
  // Safe cast: engine.io has it, and its types keep it private.
  const { writeBuffer } = conn as unknown as { writeBuffer: { data?: string }[] };
  return writeBuffer.reduce((sum, { data = '' }) => sum + data.length, 0);
}

/** Closes a connection without waiting until it has taken what is left. */
function cutOff(socket: Socket): void {
  socket.conn.close(true);
}

function parse<Value>(schema: z.ZodType<Value>, given: unknown, sentence: string): Value {
  if (given === undefined || given === null) throw new ChatError('invalid', 400, sentence);
  return parseInput(schema, given);
}
