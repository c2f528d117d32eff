/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import sharp from 'sharp';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { type Ending, startHearth } from '../support/hearth.ts';
import { recording } from '../support/speech.ts';
import { until } from '../support/until.ts';

// Where the reader is stays where it was: the focus, what is open, and the scroll position.

const SMALL = { viewport: { width: 1280, height: 600 } };

test('what is renewed while it has the focus keeps it, and what was unfolded stays so', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, complaints } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  const cem = await newPerson(url, 'cem', 1);
  await page.reload();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('href'));

  // People come and go in the panel.
  await page.locator('#panel .person-name', { hasText: 'cem' }).focus();
  const socket = await bob.socket('/ws/chat/1');
  await page.locator('#panel .is-here', { hasText: 'bob' }).waitFor();
  assert.equal(await focused(), '/people/3');
  socket.close();
  await page.locator('#panel .is-here', { hasText: 'bob' }).waitFor({ state: 'detached' });
  assert.equal(await focused(), '/people/3');

  // A reaction comes to a message.
  await bob.post('/groups/1/messages', { content: 'see https://example.org/ for more' });
  await page.locator('#message-1 .body a').focus();
  await cem.post('/groups/1/messages/1/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-1 .reaction').waitFor();
  assert.equal(await focused(), 'https://example.org/');

  // And to a voice message with a long transcript.
  await bob.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  const words = Array.from({ length: 150 }, (_, index) => `word${index}`).join(' ');
  await bob.post('/groups/1/messages/2/edit', { content: words });
  await page.locator('#message-2 summary').focus();
  await cem.post('/groups/1/messages/2/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-2 .reaction').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'SUMMARY');
  await page.keyboard.press('Enter');
  await page.getByText('word149').waitFor();
  await cem.post('/groups/1/messages/2/reactions', { emoji: '🎉', on: 'yes' });
  await page.locator('#message-2 .reaction').nth(1).waitFor();
  assert.ok(await page.getByText('word149').isVisible());
  assert.deepEqual(complaints, []);
});

test('the emoji button closes the picker that it opened; "/" is typed in its search', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  for (const content of ['one', 'two']) await bob.post('/groups/1/messages', { content });
  const button = page.locator('[data-emoji-button]');
  const picker = page.locator('#picker');
  await button.click();
  await page.locator('emoji-picker input[type="search"]').waitFor();
  await until(
    () => page.evaluate(() => document.activeElement?.localName === 'emoji-picker'),
    'its search has the focus',
  );
  await page.keyboard.press('/');
  assert.equal(await page.locator('emoji-picker input[type="search"]').inputValue(), '/');
  await button.click();
  await picker.waitFor({ state: 'hidden' });
  await button.click();
  await picker.waitFor();
  await page.keyboard.press('Escape');
  await picker.waitFor({ state: 'hidden' });

  // The bar of a message is that of another one, too.
  const react = page.locator('.actions [data-action="react"]');
  await page.locator('#message-1').hover();
  await react.click();
  await picker.waitFor();
  await react.click();
  await picker.waitFor({ state: 'hidden' });
  await react.click();
  await picker.waitFor();
  await page.locator('#message-2').hover();
  await react.click();
  await picker.waitFor();
});

test('pictures are looked through while somebody reacts to one', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  const create = { width: 60, height: 40, channels: 3, background: '#395' } as const;
  const bytes = await sharp({ create }).png().toBuffer();
  for (const name of ['first.png', 'second.png'])
    await bob.upload('/groups/1/messages', [{ name, type: 'image/png', bytes }]);
  await page.locator('#message-1 [data-lightbox]').click();
  await page.locator('#lightbox img[alt="first.png"]').waitFor();
  await bob.post('/groups/1/messages/1/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-1 .reaction').waitFor({ state: 'attached' });
  await page.keyboard.press('ArrowRight');
  await page.locator('#lightbox img[alt="second.png"]').waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.locator('#lightbox img[alt="first.png"]').waitFor();
  await bob.post('/groups/1/messages/1/reactions', { emoji: '🎉', on: 'yes' });
  await page.locator('#message-1 .reaction').nth(1).waitFor({ state: 'attached' });
  await page.keyboard.press('Escape');
  await page.locator('#lightbox').waitFor({ state: 'hidden' });
  await until(
    () => page.evaluate(() => document.activeElement?.closest('.message')?.id === 'message-1'),
    'the picture has the focus',
  );
});

test('Back and Reload return to where one was reading', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada', SMALL);
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 120; number++)
    await bob.post('/groups/1/messages', { content: `message ${number}` });
  await joinGroup(page, 'General');
  await page.goto(`${url}/groups/1?newest=`);
  await page.locator('#message-120').waitFor();
  const top = (seq: number) =>
    page.locator(`#message-${seq}`).evaluate((message) => Math.round(message.getBoundingClientRect().top));
  const isNear = async (seq: number, before: number) =>
    assert.ok(Math.abs((await top(seq)) - before) <= 1, `${await top(seq)} is not ${before}`);

  await page.locator('#message-90').evaluate((message) => message.scrollIntoView({ block: 'center' }));
  const before = await top(90);
  await page.goto(`${url}/people/2`);
  await page.goBack();
  await page.locator('#message-120').waitFor();
  await isNear(90, before);
  await page.reload();
  await page.locator('#message-120').waitFor();
  await isNear(90, before);

  // A hit of the search is a page with a place of its own.
  await page.goto(`${url}/groups/1?around=20#message-20`);
  await page.locator('#message-20').waitFor();
  await page.goBack();
  await page.locator('#message-120').waitFor();
  assert.match(page.url(), /newest=$/);
  await isNear(90, before);

  // What came in by scrolling is not on the page that is loaded anew.
  await page.goto(`${url}/groups/1?newest=`);
  await page.locator('[data-scroller]').focus();
  await page.keyboard.press('Home');
  await page.locator('#message-60').waitFor();
  await page.locator('#message-60').evaluate((message) => message.scrollIntoView({ block: 'center' }));
  const older = await top(60);
  await page.goto(`${url}/people/2`);
  await page.goBack();
  await page.waitForURL(/around=/);
  await page.locator('#message-60').waitFor();
  await isNear(60, older);
  await page.goto(`${url}/groups/1?newest=`);

  // Whoever was at the end is led to what is new, as ever.
  await page.locator('[data-scroller]').evaluate((scroller) => {
    scroller.scrollTop = 0;
  });
  await page.goto(`${url}/people/2`);
  await page.goBack();
  await page.locator('#message-120').waitFor();
  assert.ok((await top(120)) < 600);
});

test('who may no longer write finds out when the connection is back', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const root = await newPerson(url, 'root');
  const { location } = await root.post('/groups', { name: 'Garden' });
  const { page, context } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'Garden');
  await context.setOffline(true);
  await page.locator('#network-line').waitFor();
  await page.locator('#content').fill('half written');
  await root.post(`${location}/rules`, { access: 'open', posting: 'owners' });
  await context.setOffline(false);
  await page.getByText('Only owners write in this group.').waitFor();
  await root.post(`${location}/rules`, { access: 'open', posting: 'members' });
  await page.locator('#content').waitFor();
  assert.equal(await page.locator('#content').inputValue(), 'half written');
});

test('times are those of the reader’s language, with their seconds apart', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await newPerson(url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'hello' });
  for (const [locale, time, seconds] of [
    ['fr-CA', /^\d{1,2} h \d\d$/, /^ min \d\d s$/],
    ['en-US', /^\d{1,2}:\d\d [AP]M$/, /^:\d\d$/],
    ['de', /^\d{1,2}:\d\d$/, /^:\d\d$/],
  ] as const) {
    const { page } = await personAt(browser, url, `reader-${locale.toLowerCase()}`, { locale });
    await joinGroup(page, 'General');
    const clock = page.locator('#message-1 .permalink time');
    const apart = (await clock.locator('.seconds').textContent()) ?? '';
    assert.match(apart.replaceAll(/\s/g, ' '), seconds);
    const rest = ((await clock.textContent()) ?? '').replace(apart, '');
    assert.match(rest.replaceAll(/\s/g, ' '), time);
  }
});

test('a quote leads to its message each time, and Back to where one was', async (t) => {
  const { url } = await startHearth(t);
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 45; number++)
    await bob.post('/groups/1/messages', { content: `message ${number}` });
  await bob.post('/groups/1/messages', { content: 'as I said', replyTo: '10' });
  const { page } = await personAt(await openBrowser(t), url, 'ada', SMALL);
  await joinGroup(page, 'General');
  await page.goto(`${url}/groups/1?newest=`);
  const topOf = (seq: number) =>
    page.locator(`#message-${seq}`).evaluate((message) => Math.round(message.getBoundingClientRect().top));
  const isInView = async (seq: number) => (await topOf(seq)) > 0 && (await topOf(seq)) < 600;
  const top = await topOf(46);
  await page.locator('#message-46 .quote').click();
  await until(() => isInView(10));
  await page.goBack();
  await until(async () => (await topOf(46)) === top, 'Back leads to where one was');
  await page.locator('#message-46 .quote').click();
  await until(() => isInView(10));
  await page.locator('#message-46').evaluate((message) => message.scrollIntoView());
  await page.locator('#message-46 .quote').click();
  await until(() => isInView(10), 'the same quote again');
});

test('what is sent from a page of older messages is seen: the newest are shown', async (t) => {
  const { page, bob, url } = await longConversation(t);
  await page.goto(`${url}/groups/1?around=20#message-20`);
  await bob.post('/groups/1/messages', { content: 'the connection is there' });
  await page.getByText('New messages ↓').waitFor();
  await say(page, 'an answer to that');
  await page.waitForURL('**/groups/1?newest=');
  await page.locator('#messages .message', { hasText: 'an answer to that' }).waitFor();
  assert.equal(await page.locator('#messages .message', { hasText: 'an answer to that' }).count(), 1);
  assert.equal(await page.locator('[data-pending] .message').count(), 0);
});

test('a column that gets narrower or wider leaves the first message in view where it is', async (t) => {
  const { page, url } = await longConversation(t);
  await page.goto(`${url}/groups/1?around=60#message-60`);
  const top = () => page.locator('#message-60').evaluate((message) => message.getBoundingClientRect().top);
  await page.locator('[data-scroller]').evaluate((scroller) => {
    const first = document.getElementById('message-60') ?? scroller;
    scroller.scrollTop += first.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  });
  await page.waitForTimeout(100);
  const before = await top();
  for (const width of [800, 500, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await until(async () => Math.abs((await top()) - before) < 60, `it moves at ${width}`);
  }
  await page.locator('#message-60').getByRole('link', { name: '1 reply' }).click();
  await page.locator('.beside').waitFor();
  await until(async () => Math.abs((await top()) - before) < 60, 'it moves beside a thread');
  // It stays in reach where there is no more room beside it.
  await page.setViewportSize({ width: 700, height: 800 });
  assert.ok(await page.locator('.beside iframe').isVisible());
});

/** Of 120 messages, of which many take several lines, and the 60th has a thread. */
async function longConversation(t: Ending) {
  const { url } = await startHearth(t);
  const { page } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 120; number++)
    await bob.post('/groups/1/messages', {
      content: `number ${number} ${'and some more words '.repeat(number % 17)}`,
    });
  await bob.post('/groups/1/messages', { content: 'a reply', replyTo: '60' });
  return { page, bob, url };
}
