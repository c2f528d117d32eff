/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, PHONE, personAt, say } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { SPOKEN } from '../support/speech.ts';
import { until } from '../support/until.ts';

test('on a desk a thread opens beside its conversation, live, and closes again', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'The shed needs paint' });
  await ada.post('/groups/1/messages', { content: 'Which colour?', replyTo: '1', thread: '1' });
  const browser = await openBrowser(t);
  const { page, complaints } = await personAt(browser, hearth.url, 'Bob');
  await joinGroup(page, 'General');

  await page.getByRole('link', { name: '1 reply' }).click();
  const frame = page.frameLocator('.beside iframe');
  await frame.getByText('Which colour?').waitFor();
  assert.ok(await page.locator('#messages').getByText('The shed needs paint').first().isVisible());
  assert.equal(await page.locator('.beside iframe').count(), 1);

  // It answers in the thread, and both sides are live.
  await frame.locator('#content').fill('Green');
  await frame.locator('#content').press('Enter');
  await page.locator('#messages').getByText('Green').waitFor();
  await ada.post('/groups/1/messages', { content: 'Like last year', replyTo: '1', thread: '1' });
  await frame.locator('#messages').getByText('Like last year').waitFor();
  await page.locator('#messages').getByText('Like last year').waitFor();
  const announced = '[data-new-messages] p';
  assert.deepEqual(await frame.locator(announced).allTextContents(), ['ada: Like last year']);
  assert.deepEqual(await page.locator(announced).allTextContents(), [], 'once is enough');
  await say(page, 'beside the thread');
  await page.locator('#messages').getByText('beside the thread').waitFor();
  assert.equal(await frame.getByText('beside the thread').count(), 0);

  // A reload shows the same thread; following it stays within the frame.
  await page.reload();
  await frame.getByRole('button', { name: 'Unfollow' }).click();
  await frame.getByRole('button', { name: 'Follow', exact: true }).waitFor();
  assert.equal(await frame.locator('.sidebar').count(), 0);

  // Escape closes it, and the focus is where it was opened from.
  await frame.getByRole('button', { name: 'Close the thread' }).click();
  assert.equal(await page.locator('.beside').count(), 0);
  assert.doesNotMatch(page.url(), /thread=/);
  await page.getByRole('link', { name: '3 replies' }).click();
  await frame.locator('#content').press('ArrowUp');
  await frame.getByText('Editing your message').waitFor();
  await frame.locator('#content').press('Escape');
  await frame.getByText('Editing your message').waitFor({ state: 'hidden' });
  assert.equal(await page.locator('.beside').count(), 1, 'the edit is left, not the thread');
  await frame.locator('#content').press('Escape');
  await page.locator('.beside').waitFor({ state: 'detached' });
  assert.match(await page.evaluate(() => document.activeElement?.className ?? ''), /thread-link/);

  // A file that is on its way goes with it only where that is wanted.
  await page.getByRole('link', { name: '3 replies' }).click();
  await frame.locator('#content').waitFor();
  const network = await page.context().newCDPSession(page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 100_000 };
  await network.send('Network.emulateNetworkConditions', slow);
  const plan = { name: 'plan.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(4_000_000) };
  await frame.locator('input[type="file"]').first().setInputFiles(plan);
  await frame.locator('.chosen').waitFor();
  await frame.getByRole('button', { name: 'Close the thread' }).click();
  await page.getByText('A file in the thread is still on its way').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await frame.locator('.chosen').count(), 1);
  await frame.getByRole('button', { name: 'Close the thread' }).click();
  await page.getByRole('button', { name: 'Drop the file' }).click();
  await page.locator('.beside').waitFor({ state: 'detached' });
  await network.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });

  // A link within it leads the whole page there.
  await page.getByRole('link', { name: '3 replies' }).click();
  await frame.getByRole('link', { name: 'ada', exact: true }).first().click();
  await page.waitForURL('**/people/*');
  assert.equal(await page.locator('.beside').count(), 0);
  assert.deepEqual(complaints, []);
});

test('a thread with a recording under way stays until that is sent or discarded', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (const content of ['The shed needs paint', 'Which colour?'])
    await ada.post('/groups/1/messages', {
      content,
      ...(content.endsWith('?') && { replyTo: '1', thread: '1' }),
    });
  const browser = await openBrowser(t, SPOKEN);
  const { page } = await personAt(browser, hearth.url, 'Bob');
  await joinGroup(page, 'General');
  await page.getByRole('link', { name: '1 reply' }).click();
  const frame = page.frameLocator('.beside iframe');
  await frame.locator('[data-record]').click();
  await frame.locator('[data-recorder]').waitFor();
  await frame.getByRole('button', { name: 'Close the thread' }).click();
  await page.getByRole('link', { name: '1 reply' }).click();
  assert.ok(await frame.locator('[data-recorder]').isVisible());
  await frame.getByRole('button', { name: 'Discard the recording' }).click();
  await frame.locator('[data-recorder]').waitFor({ state: 'hidden' });
  await frame.getByRole('button', { name: 'Close the thread' }).click();
  await page.locator('.beside').waitFor({ state: 'detached' });
});

test('whoever is signed out meanwhile is asked to sign in by the whole page', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'The shed needs paint' });
  await ada.post('/groups/1/messages', { content: 'Which colour?', replyTo: '1', thread: '1' });
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, hearth.url, 'Bob');
  await joinGroup(page, 'General');
  await context.clearCookies();
  await page.getByRole('link', { name: '1 reply' }).click();
  await page.waitForURL('**/login*');
});

test('on a phone a thread is a page of its own, and no other site can frame it', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'The shed needs paint' });
  await ada.post('/groups/1/messages', { content: 'Which colour?', replyTo: '1', thread: '1' });
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Bob', PHONE);
  await joinGroup(page, 'General');
  await page.getByRole('link', { name: '1 reply' }).click();
  await page.waitForURL('**/groups/1/threads/1');

  const policy = async (path: string) => String((await ada.get(path)).headers['content-security-policy']);
  assert.match(await policy('/groups/1/threads/1?beside='), /frame-ancestors 'self'/);
  for (const path of ['/groups/1/threads/1', '/groups/1', '/account'])
    assert.match(await policy(path), /frame-ancestors 'none'/);
});

test('the focus goes to what was found, on the page of hits and at the message', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'The shed needs paint' });
  await ada.post('/groups/1/messages', { content: 'Which colour?' });
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Bob');
  await joinGroup(page, 'General');
  const focused = () =>
    page.evaluate(() => document.activeElement?.closest('.hit, .message')?.textContent ?? '');
  await until(async () => /class="hit"/.test((await ada.get('/search?q=paint')).body), 'it is indexed');

  await page.locator('#search').fill('paint');
  await page.locator('#search').press('Enter');
  await page.getByText('1 message, newest first').waitFor();
  assert.match(await focused(), /The shed needs/);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/groups/1?around=1#message-1');
  await page.locator('#message-1').waitFor();
  assert.match(await focused(), /The shed needs/);
});

test('times are shown to the minute, their seconds on hover, or always for those who want it so', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'The shed needs paint' });
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Bob', { locale: 'de-DE' });
  await joinGroup(page, 'General');
  const time = page.locator('#message-1 .permalink time');
  // The pointer may have come to lie on it, where the button was.
  await page.mouse.move(0, 0);
  assert.match(await time.innerText(), /^\d{1,2}:\d{2}$/);
  await time.hover();
  assert.match(await time.innerText(), /^\d{1,2}:\d{2}:\d{2}$/);

  await page.goto(`${hearth.url}/account`);
  await page.getByLabel('Always show the seconds').check();
  await page.locator('form[action="/account/times"] button').click();
  await page.goto(`${hearth.url}/groups/1`);
  await page.locator('#content').hover();
  assert.match(await time.innerText(), /^\d{1,2}:\d{2}:\d{2}$/);
});
