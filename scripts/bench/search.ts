import { GroupPresenter } from '../../src/groups/present.ts';
import { createViews } from '../../src/http/views.ts';
import { newMessageId } from '../../src/messages/send.ts';
import { SearchFeed } from '../../src/search/feed.ts';
import { findMessages } from '../../src/search/find.ts';
import { createSearchIndex } from '../../src/search/index.ts';
import { readQuery } from '../../src/search/query.ts';
import { temporaryFolder } from '../../tests/support/hearth.ts';
import { openStores } from '../../tests/support/stores.ts';
import { createRandom } from '../populate/talk.ts';
import type { Cleanup } from './processes.ts';
import { type Finding, finding } from './report.ts';

const MESSAGES = 1_000_000;
const GROUPS = 200;
const WORDS = 12;
const VOCABULARY = 50_000;
const BATCH = 2_000;
const QUERIES = 1_000;

/** One and two words over 200 groups with a million messages, the newest 20 hits opened and looked at. */
export async function search(cleanup: Cleanup): Promise<Finding[]> {
  const stores = await openStores(cleanup, temporaryFolder(cleanup));
  const { accounts, groups, messages, dataDir } = stores;
  const random = createRandom(7);
  const word = zipfWords(random);
  const reader = await stores.account('reader');
  for (let id = 1; id <= GROUPS; id++) {
    await groups.add({ name: `Group ${id}`, creatorId: reader.id, now: 0 });
  }
  for (let from = 0; from < MESSAGES; from += BATCH) {
    await messages.append(
      Array.from({ length: BATCH }, (_, index) => {
        const createdAt = 1.7e12 + (from + index) * 10_000;
        return {
          groupId: 1 + Math.floor(random() * GROUPS),
          id: newMessageId(createdAt),
          authorId: reader.id,
          content: Array.from({ length: WORDS }, word).join(' '),
          createdAt,
        };
      }),
    );
    if (from % 50_000 === 0) process.stderr.write(`\r  ${from} messages`);
  }
  const report = (error: unknown) => {
    throw error;
  };
  const index = createSearchIndex(
    { file: `${dataDir}/search.sqlite3`, secret: Buffer.alloc(32, 7), url: undefined },
    report,
  );
  const started = performance.now();
  const feed = new SearchFeed({ index, groups, messages, subscribe: stores.subscribe, report });
  cleanup.after(() => feed.stop());
  await feed.flush();
  const rate = Math.round(MESSAGES / ((performance.now() - started) / 1_000));
  process.stderr.write(`\r  indexed ${rate} messages a second\n`);

  const views = createViews('/assets/bench');
  const groupPresenter = new GroupPresenter(views, groups, accounts, stores.caches);
  const taken: number[] = [];
  let hits = 0;
  for (let number = 0; number < QUERIES; number++) {
    const text = number % 2 ? word() : `${word()} ${word()}`;
    const before = performance.now();
    const query = await readQuery({ accounts, groups, groupPresenter }, reader, text, {}, 'UTC');
    const found = await findMessages({ index, messages }, query);
    taken.push(performance.now() - before);
    hits += found.messages.length;
  }
  taken.sort((a, b) => a - b);
  const at = (part: number) => taken[Math.floor(part * taken.length)] ?? 0;
  process.stderr.write(`  ${(hits / QUERIES).toFixed(1)} hits a query; slowest ${at(0.999).toFixed(1)} ms\n`);
  return [
    finding('search-p50', 'ms, limit', { hearth: at(0.5), floor: 5 }, 1, true),
    finding('search-p99', 'ms, limit', { hearth: at(0.99), floor: 50 }, 1, true),
  ];
}

/** Words as often as in real texts: the nth most frequent is n times rarer than the first (Zipf's law). */
function zipfWords(random: () => number): () => string {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const vocabulary = Array.from({ length: VOCABULARY }, (_, rank) => {
    // Frequent words are short, as in any language.
    const length = Math.min(12, 2 + Math.floor(Math.log2(rank + 2) / 2) + Math.floor(random() * 3));
    return Array.from({ length }, () => letters[Math.floor(random() ** 1.5 * 26)]).join('');
  });
  let sum = 0;
  const cumulative = Float64Array.from(vocabulary, (_word, rank) => {
    sum += 1 / (rank + 1);
    return sum;
  });
  return () => {
    const wanted = random() * sum;
    let low = 0;
    let high = VOCABULARY - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return vocabulary[low] ?? '';
  };
}
