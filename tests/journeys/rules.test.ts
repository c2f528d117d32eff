/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { openBrowser, personAt } from '../support/browser.ts';
import { newPerson, PASSWORD } from '../support/client.ts';
import { type Ending, startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

// What owners and others change of a group, or of themselves, while somebody has it open.

/** A group of joe's with a message of his and one of kim's, who has it open. */
async function openGroup(t: Ending) {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada');
  const joe = await newPerson(url, 'joe');
  await joe.post('/groups', { name: 'Camp' });
  const { page, context } = await personAt(await openBrowser(t), url, 'kim');
  const headers = { origin: url };
  await context.request.post(`${url}/groups/3/join`, { headers });
  await joe.post('/groups/3/messages', { content: 'a question' });
  await context.request.post(`${url}/groups/3/messages`, { form: { content: 'one of mine' }, headers });
  await page.goto(`${url}/groups/3`);
  await page.locator('#message-2').waitFor();
  return { url, ada, joe, page, context };
}

/** Brings a page to the front, or another one in front of it. */
const setVisible = (page: Page, isVisible: boolean) =>
  page.evaluate(
    (value) => {
      Object.defineProperty(document, 'visibilityState', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    },
    isVisible ? 'visible' : 'hidden',
  );

const act = (page: Page, seq: number, action: string) =>
  page
    .locator(`#message-${seq}`)
    .hover()
    .then(() => page.locator(`.actions [data-action="${action}"]`).click());

test('the topic, and why nobody writes, are shown as they are now; what is unread in an open thread stays so', async (t) => {
  const { url, joe, page, context } = await openGroup(t);
  const thread = await context.newPage();
  await thread.goto(`${url}/groups/3/threads/2`);
  await setVisible(thread, false);
  // Whoever sees the conversation has read its replies.
  await setVisible(page, false);
  const asked = thread.waitForRequest((request) => request.headers()['hearth-keep'] === 'yes');
  await joe.post('/groups/3/messages', { content: 'an answer', replyTo: '2' });
  const list = await context.newPage();
  await list.goto(`${url}/saved`);
  const threads = list.locator('#threads-link .unread');
  await threads.waitFor();
  await thread.locator('#message-3').waitFor();
  await joe.post('/groups/3/topic', { topic: 'tents' });
  await page.locator('.topic', { hasText: 'tents' }).waitFor();
  await (await asked).response();
  await joe.post('/groups/3/topic', { topic: 'tents and rain' });
  await page.locator('.topic', { hasText: 'rain' }).waitFor();
  assert.ok(await threads.isVisible(), 'nobody has looked at the thread');
  await joe.post('/groups/3/topic', { topic: '' });
  await page.locator('.topic').waitFor({ state: 'detached' });

  await joe.post('/groups/3/rules', { access: 'open', posting: 'owners' });
  await page.getByText('Only owners write in this group.').waitFor();
  await joe.post('/groups/3/archive', { on: 'yes' });
  await page.getByText('This group is archived').waitFor();
  assert.equal(await page.getByText('Only owners write').count(), 0);
  await page.locator('#message-1').hover();
  await page.locator('.actions').waitFor();
  assert.equal(await page.locator('.actions [data-action="react"]').isVisible(), false);
  await page.locator('.actions [data-action="more"]').click();
  await page.locator('#sheet .sheet-actions').waitFor();
  assert.equal(await page.locator('#sheet .quick-reactions').count(), 0);
});

test('an edit and a reply are still there when only owners wrote for a moment', async (t) => {
  const { joe, page } = await openGroup(t);
  const allow = (posting: string) => joe.post('/groups/3/rules', { access: 'open', posting });
  const field = page.locator('#content');
  await act(page, 1, 'reply');
  await field.fill('an answer');
  await allow('owners');
  await page.getByText('Only owners write in this group.').waitFor();
  await allow('members');
  await page.getByText('Replying to').waitFor();
  await until(async () => (await field.inputValue()) === 'an answer');
  await field.press('Enter');
  await page.locator('#message-3 .quote').waitFor();

  await act(page, 2, 'edit');
  await page.getByText('Editing your message').waitFor();
  await field.fill('one of mine, corrected');
  const looked = page.waitForResponse((response) => response.request().headers()['hearth-keep'] === 'yes');
  await allow('owners');
  await looked;
  assert.equal(await field.inputValue(), 'one of mine, corrected');
  await field.press('Enter');
  await page.locator('[data-composer-error]', { hasText: 'Only owners write' }).waitFor();
  assert.equal(await field.inputValue(), 'one of mine, corrected');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('[data-read-only]').waitFor();
});

test('a hidden or archived group that is open counts as the others do', async (t) => {
  const { url, joe, page, context } = await openGroup(t);
  const settings = await context.newPage();
  await settings.goto(`${url}/groups/3/settings`);
  await page.getByLabel(/^Notifications of this conversation/).click();
  await page.getByRole('button', { name: 'Hidden' }).click();
  await page.getByLabel('Notifications of this conversation: hidden').waitFor();
  await setVisible(page, false);
  await joe.post('/groups/3/messages', { content: 'hey @kim' });
  await settings.locator('#group-3[data-mentioned]').waitFor();
  await setVisible(page, true);
  await settings.locator('#group-3[data-unread="0"]').waitFor();
  assert.equal(await settings.locator('#group-3 [aria-current]').count(), 1);

  await page.goto(`${url}/saved`);
  await joe.post('/groups/3/messages', { content: 'the last one' });
  await joe.post('/groups/3/archive', { on: 'yes' });
  await settings.locator('#group-3[data-unread="1"]').waitFor();
  await page.goto(`${url}/groups/3`);
  await settings.locator('#group-3[data-unread="0"]').waitFor();
});

test('every open page of a conversation shows what one is told of it', async (t) => {
  const { url, page, context } = await openGroup(t);
  const other = await context.newPage();
  await other.goto(`${url}/groups/3`);
  await page.getByLabel(/^Notifications of this conversation/).click();
  await page.getByRole('button', { name: 'Everything' }).click();
  await other.getByLabel('Notifications of this conversation: everything').waitFor();
});

test('new names of people and groups are wherever the old ones were, and whoever leaves has none', async (t) => {
  const { url, ada, joe, page, context } = await openGroup(t);
  const [settings, thread] = [await context.newPage(), await context.newPage()];
  await settings.goto(`${url}/groups/3/settings`);
  await thread.goto(`${url}/groups/3/threads/1`);
  await joe.post('/groups/3/rename', { name: 'Winter camp' });
  await page.getByLabel('Message Winter camp').waitFor();
  await page.getByRole('log', { name: 'Messages in Winter camp' }).waitFor();
  await settings.getByText('Leave Winter camp', { exact: true }).waitFor();
  await thread.getByText('in Winter camp').waitFor();
  for (const tab of [page, settings, thread]) await until(async () => /Winter camp/.test(await tab.title()));
  await joe.post('/account/name', { displayName: 'Jonas' });
  await page.getByLabel(/^More about the message of Jonas/).waitFor({ state: 'attached' });

  await joe.post('/groups/3/make-owner', { accountId: '3' });
  await ada.post('/admin/people/2/delete-account', { messages: 'keep', password: PASSWORD });
  await page.locator('#message-1 span.author', { hasText: 'Somebody who left' }).waitFor();
  assert.equal(await page.locator('#message-1 a.author').count(), 0);
});
