import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { newPerson, Visitor } from '../support/client.ts';
import { type Ending, type Hearth, ON_SQLITE, startHearth, startHearthProcess } from '../support/hearth.ts';
import { until } from '../support/until.ts';

/** The links of what a search found, newest first; asked again until there are so many, since the index follows. */
async function found(person: Visitor, query: string, count?: number): Promise<string[]> {
  let hits: string[] = [];
  const search = async () => {
    const { status, body } = await person.get(`/search?q=${encodeURIComponent(query)}`);
    assert.equal(status, 200, body);
    hits = [...body.matchAll(/class="hit"><a href="([^"]+)"/g)].map(([, link = '']) => link);
    return count === undefined || hits.length === count;
  };
  await until(search, () => `${query} finds ${count} and not ${hits.join(', ')}`);
  return hits;
}

const say = (person: Visitor, group: number, content: string) =>
  person.post(`/groups/${group}/messages`, { content });

async function garden<Kind extends Hearth>(t: Ending, start: (t: Ending) => Promise<Kind>) {
  const hearth = await start(t);
  const ada = await newPerson(hearth.url, 'ada', 1, 2);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await say(ada, 1, 'The green shed needs paint');
  await say(jo, 1, 'A shed that is green, see https://example.com/shed');
  await say(ada, 2, 'Nobody else reads of the shed here');
  await say(ada, 1, '今日は東京へ行きます');
  await found(ada, 'shed', 3);
  return { hearth, ada, jo };
}

test('words, beginnings, phrases, any script, and operators, newest first, each hit in its place', async (t) => {
  const { ada } = await garden(t, startHearth);
  assert.deepEqual(await found(ada, 'shed', 3), [
    '/groups/2?around=1#message-1',
    '/groups/1?around=2#message-2',
    '/groups/1?around=1#message-1',
  ]);
  await found(ada, 'SHE gre', 2);
  await found(ada, '"green shed"', 1);
  await found(ada, '東京', 1);
  await found(ada, '東', 1);
  await found(ada, '北京', 0);
  assert.deepEqual(await found(ada, 'shed from:joe'), ['/groups/1?around=2#message-2']);
  assert.equal((await found(ada, 'shed from:me')).length, 2);
  assert.deepEqual(await found(ada, 'shed in:Random'), ['/groups/2?around=1#message-1']);
  assert.deepEqual(await found(ada, 'has:link'), ['/groups/1?around=2#message-2']);
  await say(ada, 1, 'paint is at www.example.org');
  assert.equal((await found(ada, 'has:link', 2)).length, 2, 'whatever becomes a link');
  await ada.post('/groups/1/messages/4/remove');
  assert.equal((await found(ada, 'in:General')).length, 3, 'no words are all of them');
  assert.equal((await found(ada, 'shed after:2020 before:today')).length, 0);
  assert.equal((await found(ada, 'shed after:yesterday')).length, 3);
  const page = await ada.get('/search?q=shed+green');
  assert.match(page.body, /A <mark>shed<\/mark> that is <mark>green<\/mark>/);
  const [link] = await found(ada, 'paint');
  assert.match((await ada.get(link ?? '')).body, /id="message-1"/);
});

test('nobody finds what they may not read, nor what was edited away or removed', async (t) => {
  const { hearth, ada, jo } = await garden(t, startHearth);
  await found(jo, 'shed', 2);
  const stranger = await newPerson(hearth.url, 'stranger');
  await found(stranger, 'shed', 0);
  await stranger.post('/groups/2/join');
  await found(stranger, 'shed', 1);
  await stranger.post('/groups/2/leave');
  await found(stranger, 'shed', 0);
  await ada.post('/direct', { with: '2' });
  await say(ada, 3, 'a shed between us');
  await found(jo, 'between', 1);
  await found(stranger, 'between', 0);
  await ada.post('/groups/1/messages/1/edit', { content: 'The red barn' });
  await found(ada, 'barn', 1);
  await found(ada, 'paint', 0);
  await jo.post('/groups/1/messages/2/remove');
  await found(ada, 'has:link', 0);
  assert.equal((await new Visitor(hearth.url).get('/search?q=shed')).status, 303);
});

test('what is not understood gets a sentence, and what was typed is still there', async (t) => {
  const { ada } = await garden(t, startHearth);
  for (const [query, sentence] of [
    ['from:nobody x', 'Nobody here is called “nobody”.'],
    ['in:nowhere x', 'You are in no conversation called “nowhere”.'],
    ['before:soon', '“before:” takes a date such as 2026-11-21, 2026-11 or 2026.'],
    ['after:2026-02-31', '“after:” takes a date'],
    ['has:everything', '“has:” takes file, link, voice, image, video, or audio.'],
    ['x '.repeat(200), 'A search has at most 300 characters.'],
    ['ab '.repeat(21), 'A search has at most 20 words.'],
  ] as const) {
    const { status, body } = await ada.get(`/search?q=${encodeURIComponent(query)}`);
    assert.equal(status, 400, query);
    assert.ok(body.includes(sentence), query);
    assert.ok(body.includes(`value="${query.trim().slice(0, 20)}`), 'what was typed');
  }
  for (const query of ['" OR "a"', "'; DROP TABLE words; --", 'NEAR(a b)']) await found(ada, query);
  for (const query of ['"', '""', '***', '\0', '((']) {
    const { status, body } = await ada.get(`/search?q=${encodeURIComponent(query)}`);
    assert.deepEqual([status, body.includes('Type a word to search for.')], [400, true], query);
  }
  assert.match((await ada.get('/search')).body, /from:mina/);
});

test('pages follow one another without a gap or a repetition', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1, 2);
  for (let index = 0; index < 45; index++) await say(ada, 1 + (index % 2), `leaf number ${index}`);
  await found(ada, 'number 44', 1);
  const seen: string[] = [];
  for (let path: string | undefined = '/search?q=leaf'; path; ) {
    const { body } = await ada.get(path);
    seen.push(...[...body.matchAll(/<\/mark> number (\d+)/g)].map(([, number = '']) => number));
    path = /href="(\/search\?q=leaf&amp;below=\d+)"/.exec(body)?.[1]?.replace('&amp;', '&');
  }
  assert.deepEqual(
    seen.map(Number),
    Array.from({ length: 45 }, (_, index) => 44 - index),
  );
});

test('the index holds no word, survives a kill, and is made again when it is gone', ON_SQLITE, async (t) => {
  const { hearth, ada } = await garden(t, startHearthProcess);
  await say(ada, 1, 'canarybird in the mine');
  await found(ada, 'canarybird', 1);
  await hearth.kill();
  for (const ending of ['', '-wal'])
    assert.ok(!readFileSync(join(hearth.dataDir, `search.sqlite3${ending}`)).includes('canary'));
  let again = await startHearthProcess(t, { dataDir: hearth.dataDir });
  const back = () => Object.assign(ada, { url: again.url });
  await found(back(), 'canarybird', 1);
  await say(ada, 1, 'written after the kill');
  await again.kill();
  rmSync(join(hearth.dataDir, 'search.sqlite3'));
  again = await startHearthProcess(t, { dataDir: hearth.dataDir });
  await found(back(), 'shed', 3);
  await found(ada, 'kill', 1);
});

test('where the index cannot be opened, a search says so, and Hearth ends in order', ON_SQLITE, async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const { dataDir, stop } = hearth;
  const file = join(dataDir, 'search.sqlite3');
  mkdirSync(file);
  const { status, body } = await ada.get('/search?q=words');
  assert.deepEqual([status, body.includes('The search does not answer.')], [503, true]);
  assert.equal(await stop(), 0, hearth.output().stderr);

  const again = await startHearthProcess(t, { dataDir });
  Object.assign(ada, { url: again.url });
  assert.equal((await ada.get('/search?q=words')).status, 503);
  rmSync(file, { recursive: true });
  assert.equal((await ada.get('/search?q=words')).status, 200, 'as soon as it can be opened');
});

test('what was written, changed or removed a moment ago is found as it is now', ON_SQLITE, async (t) => {
  const { ada } = await garden(t, startHearth);
  await say(ada, 1, 'a wren in the hedge');
  assert.equal((await found(ada, 'wren')).length, 1);
  await ada.post('/groups/1/messages/4/edit', { content: 'a robin in the hedge' });
  assert.deepEqual([await found(ada, 'wren'), (await found(ada, 'robin')).length], [[], 1]);
  await ada.post('/groups/1/messages/4/remove');
  assert.deepEqual(await found(ada, 'robin'), []);
});

test('a day that is searched for is a day where the reader is', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'the leeks are in' });
  // The same moment is on different days at both ends of the world.
  for (const zone of ['Pacific/Kiritimati', 'Pacific/Niue']) {
    ada.cookies.set('hearth-zone', encodeURIComponent(zone));
    const day = (offset: number) =>
      new Date(Date.now() + offset * 86_400_000).toLocaleDateString('en-CA', { timeZone: zone });
    const isFound = async (query: string) => {
      const { body } = await ada.get(`/search?q=${encodeURIComponent(query)}`);
      return body.includes('id="message') || body.includes('class="hit"');
    };
    await until(() => isFound(`leeks after:${day(-1)} before:${day(1)}`), zone);
    assert.ok(!(await isFound(`leeks before:${day(0)}`)), zone);
    assert.ok(!(await isFound(`leeks after:${day(0)}`)), zone);
  }
});

test('filters are controls: who, where, when and with what; the page counts what it found', async (t) => {
  const { ada, jo } = await garden(t, startHearth);
  const hits = async (person: Visitor, query: string) => {
    const { status, body } = await person.get(`/search?${query}`);
    const links = [...body.matchAll(/class="hit"><a href="([^"#]+)/g)].map(([, link]) => link);
    return { status, body, links };
  };
  const today = new Date().toISOString().slice(0, 10);
  const joe = /<option value="(\d+)">joe<\/option>/.exec((await hits(ada, '')).body)?.[1];

  assert.deepEqual((await hits(ada, `q=shed&from=${joe}`)).links, ['/groups/1?around=2']);
  assert.deepEqual((await hits(ada, 'q=shed&in=2')).links, ['/groups/2?around=1']);
  assert.deepEqual((await hits(ada, 'q=&has=link')).links, ['/groups/1?around=2'], 'without a word, too');
  assert.equal((await hits(ada, `q=shed&since=${today}&until=${today}`)).links.length, 3, 'both days count');
  assert.equal((await hits(ada, 'q=shed&until=2020-01-01')).links.length, 0);
  assert.match((await hits(ada, 'q=shed&until=2020-01-01')).body, /clear the filters/);

  const kept = (await hits(ada, `q=shed&from=${joe}&in=1&has=link&since=${today}`)).body;
  assert.match(kept, /<details class="filters" open>/);
  assert.match(kept, new RegExp(`<option value="${joe}" selected>joe`));
  assert.match(kept, /<option value="1" selected>General/);
  assert.match(kept, new RegExp(`name="since" type="date" value="${today}"`));
  assert.match(kept, /1 message, newest first/);
  assert.match((await hits(ada, 'q=shed')).body, /3 messages, newest first/);

  assert.equal((await hits(jo, 'q=shed&in=2')).status, 400, 'no conversation that one is not in');
  assert.doesNotMatch((await hits(jo, 'q=')).body, /Random<\/option>/);
  for (const wrong of ['from=x', 'in=-1', 'since=yesterday', 'until=2026-13-45', 'has=money']) {
    const { status, body } = await hits(ada, `q=shed&${wrong}`);
    assert.equal(status, 400, wrong);
    assert.match(body, /role="alert"/);
    assert.match(body, /value="shed"/, 'what was typed is still there');
  }
});

test('hits show their pictures, and more than a page of them is counted', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'off' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const png = await sharp({ create: { width: 40, height: 30, channels: 3, background: 'green' } })
    .png()
    .toBuffer();
  await ada.upload('/groups/1/messages', [{ name: 'shed.png', type: 'image/png', bytes: png }], {
    content: 'The shed',
  });
  for (let count = 0; count < 25; count++) await say(ada, 1, `Leek number ${count}`);
  await found(ada, 'shed', 1);
  assert.match(
    (await ada.get('/search?q=shed')).body,
    /<img src="\/media\/[\w-]+\/thumbnail" alt="shed.png"/,
  );
  const page = await until(async () => {
    const { body } = await ada.get('/search?q=leek&has=');
    return body.includes('About 25 messages') && body;
  }, 'all are counted');
  const next = /class="chip-link" href="([^"]+)"/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? '';
  assert.match((await ada.get(next)).body, /About 25 messages/);
});

test('a conversation is found by its name, and only one that one is in', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada');
  const joe = await newPerson(url, 'joe');
  await ada.post('/groups', { name: 'Café of the North', closed: 'yes' });
  const { body } = await ada.get('/search?q=cafe');
  assert.match(body, /href="\/groups\/3" autofocus># Café of the North/);
  assert.match(body, /No message found/);
  assert.doesNotMatch((await joe.get('/search?q=cafe')).body, /Café of the North/);
  assert.doesNotMatch((await ada.get('/search?q=c')).body, /href="\/groups\/3" autofocus/);
});
