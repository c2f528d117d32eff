import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

const TOKEN = 'a token for the metrics';

/** The value of a metric with exactly these labels. */
function readingOf(text: string, line: string): number {
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  assert.ok(found, `${line} is missing`);
  return Number(found.slice(line.length + 1));
}

test('/metrics counts requests, commits, pushes, sockets, queues, caches and the event loop, and names nobody', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  await socket.nextJson('hello');
  const before = (await ada.get('/metrics')).body;
  for (const content of ['one', 'two']) await ada.post('/groups/1/messages', { content });
  await socket.nextJson('message', (frame) => frame.content === 'two');
  const { status, body, headers } = await ada.get('/metrics');
  assert.equal(status, 200);
  assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
  const grows = (line: string) => readingOf(body, line) - readingOf(before, line);
  assert.equal(grows('hearth_commit_messages_sum'), 2);
  assert.equal(grows('hearth_request_seconds_count{method="POST",status="3xx"}'), 2);
  assert.equal(grows('hearth_push_seconds_count'), 2);
  assert.equal(readingOf(body, 'hearth_sockets'), 1);
  const settings = '{name="site settings"}';
  assert.ok(grows(`hearth_cache_lookups${settings}`) >= 0);
  assert.ok(
    readingOf(body, `hearth_cache_lookups${settings}`) > readingOf(body, `hearth_cache_loads${settings}`),
    'what is kept is not loaded again',
  );
  assert.equal(readingOf(body, 'hearth_recordings_waiting'), 0);
  assert.equal(readingOf(body, 'hearth_deliveries_waiting'), 0);
  assert.ok(readingOf(body, 'hearth_cache_entries{name="accounts"}') >= 1);
  assert.ok(readingOf(body, 'nodejs_eventloop_lag_p99_seconds') >= 0);
  assert.ok(!body.includes('ada') && !body.includes('General'));
});

test('/metrics is for this machine, or for whoever has the token; never by way of a proxy', async (t) => {
  const hearth = await startHearth(t);
  const get = (url: string, headers: Record<string, string> = {}) =>
    new Visitor(url).get('/metrics', headers);
  const forwarded = await get(hearth.url, { 'x-forwarded-for': '203.0.113.9' });
  assert.equal(forwarded.status, 403);
  assert.match(forwarded.body, /METRICS_TOKEN/);
  const behind = await startHearth(t, { env: { TRUSTED_PROXIES: '127.0.0.1' } });
  assert.equal((await get(behind.url)).status, 403);
  const secured = await startHearth(t, { env: { METRICS_TOKEN: TOKEN, TRUSTED_PROXIES: '127.0.0.1' } });
  assert.equal((await get(secured.url)).status, 403);
  assert.equal((await get(secured.url, { authorization: 'Bearer another one of length' })).status, 403);
  assert.equal((await get(secured.url, { authorization: `Bearer ${TOKEN}` })).status, 200);
});

test('/readyz says whether people can be served', async (t) => {
  const hearth = await startHearth(t);
  const { status, body } = await new Visitor(hearth.url).get('/readyz');
  assert.deepEqual([status, JSON.parse(body)], [200, { status: 'ready', database: 'ok' }]);
});
