/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, personAt, say, spoken } from '../support/browser.ts';
import { newPerson, PASSWORD } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

// Pages that do not know yet what has happened since they were opened.

test('what somebody wrote without a network does not go out as whoever signs in after them', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  await context.setOffline(true);
  await page.locator('#network-line').waitFor();
  await say(page, 'written by ada');
  await page.getByText('Not sent yet').waitFor();
  const headers = { origin: url };
  await context.request.post(`${url}/logout`, { headers });
  await context.request.post(`${url}/login`, { headers, form: { username: 'bob', password: PASSWORD } });
  await context.setOffline(false);
  // The page is loaded again, for bob.
  await page.locator('body[data-account-id="2"]').waitFor();
  await page.getByLabel('Message General').waitFor();
  assert.equal(await page.locator('.is-pending').count(), 0);
  assert.doesNotMatch((await bob.get('/groups/1')).body, /written by ada/);
  // Hers again, it goes out as hers. (Bob's page would be led to the sign-in page.)
  await page.goto('about:blank');
  await context.request.post(`${url}/login`, { headers, form: { username: 'ada', password: PASSWORD } });
  await page.goto(`${url}/groups/1`);
  await page.locator('#messages .message[data-author-id="1"]', { hasText: 'written by ada' }).waitFor();
});

test('a request and a socket of a page are for the account that it was made for', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const send = (account: string) =>
    ada.post('/groups/1/messages', { content: `for ${account}` }, { 'hearth-account': account });
  assert.deepEqual([(await send('1')).status, (await send('2')).status], [303, 401]);
  assert.doesNotMatch((await ada.get('/groups/1')).body, /for 2/);
  const refused = await ada.socket('/ws/chat/1?account=2');
  assert.equal((await refused.closed).code, 4401);
  const taken = await ada.socket('/ws/chat/1?account=1');
  taken.close();
  assert.notEqual((await taken.closed).code, 4401);
});

test('the page of a network that asks for a password is no answer to a message', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  await page.routeWebSocket(/\/ws/, (socket) => socket.close());
  await page.reload();
  await page.route('**/groups/1/messages', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<h1>Welcome to our café</h1>' }),
  );
  await say(page, 'from the café');
  await page.getByText('Not sent yet').waitFor();
  await page.unroute('**/groups/1/messages');
  await page.locator('#messages .message', { hasText: 'from the café' }).waitFor({ timeout: 30_000 });
  assert.deepEqual(await spoken(page), ['from the café']);
});

test('a change of a message that is not loaded yet does not put it among the others', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada', { viewport: { width: 1280, height: 500 } });
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 60; number++)
    await bob.post('/groups/1/messages', { content: `message ${number}` });
  // An answer that is none leaves the link where it is.
  let refused = 0;
  await page.route('**/groups/1/messages?before=*', (route) => {
    refused += 1;
    return route.fulfill({ status: 502, body: '502 Bad Gateway' });
  });
  await joinGroup(page, 'General');
  await page.locator('#message-60').waitFor();
  await bob.post('/groups/1/messages/2/reactions', { emoji: '👍', on: 'yes' });
  await bob.post('/groups/1/messages', { content: 'after the reaction' });
  await page.locator('#message-61').waitFor();
  assert.equal(await page.locator('#message-2').count(), 0);
  await page.locator('.older').scrollIntoViewIfNeeded();
  await until(() => refused > 0, 'older messages are asked for');
  await page.unroute('**/groups/1/messages?before=*');
  assert.doesNotMatch(await page.locator('#messages').innerText(), /502/);
  await page.locator('.older a').click();
  await page.locator('#message-2 .reaction').waitFor();
  const seqs = await page
    .locator('#messages > .message')
    .evaluateAll((all) => all.map((message) => Number((message as HTMLElement).dataset.seq)));
  assert.deepEqual(
    seqs,
    Array.from({ length: 61 }, (_, index) => index + 1),
  );
});

test('files of a conversation stay there when a thread is answered; slow mode holds up one group only', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const root = await newPerson(url, 'root', 1, 2);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  await page.request.post(`${url}/groups/2/join`, { headers: { origin: url } });
  await root.post('/groups/1/messages', { content: 'a question' });
  await page.goto(`${url}/groups/1`);
  await page
    .locator('input[type="file"]')
    .setInputFiles([{ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('plan') }]);
  await page.locator('.chosen[data-file]').waitFor();
  await page.goto(`${url}/groups/1/threads/1`);
  await page.locator('#content').waitFor();
  assert.equal(await page.locator('.chosen').count(), 0);
  await page.goto(`${url}/groups/1`);
  await page.locator('.chosen[data-file]', { hasText: 'plan.txt' }).waitFor();

  await root.post('/groups/1/slow-mode', { seconds: '3600' });
  await say(page, 'the first');
  await page.locator('#messages .message', { hasText: 'the first' }).waitFor();
  await say(page, 'too soon');
  await page.locator('.is-pending', { hasText: 'This group is in slow mode.' }).waitFor();
  await page.goto(`${url}/groups/2`);
  await say(page, 'elsewhere');
  await page.locator('#messages .message', { hasText: 'elsewhere' }).waitFor();
});

test('two presses while a file comes in, and a question, are one message', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  await Promise.all(Array.from({ length: 11 }, (_, index) => newPerson(url, `person${index}`, 1)));
  await page.goto(`${url}/groups/1`);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/groups/1/files?*', async (route) => {
    await held;
    await route.continue();
  });
  await page
    .locator('input[type="file"]')
    .setInputFiles([{ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('plan') }]);
  await page.locator('#content').fill('look @all');
  await page.locator('#content').press('Enter');
  await page.locator('#content').press('Enter');
  release();
  await page.getByRole('button', { name: 'Send it' }).click();
  await page.locator('#messages .message', { hasText: 'look' }).waitFor();
  await until(async () => (await page.locator('.is-pending').count()) === 0, 'nothing waits');
  assert.equal((await spoken(page)).length, 1);
});

test('whoever is let in while the page still offers to ask sees the conversation', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const owner = await newPerson(url, 'owner');
  await owner.post('/groups', { name: 'Shed', closed: 'yes' });
  const { page } = await personAt(browser, url, 'ada');
  await page.goto(`${url}/groups/3`);
  await page.getByRole('button', { name: 'Ask to join' }).click();
  await page.getByText('You asked to join.').waitFor();
  await owner.post('/groups/3/answer-request', { accountId: '2', accept: 'yes' });
  await page.getByLabel('Message Shed').waitFor();
});

test('a long list with something unread below the fold does not make the page of a desk scroll', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const owner = await newPerson(url, 'owner');
  const { page } = await personAt(browser, url, 'ada', { viewport: { width: 1280, height: 500 } });
  for (let number = 0; number < 25; number++) {
    const { location } = await owner.post('/groups', { name: `Club ${number}` });
    await page.request.post(`${url}${location}/join`, { headers: { origin: url } });
    await owner.post(`${location}/messages`, { content: 'something new' });
  }
  await page.goto(`${url}/groups/3`);
  await page.locator('#group-27 .unread').waitFor();
  const { scrollHeight, clientHeight } = await page.evaluate(() => {
    const { scrollHeight, clientHeight } = document.documentElement;
    return { scrollHeight, clientHeight };
  });
  assert.ok(scrollHeight <= clientHeight, `${scrollHeight} px of ${clientHeight}`);
});

test('a draft that was sent from another tab is gone here once the page is loaded again', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const kept = page.waitForResponse((response) => response.url().endsWith('/groups/1/draft'));
  await page.locator('#content').fill('half a line');
  await kept;
  const other = await context.newPage();
  await other.goto(`${url}/groups/1`);
  assert.equal(await other.locator('#content').inputValue(), 'half a line');
  await other.locator('#content').press('Enter');
  await other.locator('#messages .message', { hasText: 'half a line' }).waitFor();
  await until(async () => {
    await page.reload();
    return (await page.locator('#content').inputValue()) === '';
  }, 'the field is empty');
});

test('Back to a form that was refused is the browser’s to answer, and no lost network', async (t) => {
  const { url } = await startHearth(t);
  await newPerson(url, 'owner', 1);
  const browser = await openBrowser(t);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/register`);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  for (const name of ['Olga K', 'olga']) {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the account' }).click();
    if (name === 'Olga K') await page.locator('[aria-invalid]').waitFor();
  }
  await page.waitForURL(/\/groups/);
  await page.goBack().catch(() => undefined);
  await page.waitForTimeout(1_000);
  assert.equal(await page.getByText('Hearth can’t be reached').count(), 0);
});
