import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import WebSocket from 'ws';
import { CONTENT } from '../../src/files/blob-store.ts';
import { newPerson, type Visitor } from '../support/client.ts';
import { type HearthProcess, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { openStores } from '../support/stores.ts';

const SENDERS = 8;
const KILLS = 10;
const GROUP = 1;

const OPERATIONS = 10_000;

type Seen = {
  seq: number;
  content: string;
  removed: boolean;
  reactions: unknown;
  replies: number;
  files: readonly { id: string }[];
};

/**
 * A client as a browser is one: it keeps what it wants to send until it is acknowledged, connects again with the
 * change that it has, and sends again what it does not know to have arrived.
 */
class Sender {
  readonly acknowledged = new Map<string, number>();
  readonly picture = new Map<string, Seen>();
  readonly written: string[] = [];
  #unacknowledged = new Map<string, { content: string; files: string[] }>();
  /** Uploaded and not sent yet. */
  readonly #uploaded: string[] = [];
  #isUploading = false;
  uploads = 0;
  disconnects = 0;
  #change = 0;
  #ws: WebSocket | undefined;
  #url = '';
  #isDone = false;
  /** Acts on messages that were not acknowledged yet; each says what should be, so that a second try is harmless. */
  readonly #acts = new Map<number, object>();
  acts = 0;
  /** The ids in the picture, to choose among. */
  readonly #seen: string[] = [];

  constructor(
    readonly name: string,
    readonly visitor: Visitor,
  ) {}

  connect(url: string): void {
    this.#url = url.replace(/^http/, 'ws');
    this.#open();
  }

  /** Stops writing; what is under way is still sent until it is acknowledged. */
  async finish(): Promise<void> {
    this.#isDone = true;
    while (this.#unacknowledged.size > 0 || this.#acts.size > 0) await pause(20);
  }

  /** @param change the newest of the group */
  async caughtUpWith(change: number): Promise<void> {
    while (this.#change < change) await pause(20);
    this.#ws?.close();
  }

  #open(): void {
    const ws = new WebSocket(`${this.#url}/ws/chat/${GROUP}?after=${this.#change}`, 'hearth.json', {
      headers: { cookie: this.visitor.cookie },
    });
    this.#ws = ws;
    ws.on('message', (data) => this.#take(JSON.parse(String(data))));
    ws.on('open', () => {
      for (const [id, message] of this.#unacknowledged)
        ws.send(JSON.stringify({ type: 'send', id, ...message }));
      for (const act of this.#acts.values()) ws.send(JSON.stringify(act));
      this.#write();
    });
    ws.on('error', () => {});
    ws.on('close', () => {
      if (ws === this.#ws && !this.#isDone) setTimeout(() => this.#open(), 30);
      else if (ws === this.#ws && this.#unacknowledged.size + this.#acts.size > 0)
        setTimeout(() => this.#open(), 30);
    });
  }

  #write(): void {
    if (this.#isDone || this.#ws?.readyState !== WebSocket.OPEN || this.#unacknowledged.size >= 8) return;
    const id = randomUUID();
    const content = `${this.name} writes ${this.written.length}`;
    this.written.push(id);
    const message = { content, files: this.#uploaded.splice(0, 2) };
    this.#unacknowledged.set(id, message);
    this.#ws.send(JSON.stringify({ type: 'send', id, ...message }));
    this.#act();
    void this.#upload();
    if (Math.random() < 0.004) {
      this.disconnects += 1;
      this.#ws.terminate();
    }
    setImmediate(() => this.#write());
  }

  /** Now and then it edits or removes a message of its own, or reacts to anybody's. */
  #act(): void {
    const any = this.picture.get(this.#seen[Math.floor(Math.random() * this.#seen.length)] ?? '');
    if (!any || any.removed || this.#acts.has(any.seq)) return;
    const { seq } = any;
    const isMine = any.content.startsWith(`${this.name} `);
    const dice = Math.random();
    const act =
      isMine && dice < 0.3
        ? { type: 'edit', seq, content: `${this.name} says ${this.acts} instead` }
        : isMine && dice < 0.4
          ? { type: 'remove', seq }
          : { type: 'react', seq, emoji: EMOJI[Math.floor(Math.random() * EMOJI.length)], on: dice < 0.8 };
    this.acts += 1;
    this.#acts.set(seq, act);
    this.#ws?.send(JSON.stringify(act));
  }

  /** Uploads that a kill cuts off are not tried again: nobody has seen them. */
  async #upload(): Promise<void> {
    if (this.#isUploading || Math.random() > 0.15) return;
    this.#isUploading = true;
    const name = `${this.name} ${this.uploads++}.txt`;
    const file = { name, type: 'text/plain', bytes: Buffer.from(`the content of ${name}`) };
    const headers = { 'hx-request': 'true' };
    const answer = await this.visitor
      .upload(`/groups/${GROUP}/files`, [file], {}, headers)
      .catch(() => undefined);
    const id = /data-file="([^"]+)"/.exec(answer?.body ?? '')?.[1];
    if (id) this.#uploaded.push(id);
    this.#isUploading = false;
  }

  #take(frame: { type: string; id?: string; change: number; code?: string } & Seen): void {
    if (frame.type === 'ack' && frame.id !== undefined) {
      this.acknowledged.set(frame.id, frame.seq);
      this.#unacknowledged.delete(frame.id);
      setTimeout(() => this.#write(), 5);
    } else if (frame.type === 'ack') this.#acts.delete(frame.seq);
    if (frame.type !== 'message' || frame.id === undefined) return;
    assert.ok(frame.change > this.#change, `${this.name}: nothing comes twice, nor late`);
    this.#change = frame.change;
    const { seq, content, removed, reactions, replies, files } = frame;
    if (!this.picture.has(frame.id)) this.#seen.push(frame.id);
    this.picture.set(frame.id, {
      seq,
      content,
      removed,
      reactions,
      replies,
      files: files.map(({ id }) => ({ id })),
    });
    // Others may have reacted to what its author removed: that is refused, and not tried again.
    if (removed) this.#acts.delete(seq);
  }
}

const EMOJI = ['🌱', '👍', '🎉'];

test('killed ten times while eight people write, edit, remove, react, send files and lose their line: every page matches the database', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = `${folder}/data`;
  let hearth: HearthProcess = await startHearthProcess(t, { dataDir });
  const senders: Sender[] = [];
  for (let index = 0; index < SENDERS; index++) {
    const name = `sender${index}`;
    senders.push(new Sender(name, await newPerson(hearth.url, name, GROUP)));
  }
  const port = new URL(hearth.url).port;
  for (const sender of senders) sender.connect(hearth.url);

  for (let kill = 0; kill < KILLS; kill++) {
    await pause(150 + Math.random() * 500);
    await hearth.kill();
    hearth = await startHearthProcess(t, { dataDir, flags: ['--port', port] });
  }
  const operations = () =>
    senders.reduce(
      (sum, sender) => sum + sender.written.length + sender.acts + sender.uploads + sender.disconnects,
      0,
    );
  while (operations() < OPERATIONS) await pause(50);
  await Promise.all(senders.map((sender) => sender.finish()));
  const written = senders.flatMap((sender) => sender.written);
  const probe = await senders[0]?.visitor.socket(`/ws/chat/${GROUP}`);
  const newest = Number((await probe?.nextJson('hello'))?.change);
  probe?.close();
  await Promise.all(senders.map((sender) => sender.caughtUpWith(newest)));
  assert.equal(await hearth.stop(), 0);

  const { messages, groups, files, blobs } = await openStores(t, dataDir);
  const stored = await messages.changedAfter(GROUP, 0, 1_000_000);
  const byId = new Map(stored.map((message) => [message.id, message]));

  assert.ok(stored.length > 200, `only ${stored.length} messages were written`);
  assert.deepEqual(
    stored.map((message) => message.id).sort(),
    [...written].sort(),
    'what was written, each once',
  );
  assert.deepEqual(
    stored.map((message) => message.seq).sort((a, b) => a - b),
    stored.map((_, index) => index + 1),
    'numbered without a hole',
  );
  assert.equal((await groups.byId(GROUP))?.lastSeq, stored.length);
  const pictured = [...stored]
    .sort((a, b) => a.seq - b.seq)
    .map(({ id, seq, content, removedAt, reactions, replyCount, files }) => [
      id,
      {
        seq,
        content,
        removed: removedAt !== null,
        reactions,
        replies: replyCount,
        files: files.map((file) => ({ id: file.id })),
      },
    ]);
  for (const sender of senders) {
    for (const [id, seq] of sender.acknowledged)
      assert.equal(byId.get(id)?.seq, seq, 'what was acknowledged is there');
    assert.deepEqual(
      [...sender.picture].sort((a, b) => a[1].seq - b[1].seq),
      pictured,
      `the picture of ${sender.name} is the database`,
    );
  }
  let filesSent = 0;
  for (const message of stored) {
    for (const { id, name } of message.files) {
      const file = await files.byId(id);
      assert.equal(file?.seq, message.seq, 'a file belongs to the message that it was sent with');
      const bytes = await buffer(blobs.read(id, CONTENT, file.key, file.size));
      assert.equal(bytes.toString(), `the content of ${name}`);
      filesSent += 1;
    }
  }
  assert.ok(filesSent > 50, `only ${filesSent} files were sent`);
  const acts = senders.reduce((sum, sender) => sum + sender.acts, 0);
  assert.ok(acts > 200 && stored.some((message) => message.removedAt !== null && message.content === ''));
  const lines = senders.reduce((sum, sender) => sum + sender.disconnects, 0);
  t.diagnostic(
    `${stored.length} messages, ${acts} acts on them, ${filesSent} files, ${lines} lost lines, ${KILLS} kills`,
  );
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
