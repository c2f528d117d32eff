import { randomUUID } from 'node:crypto';
import type WebSocket from 'ws';
import { Outbox, type Waiting } from './outbox.ts';
import { type Group, type Message, type Person, Refusal, type Server } from './server.ts';

const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000];
/** Nothing for this long, not even a ping, and the connection is taken for dead. */
const SILENCE_MS = 50_000;
/** Where a clock was set, what waits for a time is looked at again after this long. */
const MAX_PAUSE_MS = 30_000;

/**
 * What the screen shows, and what keeps it up to date: one socket for the open conversation, one for the rest. Each
 * reconnects, and begins with what was missed. What is sent waits in an outbox until the server has it.
 */
export class Chat {
  me: Person | undefined;
  groups: readonly Group[] = [];
  open: Group | undefined;
  /** Of the open conversation, in order. */
  messages: readonly Message[] = [];
  hasOlder = false;
  isConnected = false;
  /** A sentence of the last command, or what went wrong. */
  notice = '';
  outbox: readonly Waiting[] = [];
  readonly #server: Server;
  readonly #changed: () => void;
  #kept: Outbox | undefined;
  /** Until when nothing is sent to a group whose slow mode refused it. */
  readonly #slowUntil = new Map<number, number>();
  #wake = () => {};
  readonly #sockets = new Map<'overview' | 'conversation', WebSocket>();
  #change = 0;
  #isSending = false;
  #isClosed = false;
  #tries = 0;
  /** The group that was chosen last. */
  #wanted = 0;

  constructor(server: Server, changed: () => void) {
    this.#server = server;
    this.#changed = changed;
  }

  async start(): Promise<void> {
    this.me = await this.#server.get<Person>('/me');
    this.#kept = new Outbox(this.#server.address, this.me.id);
    this.outbox = this.#kept.read();
    await this.loadGroups();
    this.#connect('overview', '/ws', (frame) => {
      if (frame.type === 'unread') this.#setUnread(Number(frame.groupId), Number(frame.unread));
      else if (frame.type === 'group') this.loadGroups().catch(() => {});
    });
    const first = this.own()[0];
    if (first) await this.openGroup(first.id);
    void this.#flush();
  }

  /** The conversations that one is in. */
  own(): readonly Group[] {
    return this.groups.filter(({ isMember }) => isMember);
  }

  async loadGroups(): Promise<void> {
    this.groups = (await this.#server.get<{ items: Group[] }>('/groups')).items;
    this.#changed();
  }

  async openGroup(groupId: number): Promise<void> {
    this.#wanted = groupId;
    const group = await this.#server.get<Group & { lastChange: number }>(`/groups/${groupId}`);
    const page = await this.#server.get<{ items: Message[]; before: number | null }>(
      `/groups/${groupId}/messages`,
    );
    // Another one was chosen meanwhile: what is typed next is for that one.
    if (this.#wanted !== groupId) return;
    this.open = group;
    this.messages = page.items;
    this.hasOlder = page.before !== null;
    // What changed between the two answers comes again, which does no harm.
    this.#change = group.lastChange;
    this.#connect('conversation', `/ws/chat/${groupId}`, (frame) => {
      if (frame.type === 'message') this.#take(frame as unknown as Message);
      else if (frame.type === 'hello') this.#read();
    });
    this.#read();
    this.#changed();
  }

  /** The messages before those that are there. */
  async loadOlder(): Promise<void> {
    const first = this.messages[0];
    if (!this.open || !first || !this.hasOlder) return;
    const groupId = this.open.id;
    const page = await this.#server.get<{ items: Message[]; before: number | null }>(
      `/groups/${groupId}/messages?before=${first.seq}`,
    );
    if (this.open.id !== groupId) return;
    this.messages = [...page.items, ...this.messages];
    this.hasOlder = page.before !== null;
    this.#changed();
  }

  /** Sends to the open conversation, now or as soon as the server can be reached. */
  send(content: string, more: { replyTo?: number; files?: string[] } = {}): void {
    if (!this.open) return this.say('Join a group first: /join NAME');
    const message = { id: randomUUID(), groupId: this.open.id, content, ...more };
    this.#kept?.add(message);
    this.outbox = [...this.outbox, message];
    this.#changed();
    this.#wake();
    void this.#flush();
  }

  say(notice: string): void {
    this.notice = notice;
    this.#changed();
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets.values()) socket.close();
  }

  async #flush(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let tries = 0; this.outbox.length > 0 && !this.#isClosed; ) {
      const next = this.outbox.find(({ groupId }) => this.#waitOf(groupId) === 0);
      if (!next) {
        await this.#woken(Math.min(...this.outbox.map(({ groupId }) => this.#waitOf(groupId))));
        continue;
      }
      const { groupId, ...message } = next;
      try {
        await this.#server.post(`/groups/${groupId}/messages`, message);
        this.#drop(next);
        tries = 0;
      } catch (error) {
        if (error instanceof Refusal && error.status === 401) {
          this.say('Your sign-in has ended. Leave and start again: what waits is kept, and sent then.');
          break;
        }
        if (error instanceof Refusal && error.status === 429) {
          // The first of its group waits, and what is behind it; other groups go on.
          this.#slowUntil.set(groupId, Date.now() + Math.max(1, error.retryAfter ?? 1) * 1_000);
          this.say(error.message);
        } else if (error instanceof Refusal && error.status < 500) {
          this.#drop(next);
          this.say(`Not sent: “${message.content.slice(0, 60)}”. ${error.message}`);
        } else await pause(RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)] ?? 0);
      }
    }
    this.#isSending = false;
  }

  /** How long nothing is sent to a group, in milliseconds. */
  #waitOf(groupId: number): number {
    return Math.max(0, (this.#slowUntil.get(groupId) ?? 0) - Date.now());
  }

  /** Resolves after this time, or when something else is to be sent. */
  #woken(ms: number): Promise<void> {
    return Promise.race([
      pause(Math.min(ms, MAX_PAUSE_MS)),
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
    ]);
  }

  #drop(message: Waiting): void {
    this.#kept?.remove(message.id);
    this.outbox = this.outbox.filter(({ id }) => id !== message.id);
    this.#changed();
  }

  #connect(kind: 'overview' | 'conversation', path: string, take: (frame: Frame) => void): void {
    this.#sockets.get(kind)?.close();
    const after = kind === 'conversation' ? `?after=${this.#change}` : '';
    const socket = this.#server.socket(path + after);
    this.#sockets.set(kind, socket);
    const isCurrent = () => this.#sockets.get(kind) === socket && !this.#isClosed;
    let silence = setTimeout(() => socket.terminate(), SILENCE_MS);
    const hear = () => {
      clearTimeout(silence);
      silence = setTimeout(() => socket.terminate(), SILENCE_MS);
    };
    socket.on('ping', hear);
    socket.on('open', () => {
      if (isCurrent() && kind === 'conversation') this.#setConnected(true);
    });
    socket.on('message', (data) => {
      hear();
      if (isCurrent()) take(JSON.parse(String(data)) as Frame);
    });
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      clearTimeout(silence);
      if (!isCurrent()) return;
      if (kind === 'conversation') this.#setConnected(false);
      if (code === 4401 || code === 4403) return this.say(String(reason) || 'You cannot read this any more.');
      const wait = RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)];
      setTimeout(() => isCurrent() && this.#connect(kind, path, take), wait);
    });
  }

  #setConnected(isConnected: boolean): void {
    if (isConnected) this.#tries = 0;
    if (this.isConnected === isConnected) return;
    this.isConnected = isConnected;
    this.#changed();
  }

  #take(message: Message): void {
    this.#change = Math.max(this.#change, message.change);
    const oldest = this.messages[0]?.seq ?? 0;
    // One of a page that is not loaded comes with that page.
    if (message.seq < oldest) return;
    const others = this.messages.filter(({ seq }) => seq !== message.seq);
    const at = others.findLastIndex(({ seq }) => seq < message.seq) + 1;
    this.messages = [...others.slice(0, at), message, ...others.slice(at)];
    this.#read();
    this.#changed();
  }

  /** Marks what is shown as read. */
  #read(): void {
    const last = this.messages.at(-1);
    const socket = this.#sockets.get('conversation');
    if (!last || !this.open || socket?.readyState !== socket?.OPEN) return;
    socket?.send(JSON.stringify({ type: 'read', seq: last.seq }));
    this.#setUnread(this.open.id, 0);
  }

  #setUnread(groupId: number, unread: number): void {
    const shown = groupId === this.open?.id ? 0 : unread;
    this.groups = this.groups.map((group) => (group.id === groupId ? { ...group, unread: shown } : group));
    this.#changed();
  }
}

type Frame = { type: string; [field: string]: unknown };

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
