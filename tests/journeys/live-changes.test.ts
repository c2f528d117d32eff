/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { joinGroup, openBrowser, personAt, say, spoken } from '../support/browser.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { runSql } from '../support/rows.ts';

// What others do while somebody reads.

const topOf = (page: Page, seq: number) =>
  page.locator(`#message-${seq}`).evaluate((message) => Math.round(message.getBoundingClientRect().top));

test('what is being read stays where it is, whatever changes above it and below', async (t) => {
  const { url } = await startHearth(t);
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 50; number++)
    await bob.post('/groups/1/messages', { content: `message ${number}` });
  const { page } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await page.goto(`${url}/groups/1?newest=`);
  await page.locator('#message-35').evaluate((message) => message.scrollIntoView({ block: 'center' }));
  const top = await topOf(page, 35);
  await bob.post('/groups/1/messages/10/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-10 .reaction').waitFor();
  assert.equal(await topOf(page, 35), top, 'a reaction above');
  await bob.post('/groups/1/messages/15/edit', { content: 'line\n'.repeat(10) });
  await page.locator('#message-15 .edited').waitFor();
  assert.equal(await topOf(page, 35), top, 'an edit above');
  await bob.post('/groups/1/messages/48/edit', { content: 'line\n'.repeat(10) });
  await page.locator('#message-48 .edited').waitFor();
  assert.equal(await topOf(page, 35), top, 'an edit below');
  await bob.post('/groups/1/messages', { content: 'a new one' });
  await page.locator('#message-51').waitFor();
  assert.equal(await topOf(page, 35), top, 'a new message');
  await page.getByRole('button', { name: 'New messages' }).waitFor();
});

test('what is no longer kept goes from an open page, with the quotes of it and the reply to it', async (t) => {
  const hearth = await startHearth(t);
  const author = await newPerson(hearth.url, 'bob', 1);
  const reply = (content: string, replyTo: string) => author.post('/groups/1/messages', { content, replyTo });
  await author.post('/groups/1/messages', { content: 'a root' });
  await reply('a canary', '1');
  await reply('about the canary', '2');
  await reply('about the root', '1');
  await hearth.stop();
  const old = Date.now() - 40 * 86_400_000;
  await runSql(hearth.dataDir, 'chat', `UPDATE messages SET created_at = ${old} + seq WHERE seq <= 2`);
  const { url } = await startHearth(t, { dataDir: hearth.dataDir });
  const bob = new Visitor(url);
  await bob.post('/login', { username: 'bob', password: PASSWORD });
  const { page } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await page.goto(`${url}/groups/1?reply=2`);
  await page.locator('#message-3 .quote').waitFor();
  await page.getByText('Replying to').waitFor();
  assert.equal(await page.locator('[data-day]').count(), 2);
  await bob.post('/admin/space/keep', { keepDays: '30', keepMegabytes: '' });
  await bob.post('/admin/space/purge', {});
  await page.locator('#message-2').waitFor({ state: 'detached' });
  await page.getByText('The message that you answer was removed. Your words are still here.').waitFor();
  assert.doesNotMatch(await page.locator('main').innerText(), /a canary|Replying/);
  assert.match(await page.locator('#message-4 .quote').innerText(), /a root/, 'it is kept with its thread');
  assert.equal(await page.locator('[data-day]').count(), 1, 'that of a day that is gone goes, too');
  await page.reload();
  assert.match(await page.locator('#message-4 .quote').innerText(), /a root/);
});

test('a hidden group stays in the list while it is open, and is not listed where it is not', async (t) => {
  const { url } = await startHearth(t);
  const bob = await newPerson(url, 'bob', 1);
  const { location: other } = await bob.post('/groups', { name: 'Other' });
  const { page } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'Other');
  await page.goto(`${url}/groups`);
  await joinGroup(page, 'General');
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(`${url}/saved`);
  const rows = [page, elsewhere].map((tab) => tab.locator('#group-1'));
  for (const row of rows) await row.waitFor();
  await page.getByLabel(/^Notifications of this conversation/).click();
  await page.getByRole('button', { name: 'Hidden' }).click();
  await page.getByLabel('Notifications of this conversation: hidden').waitFor();
  await bob.post('/groups/1/messages', { content: 'a quiet one' });
  await rows[1]?.waitFor({ state: 'detached' });
  // It comes by the same socket, after what would take the row away.
  await bob.post(`${other}/messages`, { content: 'elsewhere' });
  await page.locator(`[data-group-id="${other.split('/').at(-1)}"][data-unread="1"]`).waitFor();
  assert.equal(await rows[0]?.count(), 1);
});

test('in a thread a reply stands under its author, and an old one that changes is not new', async (t) => {
  const { url } = await startHearth(t);
  const ann = await newPerson(url, 'ann', 1);
  const bob = await newPerson(url, 'bob', 1);
  await ann.post('/groups/1/messages', { content: 'The first' });
  for (let number = 1; number <= 205; number++)
    await ann.post('/groups/1/messages', { content: `reply ${number}`, replyTo: '1', thread: '1' });
  const { page, context } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await page.goto(`${url}/groups/1/threads/1`);
  await page.locator('#message-206').waitFor();
  await bob.post('/groups/1/messages', { content: 'elsewhere' });
  await bob.post('/groups/1/messages', { content: 'here', replyTo: '1', thread: '1' });
  const reply = page.locator('#message-208');
  await reply.waitFor();
  const isContinued = (seq: number) =>
    page.locator(`#message-${seq}`).evaluate((message) => message.classList.contains('is-continued'));
  assert.equal(await isContinued(208), false, 'the message before it is elsewhere');
  await ann.post('/groups/1/messages/208/reactions', { emoji: '👍', on: 'yes' });
  await reply.locator('.reaction').waitFor();
  assert.equal(await isContinued(208), false);
  await bob.post('/groups/1/messages', { content: 'and more', replyTo: '1', thread: '1' });
  await page.locator('#message-209').waitFor();
  assert.equal(await isContinued(209), true);

  // What changed last comes last: a reply that came meanwhile may come after what was written after it.
  await context.setOffline(true);
  await page.locator('#network-line').waitFor();
  await bob.post('/groups/1/messages', { content: 'meanwhile', replyTo: '1', thread: '1' });
  await bob.post('/groups/1/messages', { content: 'elsewhere' });
  await ann.post('/groups/1/messages/210/reactions', { emoji: '👍', on: 'yes' });
  await context.setOffline(false);
  await page.locator('#message-210 .reaction').waitFor();

  await bob.post('/groups/1/messages/3/reactions', { emoji: '👍', on: 'yes' });
  await bob.post('/groups/1/messages', { content: 'the last', replyTo: '1', thread: '1' });
  await page.locator('#message-212').waitFor();
  assert.equal(await page.locator('#message-3').count(), 0, 'it is older than what is shown');

  await page.goto(`${url}/groups/1?around=30`);
  await page.locator('[data-scroller]').evaluate((scroller) => scroller.scrollBy(0, -200));
  await bob.post('/groups/1/messages/205/reactions', { emoji: '👍', on: 'yes' });
  await bob.post('/groups/1/messages/30/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-30 .reaction').waitFor();
  assert.equal(await page.getByRole('button', { name: 'New messages' }).count(), 0);
  await bob.post('/groups/1/messages', { content: 'really new' });
  await page.getByRole('button', { name: 'New messages' }).waitFor();
});

test('a sound goes on when somebody reacts to it', async (t) => {
  const { url } = await startHearth(t);
  const bob = await newPerson(url, 'bob', 1);
  await bob.upload('/groups/1/messages', [{ name: 'song.wav', type: 'audio/wav', bytes: silence(20) }], {
    content: 'a song',
  });
  const { page } = await personAt(
    await openBrowser(t, ['--autoplay-policy=no-user-gesture-required']),
    url,
    'ada',
  );
  await joinGroup(page, 'General');
  const audio = page.locator('#message-1 audio');
  await audio.evaluate((element) => (element as HTMLAudioElement).play());
  const state = () =>
    audio.evaluate((element) => {
      const { paused, currentTime } = element as HTMLAudioElement;
      return { paused, currentTime };
    });
  await page.waitForFunction(() => (document.querySelector('audio')?.currentTime ?? 0) > 0.5);
  await bob.post('/groups/1/messages/1/reactions', { emoji: '👍', on: 'yes' });
  await page.locator('#message-1 .reaction').waitFor();
  await page.waitForTimeout(300);
  const { paused, currentTime } = await state();
  assert.deepEqual([paused, currentTime > 0.5], [false, true]);
});

test('what was written in a thread that is closed before it went out goes out from the conversation', async (t) => {
  const hearth = await startHearthProcess(t);
  const { page } = await personAt(await openBrowser(t), hearth.url, 'ada');
  await joinGroup(page, 'General');
  await say(page, 'The first');
  await page.locator('#message-1').waitFor();
  await page.goto(`${hearth.url}/groups/1?thread=1`);
  const frame = page.frameLocator('.beside iframe');
  await frame.locator('#content').waitFor();
  await hearth.kill();
  await frame.locator('#content').fill('my answer');
  await frame.locator('#content').press('Enter');
  await frame.locator('.is-pending').waitFor();
  await frame.getByRole('button', { name: 'Close the thread' }).click();
  await page.locator('.is-pending', { hasText: 'my answer' }).waitFor();
  const { port } = new URL(hearth.url);
  await startHearthProcess(t, { dataDir: hearth.dataDir, flags: ['--port', port] });
  await page.locator('#message-2', { hasText: 'my answer' }).waitFor();
  await say(page, 'something else');
  await page.locator('#message-3').waitFor();
  assert.deepEqual(await spoken(page), ['The first', 'my answer', 'something else']);
});

test('what somebody answers is removed: the answer is left, the words stay', async (t) => {
  const { url } = await startHearth(t);
  const bob = await newPerson(url, 'bob', 1);
  await bob.post('/groups/1/messages', { content: 'Come at six?' });
  const { page } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  await page.locator('#message-1').hover();
  await page.locator('#message-1').getByRole('button', { name: 'Reply' }).click();
  await page.getByText('Replying to').waitFor();
  await page.locator('#content').fill('Yes, gladly');
  await bob.post('/groups/1/messages/1/remove');
  await page.getByText('The message that you answer was removed.').waitFor();
  await page.getByText('Replying to').waitFor({ state: 'hidden' });
  await page.locator('#content').press('Enter');
  await page.locator('#message-2', { hasText: 'Yes, gladly' }).waitFor();
});

test('a group that one was removed from while offline is not in the list any more', async (t) => {
  const { url } = await startHearth(t);
  const owner = await newPerson(url, 'owner');
  const { location } = await owner.post('/groups', { name: 'Cellar' });
  const { page, context } = await personAt(await openBrowser(t), url, 'ada');
  await page.getByRole('button', { name: 'Join Cellar' }).click();
  await page.getByLabel('Message Cellar').waitFor();
  await page.goto(`${url}/groups`);
  const row = page.locator('.group-row', { hasText: 'Cellar' });
  await row.waitFor();
  await context.setOffline(true);
  await page.locator('#network-line').waitFor();
  await owner.post(`${location}/rules`, { access: 'closed', posting: 'members' });
  assert.equal((await owner.post(`${location}/remove-member`, { accountId: '2' })).status, 303);
  await context.setOffline(false);
  await row.waitFor({ state: 'detached' });
});

test('the emoji come also to a page from before an update, and after a press without a network', async (t) => {
  const hearth = await startHearth(t, { env: { ASSET_VERSION: 'before' } });
  const { page, context } = await personAt(await openBrowser(t), hearth.url, 'ada');
  await joinGroup(page, 'General');
  const button = page.locator('[data-emoji-button]');
  await say(page, 'a message with a bar');
  await page.locator('#messages .message').hover();
  await context.setOffline(true);
  await page.locator('[data-action="react"]').click();
  await page.getByText('The emoji could not be loaded').waitFor();
  await button.click();
  await page.getByText('The emoji could not be loaded').waitFor();
  await context.setOffline(false);
  await hearth.stop();
  const flags = ['--port', new URL(hearth.url).port];
  await startHearth(t, { dataDir: hearth.dataDir, flags, env: { ASSET_VERSION: 'after' } });
  await button.click();
  await page.locator('#picker emoji-picker').waitFor();
});

/** A WAV file of so many seconds. */
function silence(seconds: number): Buffer {
  const rate = 8_000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + rate * seconds, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(rate * seconds, 40);
  return Buffer.concat([head, Buffer.alloc(rate * seconds, 128)]);
}
