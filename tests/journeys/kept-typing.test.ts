/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { freePort } from '../support/ports.ts';
import { until } from '../support/until.ts';

// What somebody has typed is there after whatever happens to the page, once, and for nobody else.

const field = (page: Page) => page.locator('#content');

const isCached = (page: Page, path: string) =>
  page.evaluate(async (name) => (await (await caches.open('hearth-pages')).match(name)) !== undefined, path);

/** The server has the draft, and the page knows. */
const stored = async (page: Page) => {
  await page.waitForResponse((response) => response.url().endsWith('/draft'));
  await page.waitForTimeout(200);
};

async function withWorker(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await page.reload();
  await until(() => isCached(page, '/groups/1'));
}

test('while the server is away a reload shows the draft, and not what was sent', async (t) => {
  const flags = ['--port', String(await freePort())];
  const hearth = await startHearthProcess(t, { flags });
  const { page } = await personAt(await openBrowser(t), hearth.url, 'ada');
  await joinGroup(page, 'General');
  await withWorker(page);
  let kept = stored(page);
  await field(page).fill('sent at once');
  await kept;
  // The cached page is from before it is sent.
  await page.reload();
  await until(() => field(page).inputValue());
  kept = stored(page);
  await field(page).press('Enter');
  await page.locator('.message:not(.is-pending)', { hasText: 'sent at once' }).waitFor();
  await kept;
  await hearth.kill();
  await page.reload();
  await page.locator('#network-line:visible').waitFor();
  assert.equal(await field(page).inputValue(), '');

  const again = await startHearthProcess(t, { flags, dataDir: hearth.dataDir });
  await page.reload();
  kept = stored(page);
  await field(page).fill('a long text');
  await kept;
  await again.kill();
  await page.reload();
  assert.equal(await field(page).inputValue(), 'a long text');
});

test('what is answered is kept with the draft; an edit is asked about; Back brings nothing that was sent', async (t) => {
  const { url } = await startHearth(t);
  const { page, context } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await say(page, 'a question');
  await page.locator('#message-1').hover();
  await page.locator('.actions [data-action="reply"]').click();
  await field(page).fill('an answer');
  await page.reload();
  await page.getByText('Replying to').waitFor();
  assert.equal(await field(page).inputValue(), 'an answer');
  await field(page).press('Enter');
  await page.locator('#message-2 .quote').waitFor();
  await page.reload();
  assert.equal(await page.getByText('Replying to').isVisible(), false);

  await field(page).press('ArrowUp');
  await page.getByText('Editing your message').waitFor();
  await field(page).fill('an answer, corrected');
  const asked = page.waitForEvent('dialog');
  await page.evaluate(() => setTimeout(() => location.reload()));
  await (await asked).dismiss();
  assert.equal(await field(page).inputValue(), 'an answer, corrected');
  await page.getByRole('button', { name: 'Cancel' }).click();

  const kept = stored(page);
  await field(page).fill('sent from elsewhere');
  await kept;
  await page.goto(`${url}/groups`);
  const other = await context.newPage();
  await other.goto(`${url}/groups/1`);
  await until(async () => (await field(other).inputValue()) === 'sent from elsewhere');
  const emptied = stored(other);
  await field(other).press('Enter');
  await emptied;
  await page.goBack();
  await page.locator('#message-3').waitFor();
  assert.equal(await field(page).inputValue(), '');
});

test('a session that ends elsewhere takes nothing that was typed; signing out does', async (t) => {
  const { url } = await startHearth(t);
  const { page, context } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await field(page).fill('typed as it ended');
  const cookies = await context.cookies();
  const ended = cookies.find(({ name }) => name === 'hearth');
  const elsewhere = new Visitor(url);
  elsewhere.cookies.set('hearth', ended?.value ?? assert.fail());
  await elsewhere.post('/logout');
  await page.waitForURL('**/login?*');
  const signIn = async (name: string) => {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL('**/groups**');
  };
  await signIn('ada');
  await page.goto(`${url}/groups/1`);
  assert.equal(await field(page).inputValue(), 'typed as it ended');
  await page.goto(`${url}/account`);
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.waitForURL('**/login');
  const left = () =>
    page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.startsWith('drafts/')));
  assert.deepEqual(await left(), []);
});

test('a page that was asked for before signing out is not cached after it', async (t) => {
  const { url } = await startHearth(t);
  const joe = await newPerson(url, 'joe', 1);
  const { page, context } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await withWorker(page);
  const held = holdCopies(context);
  await joe.post('/groups/1/messages', { content: 'for members only' });
  await held.asked;
  const other = await context.newPage();
  await other.goto(`${url}/account`);
  await other.getByRole('button', { name: 'Sign out' }).first().click();
  await other.waitForURL('**/login');
  held.answer();
  await held.answered;
  await other.waitForTimeout(500);
  assert.equal(await isCached(other, '/groups/1'), false);
});

/** Holds the answer to what the service worker fetches for its cache. */
function holdCopies(context: BrowserContext) {
  let answer = () => {};
  const isHeld = new Promise<void>((resolve) => {
    answer = resolve;
  });
  let done = () => {};
  const answered = new Promise<void>((resolve) => {
    done = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    void context.route('**/groups/1', async (route) => {
      if (route.request().headers()['hearth-keep'] === undefined) return route.continue();
      const response = await route.fetch();
      resolve();
      await isHeld;
      await route.fulfill({ response });
      done();
    });
  });
  return { asked, answer, answered };
}

test('older messages are loaded once the network is back, also where loading them failed', async (t) => {
  const { url } = await startHearth(t);
  const joe = await newPerson(url, 'joe', 1);
  for (let number = 1; number <= 60; number++)
    await joe.post('/groups/1/messages', { content: `message ${number}` });
  const { page } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await page.goto(`${url}/groups/1?newest=`);
  const failed = page.waitForEvent('requestfailed');
  await page.route('**/messages?before=*', (route) => route.abort('connectionreset'), { times: 1 });
  // Its place is counted from the newest message, below.
  const scrollTo = (top: number) =>
    page.locator('[data-scroller]').evaluate((element, place) => element.scrollTo(0, place), top);
  await scrollTo(-10_000);
  await failed;
  assert.equal(await page.locator('#message-1').count(), 0);
  await scrollTo(0);
  await page.waitForTimeout(200);
  await scrollTo(-10_000);
  await page.locator('#message-1').waitFor();
});

test('what is typed before the script runs stays', async (t) => {
  const { url } = await startHearth(t);
  const { page } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  let letPass = () => {};
  const isTyped = new Promise<void>((resolve) => {
    letPass = resolve;
  });
  await page.route('**/js/main.js', async (route) => {
    await isTyped;
    await route.continue();
  });
  await page.goto(`${url}/groups/1`, { waitUntil: 'commit' });
  await field(page).fill('typed early');
  letPass();
  await page.locator('html.has-script').waitFor();
  await page.locator('[data-emoji]:visible, #content:focus').first().waitFor();
  assert.equal(await field(page).inputValue(), 'typed early');
});
