import { randomUUID } from 'node:crypto';
import { newPerson, type Visitor } from '../../tests/support/client.ts';
import { temporaryFolder } from '../../tests/support/hearth.ts';
import { openStores } from '../../tests/support/stores.ts';
import { Cleanup, startOurs } from './processes.ts';
import { type Finding, finding, inTurns, median } from './report.ts';

const SMALL = 10_000;
const LARGE = 1_000_000;
const BATCH = 2_000;
const REQUESTS = 200;

/** 50 messages before a random one, in a group of a million against a group of ten thousand. */
export async function history(cleanup: Cleanup): Promise<Finding[]> {
  const dataDir = temporaryFolder(cleanup);
  await fill(dataDir);
  const ours = await startOurs(cleanup, dataDir);
  const reader = await newPerson(ours.url, 'reader', 1, 2);
  const found = await inTurns(
    5,
    () => time(reader, 1, SMALL),
    () => time(reader, 2, LARGE),
  );
  return [finding('history', 'ms for 50 messages', found, 1.5, true)];
}

async function fill(dataDir: string): Promise<void> {
  const closing = new Cleanup();
  const { groups, messages, account } = await openStores(closing, dataDir);
  const author = await account('writer');
  for (const [name, size] of [
    ['Small', SMALL],
    ['Large', LARGE],
  ] as const) {
    const group = await groups.add({ name, creatorId: author.id, now: 0 });
    for (let from = 0; from < size; from += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, index) => ({
        groupId: group?.id ?? 0,
        id: randomUUID(),
        authorId: author.id,
        content: `Message ${from + index}: the seed order arrived, tomatoes and leeks.`,
        createdAt: (from + index) * 60_000,
      }));
      await messages.append(batch);
      if (from % 100_000 === 0) process.stderr.write(`\r  ${name}: ${from} messages`);
    }
  }
  process.stderr.write('\n');
  await closing.run();
}

/** The median of many requests, in milliseconds. */
async function time(reader: Visitor, group: number, size: number): Promise<number> {
  const taken: number[] = [];
  for (let request = 0; request < REQUESTS; request++) {
    const before = 51 + Math.floor(Math.random() * (size - 51));
    const started = performance.now();
    const { status } = await reader.get(`/groups/${group}/messages?before=${before}`);
    taken.push(performance.now() - started);
    if (status !== 200) throw new Error(`The server answered ${status}.`);
  }
  return median(taken);
}
