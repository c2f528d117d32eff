/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Locator } from 'playwright-core';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { recording } from '../support/speech.ts';
import { until } from '../support/until.ts';

// What people who use a keyboard or a screen reader meet.

test('new messages of others are announced, and nothing else that changes in the list', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 60; number++)
    await bob.post('/groups/1/messages', { content: `before ${number}` });
  await page.goto(`${url}/groups/1?newest=`);
  const announced = () => page.locator('[data-new-messages] p').allTextContents();
  await page.locator('[data-scroller]').focus();
  await page.keyboard.press('Home');
  await page.locator('#message-1').waitFor();
  await bob.post('/groups/1/messages/60/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-60 .reaction').waitFor();
  await page.locator('#content').fill('my own');
  await page.locator('#content').press('Enter');
  await page.locator('#message-61').waitFor();
  await bob.post('/groups/1/messages', { content: 'something *new*' });
  await page.locator('#message-62').waitFor();
  assert.deepEqual(await announced(), ['bob: something new']);
  assert.equal(await page.locator('[role=log]').getAttribute('aria-live'), 'off');
});

test('the focus is at the message again after what was done with it', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 55; number++)
    await bob.post('/groups/1/messages', { content: `number ${number}` });
  await page.goto(`${url}/groups/1?newest=`);
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      return `${element?.closest('.message')?.id} ${element?.className.split(' ')[0]}`;
    });
  const openSheet = async (seq: number) => {
    await page.locator(`#message-${seq} > .more`).focus();
    await page.keyboard.press('Enter');
    await page.locator('#sheet[open]').waitFor();
  };
  const sheetIsClosed = () => page.locator('#sheet:not([open])').waitFor({ state: 'attached' });

  // The message changes while its sheet is open.
  await openSheet(55);
  await bob.post('/groups/1/messages/55/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-55 .reaction').waitFor();
  await page.keyboard.press('Escape');
  await sheetIsClosed();
  await until(async () => (await focused()) === 'message-55 more');

  // The author removes it: there is nothing left to be done.
  await openSheet(54);
  await bob.post('/groups/1/messages/54/remove');
  await page.locator('#message-54.is-removed').waitFor();
  await page.locator('#sheet button[value="👍"]').click();
  await sheetIsClosed();
  await page.getByText('This message was removed').last().waitFor();

  // Oneself removes it.
  await page.locator('#content').fill('my own');
  await page.locator('#content').press('Enter');
  await page.locator('#message-56').waitFor();
  await openSheet(56);
  assert.match((await page.getByRole('dialog').getAttribute('aria-labelledby')) ?? '', /./);
  await page.locator('#sheet').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('dialog', { name: /Remove this message/ }).waitFor();
  await page.locator('#sheet').getByRole('button', { name: 'Remove', exact: true }).click();
  await page.locator('#message-56.is-removed').waitFor();
  await until(async () => (await focused()) === 'message-56 message');

  // What changes nothing that one sees is said.
  await openSheet(53);
  await page.locator('#sheet').getByRole('button', { name: 'Save for yourself' }).click();
  await page.getByRole('status').filter({ hasText: 'Saved. You find it under “Saved”.' }).waitFor();
  assert.equal(await focused(), 'message-53 more');

  // The picker of the bar.
  await page.locator('#message-53').hover();
  await page.locator('#message-53 .actions [data-action="react"]').focus();
  await page.keyboard.press('Enter');
  await page.locator('#picker:popover-open').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('#picker:not(:popover-open)').waitFor({ state: 'attached' });
  await until(async () => (await focused()).startsWith('message-53'));

  // Older messages.
  const older = page.getByRole('link', { name: 'Older messages' });
  await older.evaluate((link: HTMLElement) => link.focus({ preventScroll: true }));
  await page.keyboard.press('Enter');
  await page.locator('#message-1').waitFor();
  await until(async () => /^message-\d+ (?:more|message)$/.test(await focused()));
});

test('the field says what it is for: an answer, an edit, and what is wrong', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  const bob = await newPerson(url, 'bob', 1);
  await bob.post('/groups/1/messages', { content: 'a question' });
  await page.locator('#message-1').hover();
  await page.locator('#message-1 .actions [data-action="reply"]').click();
  const field = page.locator('#content');
  const described = (sentence: RegExp) => expectDescription(field, sentence);
  await described(/^Replying to bob a question$/);
  await field.fill('an answer');
  await field.press('Enter');
  await page.locator('#message-2').waitFor();
  await described(/^$/);
  await field.press('ArrowUp');
  await described(/^Editing your message$/);
  await field.press('Escape');
  await field.fill('x'.repeat(8_001));
  await field.press('Enter');
  await described(/^A message has at most 8,000 characters/);
});

/** What a screen reader says of a field beside its name. */
function expectDescription(field: Locator, sentence: RegExp): Promise<unknown> {
  return until(async () => {
    const text = await field.evaluate((element) =>
      (element.getAttribute('aria-describedby') ?? '')
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent?.trim().replace(/\s+/g, ' '))
        .join(' '),
    );
    return sentence.test(text);
  }, `${sentence}`);
}

test('after a form of a row, the page begins where the row was', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'ada');
  await joinGroup(page, 'General');
  for (const text of ['one', 'two', 'three']) {
    await say(page, text);
    await page.locator('#messages .message', { hasText: text }).waitFor();
  }
  for (const seq of [1, 2, 3])
    await page.request.post(`${hearth.url}/groups/1/messages/${seq}/save`, {
      form: { on: 'yes' },
      headers: { origin: hearth.url },
    });
  await page.goto(`${hearth.url}/saved`);
  const remove = async (row: number, left: number) => {
    await page.getByRole('button', { name: 'Remove from saved' }).nth(row).press('Enter');
    await page.waitForFunction((count) => document.querySelectorAll('.hit').length === count, left);
    return page.evaluate(() => document.activeElement?.textContent ?? '');
  };
  assert.match(await remove(1, 2), /one/, 'the row that has taken its place');
  assert.match(await remove(1, 1), /three/, 'the last row');
  assert.match(await remove(0, 0), /Saved/);
  await page.reload();
  assert.equal(await page.evaluate(() => document.activeElement === document.body), true);
});

test('the arrow up edits the last text, not a voice message, and says where that cannot be had', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, url, 'ada');
  await joinGroup(page, 'General');
  await say(page, 'my text');
  await page.locator('#messages .message', { hasText: 'my text' }).waitFor();
  const { name, type: mimeType, bytes: buffer } = recording('webm');
  await page.request.post(`${url}/groups/1/voice`, {
    multipart: { way: 'message', files: { name, mimeType, buffer } },
    headers: { origin: url },
  });
  await page.locator('#messages .message .voice').waitFor();
  const field = page.locator('#content');
  await context.setOffline(true);
  await field.press('ArrowUp');
  await page.getByText('This message cannot be had now').waitFor();
  await context.setOffline(false);
  await field.press('ArrowUp');
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'my text');
  await field.press('Escape');

  // What was answered once is not answered again after a reload.
  await page.goto(`${url}/groups/1?reply=1#content`);
  await page.getByText('Replying to').waitFor();
  await say(page, 'an answer');
  await page.locator('#messages .message .quote').waitFor();
  await page.reload();
  await page.locator('#messages .message .quote').waitFor();
  assert.equal(await page.getByText('Replying to').isVisible(), false);
});
