/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { startHearth } from '../support/hearth.ts';

test('reply, react, edit with Up, and remove, each seen at once by the other', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina', {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await joinGroup(ada.page, 'General');
  await joinGroup(mina.page, 'General');
  await say(ada.page, 'Can **someone** open the shed, @Mina?');
  await mina.page.locator('#message-1.calls-me strong').waitFor();

  await mina.page.locator('#message-1 .more').click();
  await mina.page.locator('#sheet .quick-reactions button').first().click();
  await ada.page.locator('#message-1 .reaction:not(.is-mine)').waitFor();
  await ada.page.locator('#message-1 .reaction').click();
  await ada.page.locator('#message-1 .reaction.is-mine', { hasText: '2' }).waitFor();
  await mina.page.locator('#message-1 .more').click();
  await mina.page.getByRole('button', { name: 'More emoji' }).click();
  await mina.page.locator('emoji-picker').locator('button.emoji').nth(3).click();
  await ada.page.locator('#message-1 .reaction').nth(1).waitFor();

  await mina.page.locator('#message-1 .more').click();
  await mina.page.locator('#sheet [data-reply]').click();
  await mina.page.getByText('Replying to Ada').waitFor();
  await mina.page.locator('#content').fill('I have the kye');
  await mina.page.getByRole('button', { name: 'Send' }).click();
  await ada.page.locator('#message-2 .quote', { hasText: 'Can someone' }).waitFor();

  await mina.page.locator('#content').press('ArrowUp');
  await mina.page.waitForFunction(() => document.querySelector('textarea')?.value === 'I have the kye');
  await mina.page.locator('#content').fill('I have the key');
  await mina.page.getByRole('button', { name: 'Save' }).click();
  await ada.page.locator('#message-2', { hasText: 'I have the key' }).locator('.edited').waitFor();
  await mina.page.getByText('Editing your message').waitFor({ state: 'hidden' });

  // What was typed before an edit comes back after it.
  await ada.page.locator('#content').fill('a draft');
  await ada.page.locator('#message-1').hover();
  await ada.page.locator('#message-1 [data-action="edit"]').click();
  await ada.page.waitForFunction(() => /open the shed/.test(document.querySelector('textarea')?.value ?? ''));
  await ada.page.keyboard.press('Escape');
  await ada.page.waitForFunction(() => document.querySelector('textarea')?.value === 'a draft');
  await ada.page.locator('#content').fill('');

  await ada.page.goto(`${hearth.url}/groups/1/threads/1`);
  await ada.page.getByRole('heading', { name: 'Thread' }).waitFor();
  await say(ada.page, 'in the thread');
  await ada.page.locator('#message-3[data-thread="1"]').waitFor();
  await mina.page.locator('#message-3 .quote').waitFor();
  await say(mina.page, 'beside it');
  await mina.page.getByRole('button', { name: 'Send' }).click();
  await mina.page.locator('#message-4').waitFor();
  assert.equal(await ada.page.locator('#message-4').count(), 0, 'a thread shows its own messages');

  await ada.page.locator('#message-1').hover();
  await ada.page.locator('#message-1 [data-action="more"]').click();
  await ada.page.getByRole('button', { name: 'Remove' }).click();
  await ada.page.locator('.question').getByRole('button', { name: 'Remove' }).click();
  await mina.page.locator('#message-1', { hasText: 'This message was removed.' }).waitFor();
  await mina.page.locator('#message-2 .quote', { hasText: 'This message was removed.' }).waitFor();
  assert.deepEqual([ada.complaints, mina.complaints], [[], []]);
});

test('names and emoji are completed, and the picker reacts', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  await personAt(browser, hearth.url, 'Mina').then(({ page }) => joinGroup(page, 'General'));
  const { page, complaints } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  const field = page.locator('#content');
  await field.pressSequentially('hello @mi');
  await page.getByRole('option', { name: 'Mina' }).waitFor();
  await field.press('Tab');
  await field.pressSequentially('see :seedl');
  await page.getByRole('option', { name: /seedling/ }).waitFor();
  await field.press('Enter');
  assert.equal(await field.inputValue(), 'hello @Mina see 🌱 ');
  await field.press('Enter');
  await page.locator('#message-1 .mention').waitFor();
  await page.locator('#message-1').hover();
  await page.locator('#message-1 [data-action="react"]').click();
  await page.locator('emoji-picker [role="menuitem"]').first().click();
  await page.locator('#message-1 .reaction.is-mine').waitFor();
  await page.locator('#message-1').hover();
  await page.locator('#message-1 [data-action="react"]').click();
  const search = page.locator('emoji-picker input[type="search"]');
  await search.fill('rocket');
  await page.locator('#message-1 [data-action="react"]').click();
  await page.locator('#picker').waitFor({ state: 'hidden' });
  await page.locator('#message-1 [data-action="react"]').click();
  await page.locator('#picker:popover-open').waitFor();
  assert.equal(await search.inputValue(), '', 'what was searched for before is gone');
  const isUntouched = await page.evaluate(() => /native code/.test(String(Element.prototype.setAttribute)));
  assert.ok(isUntouched, 'the picker changes nothing for the rest of the page');
  assert.deepEqual(complaints, []);
});

test('a press on a reaction asks for what it shows: sent twice, it is done once', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  await say(page, 'first');
  const react = page.waitForRequest('**/reactions');
  await page.locator('#message-1').hover();
  await page.locator('#message-1 [data-action="more"]').click();
  await page.getByRole('button', { name: 'React with 👍' }).click();
  const pill = page.locator('#message-1 .reaction.is-mine');
  await pill.waitFor();
  // The same request once more, as after an answer that was lost.
  const again = async (form: string) =>
    page.request.post(`${hearth.url}/groups/1/messages/1/reactions`, {
      data: form,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: hearth.url },
    });
  await again((await react).postData() ?? '');
  await page.reload();
  assert.equal(await pill.count(), 1);
  const remove = page.waitForRequest('**/reactions');
  await pill.click();
  await pill.waitFor({ state: 'detached' });
  await again((await remove).postData() ?? '');
  await page.reload();
  assert.equal(await page.locator('#message-1 .reaction').count(), 0);
});

test('with JavaScript off every act has its form', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada', { javaScriptEnabled: false });
  await page.getByRole('button', { name: 'Join General' }).click();
  const write = async (text: string) => {
    await page.locator('#content').fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
  };
  await write('first');
  const open = async (seq: number) => {
    await page.locator(`#message-${seq}`).hover();
    await page.locator(`#message-${seq} .more`).click();
  };
  await open(1);
  await page.getByRole('button', { name: 'React with 👍' }).click();
  await page.locator('#message-1 .reaction').click();
  assert.equal(await page.locator('#message-1 .reaction').count(), 0, 'pressed again it is taken back');
  await open(1);
  await page.getByRole('link', { name: 'Reply' }).click();
  await page.getByText('Replying to Ada').waitFor();
  await write('second');
  await page.locator('#message-2 .quote').waitFor();
  await open(2);
  await page.locator('#edit-content').fill('the second');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('#message-2').getByRole('link', { name: 'edited' }).click();
  await page.getByText('Earlier versions').waitFor();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.locator('#message-2', { hasText: 'This message was removed.' }).waitFor();
  await page.getByRole('link', { name: '1 reply' }).click();
  await page.getByRole('heading', { name: 'Thread' }).waitFor();
});
