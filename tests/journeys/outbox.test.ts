/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, personAt, say, spoken } from '../support/browser.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { until } from '../support/until.ts';

test('written without a server, in a tab that was closed: all of it arrives, once, in order', async (t) => {
  const first = await startHearthProcess(t);
  const port = new URL(first.url).port;
  const browser = await openBrowser(t);
  const { page, context, complaints } = await personAt(browser, first.url, 'Ada');
  await joinGroup(page, 'General');
  await say(page, 'before');
  await page.locator('#messages .message', { hasText: 'before' }).waitFor();

  await first.kill();
  for (const text of ['one', 'two', 'three']) await say(page, text);
  await page.locator('#network-line').waitFor();
  await page.getByText('Not sent yet').first().waitFor();
  assert.equal(await page.locator('.is-pending').count(), 3);
  await page.close();

  await startHearthProcess(t, { dataDir: first.dataDir, flags: ['--port', port] });
  const back = await context.newPage();
  await back.goto(`${first.url}/groups/1`);
  await back.locator('#messages .message', { hasText: 'three' }).waitFor();
  assert.deepEqual(await spoken(back), ['before', 'one', 'two', 'three']);
  assert.equal(await back.locator('.is-pending').count(), 0);
  await back.reload();
  assert.deepEqual(await spoken(back), ['before', 'one', 'two', 'three']);
  assert.deepEqual(complaints, []);
});

test('a page whose server went away mends itself: what was missed comes, what was written goes', async (t) => {
  const first = await startHearth(t);
  const port = new URL(first.url).port;
  const browser = await openBrowser(t);
  const ada = await personAt(browser, first.url, 'Ada');
  const mina = await personAt(browser, first.url, 'Mina');
  await joinGroup(ada.page, 'General');
  await joinGroup(mina.page, 'General');
  await say(ada.page, 'hello');
  await mina.page.locator('#messages .message', { hasText: 'hello' }).waitFor();

  await mina.context.setOffline(true);
  await mina.page.locator('#network-line').waitFor();
  await say(ada.page, 'are you there?');
  await say(mina.page, 'from the tunnel');
  await mina.context.setOffline(false);
  await mina.page.locator('#messages .message', { hasText: 'are you there?' }).waitFor();
  await ada.page.locator('#messages .message', { hasText: 'from the tunnel' }).waitFor();
  await mina.page.locator('#network-line').waitFor({ state: 'hidden' });

  await first.stop();
  await startHearth(t, { dataDir: first.dataDir, flags: ['--port', port] });
  await say(ada.page, 'and after a restart');
  await mina.page
    .locator('#messages .message', { hasText: 'and after a restart' })
    .waitFor({ timeout: 20_000 });
  for (const { page } of [ada, mina]) {
    assert.deepEqual(await spoken(page), [
      'hello',
      'are you there?',
      'from the tunnel',
      'and after a restart',
    ]);
  }
});

test('what the server refuses is said next to the message, and is sent once the reason is gone', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  await context.setOffline(true);
  await say(page, 'one more thing');
  await say(page, 'never mind');
  await page.getByText('Not sent yet').first().waitFor();

  // Meanwhile she leaves the group elsewhere: it takes nothing from her any more.
  const elsewhere = new Visitor(hearth.url);
  for (const { name, value } of await context.cookies()) elsewhere.cookies.set(name, value);
  await elsewhere.post('/groups/1/leave');
  await context.setOffline(false);
  await page.getByText('You are not in this group').waitFor();
  await page.waitForTimeout(500);
  await page.getByRole('button', { name: 'Join General' }).click();

  const [first, second] = [page.locator('.is-failed').first(), page.locator('.is-failed').last()];
  await first.getByText('Join General to read and write in it.').waitFor();
  await second.getByRole('button', { name: 'Put back' }).click();
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'never mind');
  await first.getByRole('button', { name: 'Try again' }).click();
  await page.locator('#messages .message', { hasText: 'one more thing' }).waitFor();
  assert.deepEqual(await spoken(page), ['one more thing']);
  assert.equal(await page.locator('.is-pending').count(), 0);
});

test('a browser that calls itself offline reaches the server of its own machine', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina');
  await joinGroup(ada.page, 'General');
  await mina.page.addInitScript(() => Object.defineProperty(navigator, 'onLine', { get: () => false }));
  await joinGroup(mina.page, 'General');
  await say(ada.page, 'hello');
  await mina.page.locator('#messages .message', { hasText: 'hello' }).waitFor();
  await mina.page.evaluate(() => dispatchEvent(new Event('offline')));
  await say(mina.page, 'hello back');
  await ada.page.locator('#messages .message', { hasText: 'hello back' }).waitFor();
  await say(ada.page, 'are you still there?');
  await mina.page.locator('#messages .message', { hasText: 'are you still there?' }).waitFor();
});

test('what was refused goes back with what it answered, once, and stays in its thread', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const root = await newPerson(hearth.url, 'root', 1);
  await root.post('/groups/1/messages', { content: 'a question' });
  await root.post('/groups/1/messages', { content: 'first answer', replyTo: '1' });
  const { page } = await personAt(browser, hearth.url, 'ada');
  await joinGroup(page, 'General');
  await page.goto(`${hearth.url}/groups/1?thread=1`);
  const thread = page.frameLocator('iframe[title="Thread"]');
  await thread.locator('#content').waitFor();
  await root.post('/groups/1/slow-mode', { seconds: '3600' });
  await say(page, 'the first one is free');
  await page.locator('#messages .message', { hasText: 'the first one' }).waitFor();

  await page.locator('#message-1').hover();
  await page.locator('.actions [data-action="reply"]').click();
  await say(page, 'of the conversation');
  await thread.locator('#content').fill('of the thread');
  await thread.locator('#content').press('Enter');
  const failed = page.locator('#main .is-failed');
  const failedInThread = thread.locator('.is-failed');
  await failed.waitFor();
  await failedInThread.waitFor();
  // What it answers is not on the page any more.
  for (let number = 1; number <= 55; number++)
    await root.post('/groups/1/messages', { content: `later ${number}` });
  await page.reload();
  await failed.nth(1).waitFor();
  await failedInThread.getByText('of the thread').waitFor();
  assert.equal(await failedInThread.count(), 1);

  await failed.filter({ hasText: 'of the conversation' }).getByRole('button', { name: 'Put back' }).click();
  await page.locator('[data-replying]').getByText('a question').waitFor();
  assert.equal(await page.locator('#content').inputValue(), 'of the conversation');
  await page.locator('#content').fill('');

  // Taken back in the thread, it is not there to be taken back a second time.
  await failedInThread.getByRole('button', { name: 'Put back' }).click();
  await thread.locator('.is-failed').waitFor({ state: 'detached' });
  assert.equal(await thread.locator('#content').inputValue(), 'of the thread');
  await failed.getByRole('button', { name: 'Put back' }).click();
  await failed.waitFor({ state: 'detached' });
  assert.equal(await page.locator('#content').inputValue(), '');
});

test('what was sent without a network is no draft, after a reload and in another tab', async (t) => {
  const { url } = await startHearth(t);
  const { page, context } = await personAt(await openBrowser(t), url, 'Ada');
  // Without it the page is not cached, and a reload shows that there is no network.
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await joinGroup(page, 'General');
  const kept = page.waitForResponse((response) => response.url().endsWith('/draft') && response.ok());
  await page.locator('#content').fill('hello from the train');
  await kept;
  await context.setOffline(true);
  await page.locator('#content').press('Enter');
  await page.getByText('Not sent yet').waitFor();
  await page.reload();
  await page.getByText('Not sent yet').waitFor();
  assert.equal(await page.locator('#content').inputValue(), '');
  await page.close();
  await context.setOffline(false);
  const next = await context.newPage();
  await next.goto(`${url}/groups`);
  const sent = async () =>
    /hello from the train/.test(await (await next.request.get(`${url}/groups/1`)).text());
  await until(sent, 'any page sends it');
  await next.goto(`${url}/groups/1`);
  assert.deepEqual(await spoken(next), ['hello from the train']);
  assert.equal(await next.locator('#content').inputValue(), '');
});

test('what was begun here, left at once and sent from elsewhere is not here any more', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, url, 'Ada');
  await joinGroup(page, 'General');
  await page.locator('#content').fill('half a line');
  await page.goto(`${url}/saved`);
  const isKept = async () => /half a line/.test(await (await page.request.get(`${url}/groups/1`)).text());
  await until(isKept, 'what a page that is left was still writing');
  const phone = await context.newPage();
  await phone.goto(`${url}/groups/1`);
  const field = phone.locator('#content');
  assert.equal(await field.inputValue(), 'half a line');
  const emptied = phone.waitForResponse((response) => response.url().endsWith('/draft') && response.ok());
  await field.fill('half a line, and the rest');
  await field.press('Enter');
  await emptied;
  // As if that had taken a while.
  await page.evaluate(() => {
    for (const key of Object.keys(sessionStorage).filter((key) => key.endsWith('/left')))
      sessionStorage.setItem(key, String(Date.now() - 60_000));
  });
  await page.goto(`${url}/groups/1`);
  await page.locator('#message-1').waitFor();
  assert.equal(await page.locator('#content').inputValue(), '');
});
