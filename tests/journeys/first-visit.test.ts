/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser, PHONE } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

const MAX_KILOBYTES = 120;
const MAX_REQUESTS = 20;

test('a first visit to a conversation takes few requests and little data, and then none for what is kept', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  for (let number = 0; number < 60; number++)
    await ada.post('/groups/1/messages', { content: `Message ${number} with **some** words and \`code\`` });
  const browser = await openBrowser(t);
  const context = await browser.newContext(PHONE);
  await context.addCookies([...ada.cookies].map(([name, value]) => ({ name, value, url: hearth.url })));
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  let requests = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests += 1;
  });
  await page.goto(`${hearth.url}/groups/1`);
  await page.locator('.has-script #message-60').waitFor();
  await page.waitForLoadState('networkidle');
  assert.ok(bytes / 1024 <= MAX_KILOBYTES, `${Math.round(bytes / 1024)} KB`);
  assert.ok(requests <= MAX_REQUESTS, `${requests} requests`);
});

test('files of text are compressed as the client takes them, and pages too, but not one that repeats its query', async (t) => {
  const hearth = await startHearth(t, { env: { ASSET_VERSION: 'pinned' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const encoding = async (path: string, accepted: string) =>
    (await ada.get(path, { 'accept-encoding': accepted })).headers['content-encoding'];
  const css = '/assets/pinned/css/main.css';
  assert.equal(await encoding(css, 'gzip, deflate, br'), 'br');
  assert.equal(await encoding(css, 'gzip, br;q=0'), 'gzip');
  assert.equal(await encoding(css, 'identity'), undefined);
  assert.doesNotMatch((await ada.get(css)).body, /@import/, 'in one piece');
  assert.equal(await encoding('/groups/1', 'gzip'), 'gzip');
  assert.equal(await encoding('/groups/1', ''), undefined);
  assert.equal(await encoding('/search?q=word', 'gzip'), undefined);
});
