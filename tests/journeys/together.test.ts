/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('a thread, who has seen what, a pin, a draft on another device, and a search that leads to its place', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina', { viewport: { width: 390, height: 844 } });
  await joinGroup(ada.page, 'General');
  await joinGroup(mina.page, 'General');
  await say(ada.page, 'Who brings soup on Friday?');
  await mina.page.locator('#message-1').waitFor();
  await ada.page.locator('#seen [title="Seen by Mina"]').waitFor();
  assert.equal(await mina.page.locator('#seen li').count(), 0, 'one’s own eyes are no news');

  // Ada looks elsewhere; the reply is marked at her threads, and read there.
  await ada.page.goto(`${hearth.url}/saved`);
  await mina.page.goto(`${hearth.url}/groups/1/threads/1`);
  await say(mina.page, 'I do');
  await ada.page.locator('#threads-link .unread').waitFor();
  await ada.page.locator('#threads-link a').click();
  await ada.page.getByText('1 new').click();
  await ada.page.locator('#message-2').waitFor();
  await ada.page.locator('#threads-link .unread').waitFor({ state: 'detached' });
  await say(mina.page, 'and bread');
  await ada.page.locator('#message-3').waitFor();
  await ada.page.waitForTimeout(600);
  assert.equal(await ada.page.locator('#threads-link .unread').count(), 0, 'what one looks at is read');

  await ada.page.goto(`${hearth.url}/groups/1`);
  await ada.page.locator('#message-1').hover();
  await ada.page.locator('#message-1 [data-action="more"]').click();
  await ada.page.getByRole('button', { name: 'Pin for everybody' }).click();
  await ada.page.locator('#message-1 .pinned').waitFor();

  // A draft is on the other device, and gone once it is sent.
  await ada.page.locator('#content').fill('half a thou');
  await ada.page.waitForResponse((response) => response.url().endsWith('/draft') && response.ok());
  const other = await browser.newContext({ storageState: await ada.context.storageState() });
  const phone = await other.newPage();
  await phone.goto(`${hearth.url}/groups/1`);
  assert.equal(await phone.locator('#content').inputValue(), 'half a thou');
  await phone.locator('#content').fill('half a thought, finished');
  const cleared = phone.waitForResponse((response) => response.url().endsWith('/draft') && response.ok());
  await phone.getByRole('button', { name: 'Send' }).click();
  await phone.locator('#message-4').waitFor();
  await cleared;
  await phone.reload();
  assert.equal(await phone.locator('#content').inputValue(), '');

  await ada.page.locator('.pane').click({ position: { x: 300, y: 200 } });
  await ada.page.keyboard.press('/');
  await ada.page.keyboard.type('soup fri');
  await ada.page.keyboard.press('Enter');
  await ada.page.waitForURL('**/search?q=*');
  const hit = ada.page.locator('.hit a', { hasText: 'soup' });
  for (let round = 0; round < 20 && (await hit.count()) === 0; round++) await ada.page.reload();
  assert.deepEqual(await hit.locator('mark').allInnerTexts(), ['soup', 'Fri']);
  await hit.click();
  await ada.page.waitForURL('**/groups/1?around=1#message-1');
  assert.ok(await ada.page.locator('#message-1').isVisible());
  assert.deepEqual([...ada.complaints, ...mina.complaints], []);
});

test('a name opens a direct conversation; calling everybody in a large group asks first', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina');
  await joinGroup(ada.page, 'General');
  await joinGroup(mina.page, 'General');
  await say(mina.page, 'hello there');
  await ada.page.locator('#message-1 .author').click();
  await ada.page.getByRole('button', { name: 'Message Mina' }).click();
  await say(ada.page, 'just between us');
  await mina.page.locator('#my-directs a', { hasText: 'Ada' }).click();
  await mina.page.getByText('just between us').waitFor();
  assert.equal(await mina.page.locator('h1').innerText(), 'Ada');

  for (let index = 0; index < 9; index++) await newPerson(hearth.url, `person${index}`, 1);
  await ada.page.goto(`${hearth.url}/groups/1`);
  await ada.page.locator('#content').fill('everybody @all come ');
  await ada.page.locator('#content').press('Enter');
  await ada.page.getByText('@all mentions all 11 members.').waitFor();
  await ada.page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await ada.page.locator('#content').inputValue(), 'everybody @all come ', 'it is still there');
  await ada.page.locator('#content').press('Enter');
  await ada.page.getByRole('button', { name: 'Send it' }).click();
  await ada.page.locator('#message-2 .mention.is-mine').waitFor();
  assert.deepEqual([...ada.complaints, ...mina.complaints], []);
});

test('all of it with JavaScript off: a thread, a pin, a saved message, a search, a direct conversation, a bell', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada', { javaScriptEnabled: false });
  const { page } = await personAt(browser, hearth.url, 'Mina', { javaScriptEnabled: false });
  for (const member of [ada.page, page]) await member.getByRole('button', { name: 'Join General' }).click();
  const send = async (text: string) => {
    await page.locator('#content').fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  };
  await send('the door code, @Ada');
  await ada.page.goto(`${hearth.url}/groups/1`);
  const colour = (selector: string) =>
    ada.page.locator(selector).evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.notEqual(await colour('.mention'), 'rgba(0, 0, 0, 0)', 'who is called sees it');

  await page.locator('#message-1 .more').click();
  await page.getByRole('button', { name: 'Pin for everybody' }).click();
  await page.locator('#message-1 .pinned').click();
  await page.getByText('the door code').waitFor();
  await page.goto(`${hearth.url}/groups/1/messages/1`);
  await page.getByRole('button', { name: 'Save for yourself' }).click();
  await page.getByRole('link', { name: 'Saved' }).click();
  await page.getByText('the door code').click();

  await page.goto(`${hearth.url}/groups/1/threads/1`);
  await send('an answer');
  await page.goto(`${hearth.url}/groups/1/threads/1`);
  await page.getByRole('button', { name: 'Unfollow' }).click();
  await page.getByRole('button', { name: 'Follow', exact: true }).waitFor();
  await page.goto(`${hearth.url}/groups/1/threads/1`);
  await send('z'.repeat(8_001));
  await page.getByText('A message has at most 8,000 characters.').waitFor();
  await page.getByRole('heading', { name: 'Thread' }).waitFor();

  await page.locator('#search').fill('door');
  await page.locator('#search').press('Enter');
  await page.waitForURL('**/search?q=*');
  const hit = page.locator('.hit a', { hasText: 'door' });
  for (let round = 0; round < 20 && (await hit.count()) === 0; round++) await page.reload();
  await hit.click();
  await page.locator('#message-1').waitFor();

  await page.goto(`${hearth.url}/direct`);
  await page.getByLabel('Ada').check();
  await page.getByRole('button', { name: 'Start' }).click();
  await send('between us');
  await page.locator('.header-menu:not(.day-jump) summary').click();
  await page.getByRole('button', { name: 'Hidden' }).click();
  await page.goto(`${hearth.url}/groups`);
  assert.equal(await page.locator('#my-directs li').count(), 0);
  await page.locator('.plain-links a', { hasText: 'Ada' }).click();
  await page.getByText('between us').waitFor();
});

test('what is typed into one form is there again after another one was sent, but nothing that confirms', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada');
  const line = page.getByLabel('A line about you');
  await page.goto(`${hearth.url}/account`);
  await line.fill('first try');
  await page.getByLabel('Name to sign in with').fill('!');
  await page.getByRole('button', { name: 'Change the name' }).click();
  await page.getByText('A name has').first().waitFor();
  assert.equal(await line.inputValue(), 'first try', 'on the refused page');
  await line.fill('saved');
  await line.press('Enter');
  await page.getByText('Your changes are saved').waitFor();
  await page.goto(`${hearth.url}/account`);
  assert.equal(await line.inputValue(), 'saved');

  await page.goto(`${hearth.url}/groups`);
  await page.locator('input[name="name"]').last().fill('Shed');
  await page.getByRole('button', { name: 'Make the group' }).click();
  await page.waitForURL(/\/groups\/\d+$/);
  await page.goto(`${page.url()}/settings`);
  const confirmation = page.locator('input[name="confirmation"]');
  await page.locator('details', { has: confirmation }).locator('summary').click();
  await confirmation.fill('Shed');
  await page.locator('input[name="topic"]').fill('Tools');
  await page.locator('input[name="topic"]').press('Enter');
  await page.getByText('Your changes are saved').waitFor();
  assert.equal(await confirmation.inputValue(), '');
});
