import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import WebSocket from 'ws';
import { newPerson, type Visitor } from '../support/client.ts';
import { type Hearth, startHearth, temporaryFolder } from '../support/hearth.ts';
import { openStores } from '../support/stores.ts';

const SENDERS = 8;
const KILLS = 10;
const GROUP = 1;

type Seen = { seq: number; content: string };

/**
 * A client as a browser is one: it keeps what it wants to send until it is acknowledged, connects again with the
 * change that it has, and sends again what it does not know to have arrived.
 */
class Sender {
  readonly acknowledged = new Map<string, number>();
  readonly picture = new Map<string, Seen>();
  readonly doubled: string[] = [];
  readonly written: string[] = [];
  #unacknowledged = new Map<string, string>();
  #change = 0;
  #ws: WebSocket | undefined;
  #url = '';
  #isDone = false;

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
    while (this.#unacknowledged.size > 0) await pause(20);
  }

  async caughtUpWith(count: number): Promise<void> {
    while (this.picture.size < count) await pause(20);
    this.#ws?.close();
  }

  #open(): void {
    const ws = new WebSocket(`${this.#url}/ws/chat/${GROUP}?after=${this.#change}`, 'hearth.json', {
      headers: { cookie: this.visitor.cookie },
    });
    this.#ws = ws;
    ws.on('message', (data) => this.#take(JSON.parse(String(data))));
    ws.on('open', () => {
      for (const [id, content] of this.#unacknowledged)
        ws.send(JSON.stringify({ type: 'send', id, content }));
      this.#write();
    });
    ws.on('error', () => {});
    ws.on('close', () => {
      if (ws === this.#ws && !this.#isDone) setTimeout(() => this.#open(), 30);
      else if (ws === this.#ws && this.#unacknowledged.size > 0) setTimeout(() => this.#open(), 30);
    });
  }

  #write(): void {
    if (this.#isDone || this.#ws?.readyState !== WebSocket.OPEN || this.#unacknowledged.size >= 8) return;
    const id = randomUUID();
    const content = `${this.name} writes ${this.written.length}`;
    this.written.push(content);
    this.#unacknowledged.set(id, content);
    this.#ws.send(JSON.stringify({ type: 'send', id, content }));
    setImmediate(() => this.#write());
  }

  #take(frame: { type: string; id: string; seq: number; change: number; content: string }): void {
    if (frame.type === 'ack') {
      this.acknowledged.set(frame.id, frame.seq);
      this.#unacknowledged.delete(frame.id);
      setTimeout(() => this.#write(), 5);
    }
    if (frame.type !== 'message') return;
    assert.equal(frame.change, this.#change + 1, `${this.name}: a push without a gap`);
    this.#change = frame.change;
    if (this.picture.has(frame.id)) this.doubled.push(frame.id);
    this.picture.set(frame.id, { seq: frame.seq, content: frame.content });
  }
}

test('killed ten times while eight people write, it loses nothing, doubles nothing, and leaves no hole', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = `${folder}/data`;
  let hearth: Hearth = await startHearth(t, { dataDir });
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
    hearth = await startHearth(t, { dataDir, flags: ['--port', port] });
  }
  await pause(300);
  await Promise.all(senders.map((sender) => sender.finish()));
  const written = senders.flatMap((sender) => sender.written);
  await Promise.all(senders.map((sender) => sender.caughtUpWith(written.length)));
  assert.equal(await hearth.stop(), 0);

  const { messages, groups } = await openStores(t, dataDir);
  const stored = await messages.changedAfter(GROUP, 0, 1_000_000);
  const byId = new Map(stored.map((message) => [message.id, message]));

  assert.ok(stored.length > 200, `only ${stored.length} messages were written`);
  assert.deepEqual(
    stored.map((one) => one.content).sort(),
    [...written].sort(),
    'what was written, each once',
  );
  assert.deepEqual(
    stored.map((one) => one.seq).sort((a, b) => a - b),
    stored.map((_one, index) => index + 1),
    'numbered without a hole',
  );
  assert.equal((await groups.byId(GROUP))?.lastSeq, stored.length);
  for (const sender of senders) {
    for (const [id, seq] of sender.acknowledged)
      assert.equal(byId.get(id)?.seq, seq, 'what was acknowledged is there');
    assert.deepEqual(sender.doubled, [], 'nothing was shown twice');
    assert.deepEqual(
      [...sender.picture].sort((a, b) => a[1].seq - b[1].seq),
      stored.map((one) => [one.id, { seq: one.seq, content: one.content }]),
      `the picture of ${sender.name} is the database`,
    );
  }
  t.diagnostic(`${stored.length} messages, ${KILLS} kills`);
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
