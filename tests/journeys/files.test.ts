/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { startHearth, temporaryFolder } from '../support/hearth.ts';

const PICTURE = await sharp({ create: { width: 900, height: 600, channels: 3, background: '#395' } })
  .png()
  .toBuffer();

test('files: chosen, dropped and pasted, with progress and cancel, then seen, opened and downloaded', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina', { viewport: { width: 390, height: 844 } });
  await joinGroup(ada.page, 'General');
  await joinGroup(mina.page, 'General');

  // So slow that its progress can be seen, then cancelled; the other one arrives.
  const network = await ada.context.newCDPSession(ada.page);
  const slow = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 600_000 };
  await network.send('Network.emulateNetworkConditions', slow);
  const input = ada.page.locator('input[type="file"]');
  await input.setInputFiles([
    { name: 'huge.bin', mimeType: 'application/octet-stream', buffer: randomBytes(12_000_000) },
    { name: 'garden.png', mimeType: 'image/png', buffer: PICTURE },
  ]);
  const huge = ada.page.locator('.chosen', { hasText: 'huge.bin' });
  await huge.locator('[data-state]', { hasText: '%' }).waitFor();
  assert.ok(
    Number(await huge.locator('progress').evaluate((bar) => (bar as HTMLProgressElement).value)) < 100,
  );
  await ada.page.getByRole('button', { name: 'Cancel huge.bin' }).click();
  await huge.waitFor({ state: 'detached' });
  await network.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });
  await ada.page.locator('.chosen[data-file]', { hasText: 'garden.png' }).waitFor();

  // Dropped onto the conversation, and pasted into the field.
  await ada.page.evaluate(() => {
    const dropped = new DataTransfer();
    dropped.items.add(new File(['milk, bread'], 'list.txt', { type: 'text/plain' }));
    const main = document.querySelector('main') as HTMLElement;
    main.dispatchEvent(new DragEvent('dragover', { dataTransfer: dropped, bubbles: true }));
    if (!main.matches('.is-dropping')) throw new Error('the page does not say that it takes files');
    main.dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true }));
    const pasted = new DataTransfer();
    pasted.items.add(new File(['second'], 'pasted.txt', { type: 'text/plain' }));
    const field = document.querySelector('textarea') as HTMLElement;
    field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: pasted, bubbles: true }));
  });
  await ada.page.locator('.chosen[data-file]').nth(2).waitFor();
  await ada.page.getByRole('button', { name: 'Remove pasted.txt' }).click();
  await say(ada.page, 'The bed and the list');

  const message = mina.page.locator('#message-1');
  const picture = message.locator('.file-picture img');
  await picture.waitFor();
  const before = await message.boundingBox();
  await mina.page.waitForFunction(
    () => document.querySelector<HTMLImageElement>('.file-picture img')?.complete,
  );
  assert.deepEqual(await message.boundingBox(), before, 'nothing moves when the picture comes in');
  assert.equal(await message.locator('.file-card .file-name').innerText(), 'list.txt');
  assert.equal(await ada.page.locator('.chosen').count(), 0);

  await picture.click();
  const large = mina.page.locator('#lightbox img');
  await mina.page.waitForFunction(
    () => document.querySelector<HTMLImageElement>('#lightbox img')?.naturalWidth === 900,
  );
  assert.equal(await large.getAttribute('alt'), 'garden.png');
  await mina.page.keyboard.press('Escape');
  await mina.page.locator('#lightbox').waitFor({ state: 'hidden' });
  const [download] = await Promise.all([
    mina.page.waitForEvent('download'),
    message.locator('.file-card').click(),
  ]);
  assert.equal(download.suggestedFilename(), 'list.txt');

  // Sent while it is still coming in: the message waits for it. A line that is back takes along what it had lost.
  await network.send('Network.emulateNetworkConditions', slow);
  await input.setInputFiles([
    { name: 'later.bin', mimeType: 'application/x-any', buffer: randomBytes(900_000) },
  ]);
  await say(ada.page, 'goes out with its file');
  await ada.page.getByText('Goes out as soon as the files have arrived.').waitFor();
  await mina.page.locator('#message-2 .file-name', { hasText: 'later.bin' }).waitFor();
  await input.setInputFiles([
    { name: 'lost.bin', mimeType: 'application/x-any', buffer: randomBytes(2_000_000) },
  ]);
  await ada.page.locator('.chosen [data-state]', { hasText: '%' }).waitFor();
  await network.send('Network.emulateNetworkConditions', { ...slow, offline: true });
  await ada.page.getByText('The connection was lost.').waitFor();
  await network.send('Network.emulateNetworkConditions', { ...slow, uploadThroughput: -1 });
  await ada.page.locator('.chosen[data-file]', { hasText: 'lost.bin' }).waitFor();
  assert.deepEqual([...ada.complaints, ...mina.complaints], []);
});

test('an upload whose own connection breaks goes on by itself, though the page was never without one', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  await page.route('**/groups/1/files?*', (route) => route.abort('connectionreset'), { times: 1 });
  await page
    .locator('.clip input[type="file"]')
    .setInputFiles([{ name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('milk') }]);
  await page.getByText('The connection was lost.').waitFor();
  await page.locator('.chosen[data-file]', { hasText: 'list.txt' }).waitFor();
});

test('without JavaScript a form sends files, and shows them', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada', { javaScriptEnabled: false });
  await joinGroup(page, 'General');
  await page.getByLabel('Add files').setInputFiles([
    { name: 'garden.png', mimeType: 'image/png', buffer: PICTURE },
    { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('milk') },
  ]);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('#message-1 .file-card').waitFor();
  assert.equal(
    await page.locator('#message-1 .file-picture img').evaluate((picture) => picture.getAttribute('width')),
    '420',
  );
});

test('a picture that nobody here can look into goes out as it is only when its sender says so', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, complaints } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  const buffer = readFileSync(new URL('../files/pictures/fake.heic', import.meta.url));
  await page
    .locator('input[type="file"]')
    .setInputFiles({ name: 'phone.heic', mimeType: 'image/heic', buffer });
  const chosen = page.locator('.chosen', { hasText: 'phone.heic' });
  await chosen.getByText('may say where it was taken').waitFor();
  assert.ok(await chosen.getByRole('button', { name: 'Try again' }).isHidden());
  await chosen.getByRole('button', { name: 'Send it anyway' }).click();
  await page.locator('.chosen[data-file]').waitFor();
  await page.getByRole('button', { name: 'Send' }).click();
  await page.locator('.file-card', { hasText: 'phone.heic' }).waitFor();
  assert.deepEqual(complaints, []);

  const plain = await browser.newContext({
    javaScriptEnabled: false,
    storageState: await page.context().storageState(),
  });
  const form = await plain.newPage();
  await form.goto(`${hearth.url}/groups/1`);
  await form.locator('#content').fill('from my phone');
  const input = form.locator('input[type="file"]');
  await input.setInputFiles({ name: 'second.heic', mimeType: 'image/heic', buffer });
  await form.getByRole('button', { name: 'Send' }).click();
  await form.getByText('may say where it was taken').waitFor();
  assert.equal(await form.locator('#content').inputValue(), 'from my phone');
  await input.setInputFiles({ name: 'second.heic', mimeType: 'image/heic', buffer });
  await form.getByRole('button', { name: 'send it anyway' }).click();
  await form.locator('.file-card', { hasText: 'second.heic' }).waitFor();
});

test('a message that waits for its file goes out with it; an edit that has begun meanwhile stays open', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  await say(page, 'already sent');
  await page.locator('#message-1').waitFor();
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route('**/groups/1/files?*', async (route) => {
    await released;
    await route.continue();
  });
  await page.locator('.clip input[type="file"]').setInputFiles({
    name: 'notes.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('notes'),
  });
  await page.locator('#content').press('Enter');
  await page.getByText('Goes out as soon as the files have arrived.').waitFor();
  await page.locator('#content').press('ArrowUp');
  await page.getByText('Editing your message').waitFor();
  await page.locator('#content').fill('half an edit');
  release();
  await page.locator('#message-2 .files', { hasText: 'notes.txt' }).waitFor();
  assert.equal(await page.locator('#message-2', { hasText: 'half an edit' }).count(), 0);
  assert.ok(await page.getByText('Editing your message').isVisible());
  assert.equal(await page.locator('#content').inputValue(), 'half an edit');
  await page.locator('#content').press('Enter');
  await page.locator('#message-1', { hasText: 'half an edit' }).waitFor();
});

test('a folder is refused in a sentence, and leaving asks about a file that waits for the network', async (t) => {
  const { url } = await startHearth(t);
  const { page, context } = await personAt(await openBrowser(t), url, 'ada');
  await joinGroup(page, 'General');
  const folder = join(temporaryFolder(t), 'Holiday');
  mkdirSync(folder);
  const cdp = await context.newCDPSession(page);
  const data = { items: [], files: [folder], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await cdp.send('Input.dispatchDragEvent', { type, x: 700, y: 400, data });
  await page.getByText('A folder cannot be sent. Choose the files in it.').waitFor();
  assert.equal(await page.locator('.chosen').count(), 0);
  await page.route('**/groups/1/files?*', (route) => route.abort('connectionreset'));
  const plan = { name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('a plan') };
  await page.locator('.clip input[type="file"]').setInputFiles([plan]);
  await page.getByText('The connection was lost.').waitFor();
  const asked = new Promise<void>((resolve) => {
    page.once('dialog', async (dialog) => {
      await dialog.dismiss();
      resolve();
    });
  });
  await page.getByRole('link', { name: 'Saved' }).click();
  await asked;
  assert.equal(await page.locator('.chosen').count(), 1, 'it is still there');
});

test('a file arrives whose first answer was lost, though there is room for it once only', async (t) => {
  const hearth = await startHearth(t, { env: { PERSON_LIMIT_MB: '3' } });
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  let tries = 0;
  await page.route('**/groups/1/files?*', async (route) => {
    tries += 1;
    if (tries > 1) return route.continue();
    await route.fetch();
    await route.abort('connectionreset');
  });
  const file = { name: 'plan.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(2_000_000) };
  await page.locator('.clip input[type="file"]').setInputFiles(file);
  await page.locator('.chosen[data-file]', { hasText: 'plan.bin' }).waitFor();
  assert.equal(tries, 2);
});
