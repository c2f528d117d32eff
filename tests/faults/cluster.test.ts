import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import pg from 'pg';
import { newPerson, type Socket, type Visitor } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { atEnd } from '../support/hearth.ts';
import { at, Reader } from '../support/reader.ts';
import { startRedis } from '../support/redis.ts';

/** People write until so much is done and so often something was killed. For a longer run: FAULT_OPERATIONS=10000 */
const OPERATIONS = Number(process.env.FAULT_OPERATIONS ?? 1_500);
const KILLS = 6;
/** Between two commands of a writer. */
const LONGEST_PAUSE_MS = 120;
const WRITERS = 5;
/** How many commands of a writer wait for their answers at a time. */
const PIPELINE = 8;
const ANSWER_MS = 3_000;
const PROCESSES = 3;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const oneOf = (count: number) => Math.floor(Math.random() * count);

type Written = { seq: number; content: string };

/** Somebody who writes, edits and reacts, and tries each again, maybe elsewhere, until it is acknowledged. */
class Writer {
  /** What was acknowledged, by id. */
  readonly written = new Map<string, Written>();
  operations = 0;
  #at = oneOf(PROCESSES);
  #socket: Promise<Socket | undefined> | undefined;

  constructor(
    readonly visitors: readonly Visitor[],
    readonly name: string,
  ) {}

  async work(isEnough: () => boolean): Promise<void> {
    await Promise.all(
      Array.from({ length: PIPELINE }, async () => {
        while (!isEnough()) {
          this.operations += 1;
          await this.#operate(this.operations);
          await pause(oneOf(LONGEST_PAUSE_MS));
        }
      }),
    );
    (await this.#socket)?.close();
  }

  async #operate(index: number): Promise<void> {
    const mine = [...this.written.values()];
    const chosen = index % 5 === 0 ? mine[oneOf(mine.length)] : undefined;
    if (!chosen) {
      const id = randomUUID();
      const content = `${this.name} ${index}`;
      this.written.set(id, { seq: Number((await this.#ask({ type: 'send', content }, id)).seq), content });
    } else if (index % 10 === 0) {
      // Two edits of a message at once may be done in either order.
      if (chosen.content.endsWith('edited')) return;
      const content = `${chosen.content} edited`;
      chosen.content = content;
      await this.#ask({ type: 'edit', seq: chosen.seq, content });
    } else await this.#ask({ type: 'react', seq: chosen.seq, emoji: '👍', on: true });
  }

  async #ask(command: object, id = randomUUID()): Promise<{ seq?: unknown }> {
    for (;;) {
      const socket = await this.#connected();
      const isAnswer = (text: string) => {
        const frame = JSON.parse(text);
        return frame.id === id && (frame.type === 'ack' || frame.type === 'error');
      };
      try {
        if (!socket) throw new Error('not connected');
        socket.send({ ...command, id });
        const answer = JSON.parse(await answerOf(socket, isAnswer));
        if (answer.type === 'ack') return answer;
        if (!['unavailable', 'internal'].includes(answer.code)) throw new Error(JSON.stringify(answer));
      } catch (error) {
        if (error instanceof Error && error.message.startsWith('{')) throw error;
      }
      await pause(50 + oneOf(100));
    }
  }

  async #connected() {
    const socket = await this.#socket;
    if (socket?.ws.readyState === socket?.ws.OPEN && socket) return socket;
    this.#at = oneOf(PROCESSES);
    this.#socket = this.visitors[this.#at]?.socket('/ws/chat/1').catch(() => undefined);
    return this.#socket;
  }
}

/** @throws Error when none comes in time, or the socket closes */
async function answerOf(socket: Socket, isAnswer: (text: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(new Error('no answer')), ANSWER_MS);
    const hear = (data: unknown) => {
      if (isAnswer(String(data))) end(undefined, String(data));
    };
    const closed = () => end(new Error('closed'));
    function end(error?: Error, answer = ''): void {
      clearTimeout(timer);
      socket.ws.off('message', hear).off('close', closed);
      if (error) reject(error);
      else resolve(answer);
    }
    socket.ws.setMaxListeners(0);
    socket.ws.on('message', hear).once('close', closed);
  });
}

/** Until it is told to stop: kills a process, PostgreSQL or Redis, and starts it again. @param log of what was done */
async function harm(cluster: Cluster, log: string[], isDone: () => boolean): Promise<void> {
  for (let round = 0; !isDone(); round++) {
    await pause(700 + oneOf(800));
    if (isDone()) break;
    const what = ['process', 'redis', 'process', 'postgres'][round % 4] ?? '';
    log.push(what);
    if (what === 'process') {
      const index = oneOf(PROCESSES);
      await cluster.process(index).kill();
      await pause(oneOf(300));
      await cluster.startAgain(index);
    } else {
      const server = what === 'redis' ? cluster.redis : cluster.postgres;
      await server.kill();
      await pause(oneOf(400));
      await server.start();
    }
  }
}

/** Where a reader sees something else. */
function differences(seen: ReadonlyMap<number, string>, expected: ReadonlyMap<number, string>): string[] {
  return [...expected]
    .filter(([seq, content]) => seen.get(seq) !== content)
    .map(([seq, content]) => `${seq}: ${seen.get(seq)} instead of ${content}`)
    .slice(0, 5);
}

test('processes, PostgreSQL and Redis are killed at random: what was acknowledged is there once, and everybody sees the same', async (t) => {
  // Sessions outlive Redis where it writes them down.
  const cluster = await startCluster(t, { size: PROCESSES }, await startRedis(t, true));
  const people = await Promise.all(
    Array.from({ length: WRITERS + 2 }, (_, index) =>
      newPerson(cluster.urls[index % PROCESSES] ?? '', `person-${index}`, 1),
    ),
  );
  const everywhere = people.map((person) => cluster.urls.map((url) => at(person, url)));
  const writers = everywhere
    .slice(0, WRITERS)
    .map((visitors, index) => new Writer(visitors, `person-${index}`));
  const readers = everywhere.slice(WRITERS).map((visitors) => new Reader(visitors, 1));
  for (const reader of readers) atEnd(t, () => reader.stop());
  const kills: string[] = [];
  const done = () => writers.reduce((sum, { operations }) => sum + operations, 0);
  let isDone = false;
  const harming = harm(cluster, kills, () => isDone);
  await Promise.all(
    writers.map((writer) => writer.work(() => done() >= OPERATIONS && kills.length >= KILLS)),
  );
  isDone = true;
  await harming;
  t.diagnostic(`${done()} operations, killed: ${kills.join(', ')}`);

  const client = new pg.Client(cluster.databaseUrl);
  await client.connect();
  const { rows } = await client.query('SELECT id, seq::int, change::int FROM chat.messages ORDER BY seq');
  const { rows: heads } = await client.query(
    'SELECT last_seq::int, last_change::int FROM chat.groups WHERE id = 1',
  );
  await client.end();
  const acknowledged = new Map(writers.flatMap((writer) => [...writer.written]));
  assert.equal(rows.length, acknowledged.size, 'each once, and nothing else');
  for (const [index, { id, seq }] of rows.entries()) {
    assert.equal(seq, index + 1, 'no gap');
    assert.equal(acknowledged.get(id)?.seq, seq, 'as it was acknowledged');
  }
  assert.deepEqual(
    [heads[0].last_seq, heads[0].last_change],
    [rows.length, Math.max(...rows.map((row) => row.change))],
  );

  const expected = new Map([...acknowledged.values()].map(({ seq, content }) => [seq, content]));
  // Those who were there all the time, and one who comes now to each process, as the database has it.
  const later = everywhere[0]?.map((visitor) => new Reader([visitor], 1)) ?? [];
  for (const reader of later) atEnd(t, () => reader.stop());
  const all = [...later, ...readers];
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await pause(100))
    if (all.every(({ contents }) => differences(contents, expected).length === 0)) break;
  assert.deepEqual(
    all.map(({ contents }) => differences(contents, expected)),
    all.map(() => []),
  );
});
