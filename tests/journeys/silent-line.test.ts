/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { pipeTo } from '../support/pipe.ts';

/** Two beats of 20 s that do not come, and the time to look for them and to connect anew. */
const NOTICED_WITHIN_MS = 70_000;

test('a line that goes silent without closing is noticed, and another one is taken', {
  // Nearly all of it is waiting, which the reader and the writer do at the same time.
  concurrency: true,
}, async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await newPerson(hearth.url, 'ada', 1);

  const readerPipe = await pipeTo(t, hearth.url);
  const reader = await personAt(browser, readerPipe.url, 'Reader');
  await joinGroup(reader.page, 'General');
  await say(reader.page, 'here');
  await reader.page.locator('#messages .message', { hasText: 'here' }).waitFor();

  const writerPipe = await pipeTo(t, hearth.url);
  const writer = await personAt(browser, writerPipe.url, 'Writer');
  await joinGroup(writer.page, 'General');
  await say(writer.page, 'before');
  await writer.page.locator('#messages .message', { hasText: 'before' }).waitFor();

  const reads = t.test('a reader sees that it reconnects, and then what was missed', async () => {
    readerPipe.silence();
    await ada.post('/groups/1/messages', { content: 'can you hear me?' });
    const missed = reader.page.locator('#messages .message', { hasText: 'can you hear me?' });
    assert.equal(await missed.count(), 0);
    await missed.waitFor({ timeout: NOTICED_WITHIN_MS });
    await reader.page.locator('#network-line').waitFor({ state: 'hidden' });
  });

  await t.test('what is written goes out by another line, once', async () => {
    writerPipe.silence();
    await say(writer.page, 'into the silence');
    await writer.page
      .locator('#messages .message', { hasText: 'into the silence' })
      .waitFor({ timeout: 30_000 });
    assert.equal(await writer.page.locator('.is-pending').count(), 0);
    const { body } = await ada.get('/groups/1');
    assert.equal(body.split('<p>into the silence').length, 2);
  });

  await t.test('an upload that was cut off goes on by itself', async () => {
    const { page } = writer;
    writerPipe.silence(true);
    const chosen = page.locator('.clip input[type="file"]');
    await chosen.setInputFiles({
      name: 'notes.txt',
      mimeType: 'text/plain',
      // More than the buffers of a line hold: what has left the browser is waited for longer.
      buffer: Buffer.alloc(24_000_000, 'a'),
    });
    await page.locator('.chosen progress').waitFor();
    await page.waitForTimeout(1_000);
    writerPipe.silence();
    await page
      .locator('.chosen[data-file]', { hasText: 'notes.txt' })
      .waitFor({ timeout: 2 * NOTICED_WITHIN_MS });
  });

  await reads;
});

test('a tab closed as soon as a message is shown does not lose it, even before it is stored', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { context, page } = await personAt(browser, hearth.url, 'ada');
  await joinGroup(page, 'General');
  // A disk that takes its time: the table answers nothing before the tab is closed.
  await page.evaluate(() => {
    IDBDatabase.prototype.transaction = () => {
      throw new DOMException('The browser has closed it.', 'InvalidStateError');
    };
    const open = IDBFactory.prototype.open;
    IDBFactory.prototype.open = function (...given) {
      const request = open.apply(this, given);
      request.addEventListener = () => {};
      return request;
    };
  });
  await context.setOffline(true);
  await page.getByRole('textbox', { name: /Message/ }).fill('written and gone');
  await page.keyboard.press('Enter');
  await page.locator('.message', { hasText: 'written and gone' }).waitFor();
  await page.close();
  await context.setOffline(false);
  const later = await context.newPage();
  await later.goto(`${hearth.url}/groups/1`);
  await later.locator('.message[data-seq]', { hasText: 'written and gone' }).waitFor();
  const joe = await newPerson(hearth.url, 'joe', 1);
  assert.equal((await joe.get('/groups/1')).body.split('written and gone').length, 2, 'once');
});
