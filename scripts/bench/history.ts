import { randomUUID } from 'node:crypto';
import { newPerson, type Visitor } from '../../tests/support/client.ts';
import { temporaryFolder } from '../../tests/support/hearth.ts';
import { openStores } from '../../tests/support/stores.ts';
import { Cleanup, startOurs } from './processes.ts';
import { type Finding, finding, median } from './report.ts';

const SMALL = 10_000;
const LARGE = 1_000_000;
const BATCH = 2_000;
const REQUESTS = 80;
const TURNS = 5;

/**
 * The time to fetch 50 messages before a random one, in a group of a million against a group of ten thousand, in
 * alternating requests. Each turn starts a new process: otherwise the cache would soon hold the whole small group.
 */
export async function history(cleanup: Cleanup): Promise<Finding[]> {
  const dataDir = temporaryFolder(cleanup);
  await fill(dataDir);
  const medians = { floor: [] as number[], hearth: [] as number[] };
  for (let turn = 0; turn < TURNS; turn++) {
    const ours = await startOurs(cleanup, dataDir);
    const reader = await newPerson(ours.url, `reader${turn}`, 1, 2);
    const taken = { floor: [] as number[], hearth: [] as number[] };
    for (let request = 0; request < REQUESTS; request++) {
      taken.floor.push(await time(reader, 1, SMALL));
      taken.hearth.push(await time(reader, 2, LARGE));
    }
    for (const which of ['floor', 'hearth'] as const) medians[which].push(median(taken[which]));
    await ours.stop();
  }
  const found = { floor: median(medians.floor), hearth: median(medians.hearth) };
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

/** One request, in milliseconds. */
async function time(reader: Visitor, group: number, size: number): Promise<number> {
  const before = 51 + Math.floor(Math.random() * (size - 51));
  const started = performance.now();
  const { status } = await reader.get(`/groups/${group}/messages?before=${before}`);
  if (status !== 200) throw new Error(`The server answered ${status}.`);
  return performance.now() - started;
}
