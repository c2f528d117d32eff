import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import autocannon from 'autocannon';
import type { Visitor } from '../../tests/support/client.ts';
import { temporaryFolder } from '../../tests/support/hearth.ts';
import { type Cleanup, pause, people, startFloor, startOurs } from './processes.ts';
import { type Finding, finding, inTurns } from './report.ts';

const CONNECTIONS = 16;
const SECONDS = 4;
const FEW_GROUPS = 10;
const MANY_GROUPS = 200;
const POSTS_A_SECOND = 10;

/**
 * The conversation page of a member of 10 and of 200 groups, compressed, quiet and while somebody writes, against Express
 * with the same compressed bytes in memory.
 */
export async function page(cleanup: Cleanup): Promise<Finding[]> {
  const ours = await startOurs(cleanup);
  const [few, many, writer] = await people(ours.url, 3, 1);
  if (!few || !many || !writer) throw new Error('Nobody registered.');
  for (let number = 2; number <= MANY_GROUPS; number++) {
    const { location } = await many.post('/groups', { name: `Group ${number}` });
    if (number <= FEW_GROUPS) await few.post(`${location}/join`);
  }
  for (let number = 0; number < 60; number++)
    await writer.post('/groups/1/messages', { content: `Message ${number}: the seed order arrived.` });
  return [
    ...(await pagesOf(cleanup, few, writer, `page-${FEW_GROUPS}`)),
    ...(await pagesOf(cleanup, many, writer, `page-${MANY_GROUPS}`)),
  ];
}

async function pagesOf(cleanup: Cleanup, reader: Visitor, writer: Visitor, name: string): Promise<Finding[]> {
  const compressed = { 'accept-encoding': 'gzip' };
  const { bytes } = await reader.get('/groups/1', compressed);
  const file = join(temporaryFolder(cleanup), 'page.html.gz');
  writeFileSync(file, bytes);
  const floor = await startFloor(cleanup, 'page', file);
  const url = `${reader.url}/groups/1`;
  const headers = { cookie: reader.cookie, ...compressed };

  // Warm-up: measure code that the JIT has compiled.
  await rate({ url, headers });
  const quiet = await inTurns(
    5,
    () => rate({ url: floor.url, headers: compressed }),
    () => rate({ url, headers }),
  );
  const busy = await inTurns(
    5,
    () => rate({ url: floor.url, headers: compressed }),
    () => whilePosting(writer, () => rate({ url, headers })),
  );
  process.stderr.write(`  a page of ${Math.round(bytes.length / 1024)} KiB, compressed\n`);
  return [finding(name, 'pages/s', quiet, 0.75), finding(`${name}-busy`, 'pages/s', busy, 0.6)];
}

/** Messages posted by form, each answered after its durable commit, against Express answering 204. */
export async function post(cleanup: Cleanup): Promise<Finding[]> {
  const [ours, floor] = await Promise.all([startOurs(cleanup), startFloor(cleanup, 'post')]);
  const [writer] = await people(ours.url, 1, 1);
  const form = {
    method: 'POST' as const,
    body: new URLSearchParams({
      content: 'The seed order arrived: tomatoes, leeks, and sunflowers.',
    }).toString(),
  };
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const posting = () =>
    rate(
      {
        url: `${ours.url}/groups/1/messages`,
        ...form,
        headers: { ...headers, cookie: writer?.cookie ?? '' },
      },
      303,
    );
  await posting();
  const found = await inTurns(5, () => rate({ url: floor.url, ...form, headers }), posting);
  return [finding('post', 'posts/s', found, 0.35)];
}

async function rate(options: autocannon.Options, wanted?: number): Promise<number> {
  const result = await autocannon({ connections: CONNECTIONS, duration: SECONDS, ...options });
  const failed =
    result.errors +
    (wanted ? result.requests.total - (result.statusCodeStats?.[`${wanted}`]?.count ?? 0) : result.non2xx);
  if (failed > CONNECTIONS) throw new Error(`${failed} of ${result.requests.total} requests failed.`);
  return result.requests.total / result.duration;
}

async function whilePosting(writer: Visitor, measure: () => Promise<number>): Promise<number> {
  let isOver = false;
  const posting = (async () => {
    for (let number = 0; !isOver; number++) {
      await writer.post('/groups/1/messages', { content: `Meanwhile ${number}` });
      await pause(1_000 / POSTS_A_SECOND);
    }
  })();
  const found = await measure();
  isOver = true;
  await posting;
  return found;
}
