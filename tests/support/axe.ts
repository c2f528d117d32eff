/// <reference lib="dom" />
import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { joinGroup, openBrowser, personAt, recordFor, say } from './browser.ts';
import { type Ending, startHearth } from './hearth.ts';
import { recording, SPOKEN } from './speech.ts';

const PICTURE = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#395' } })
  .png()
  .toBuffer();

const PAGES = [
  '/groups',
  '/groups/1',
  '/groups/1?reply=1',
  '/groups/1/threads/1',
  '/groups/1/messages/1',
  '/groups/2',
  '/groups/1/members',
  '/groups/1/settings',
  '/groups/1/pins',
  '/groups/1/voice',
  '/search',
  '/search?q=message',
  '/search?q=has:nothing',
  '/threads',
  '/saved',
  '/direct',
  '/people/1',
  '/notifications',
  '/account',
  '/account/sessions',
  '/account/second-factor',
  '/account/delete',
  '/account/export',
  '/account/passkeys',
  '/account/face',
  '/account/tokens',
  '/groups/1/bots',
  '/admin/bots',
  '/admin/imports',
  '/invitations',
  '/invitations/1',
  '/inbox',
  '/admin',
  '/admin/people',
  '/admin/people/1',
  '/admin/groups',
  '/admin/log',
  '/reports',
  '/groups/1/messages/1/report',
  '/nowhere',
  '/offline',
];
const OUTSIDE = ['/deleted/nothing', '/trust', '/connection', '/forgot', '/login', '/register'];

/** Those whose answer may differ between light and dark. */
const RULES_OF_COLOUR = ['color-contrast', 'link-in-text-block'];

/** Opens every page, menu and state at a width, and asks axe about each of them, light and dark. */
export async function checkEveryPage(t: Ending, viewport: { width: number; height: number }): Promise<void> {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t, SPOKEN);
  const { page, context } = await personAt(browser, hearth.url, `person${viewport.width}`, { viewport });
  await joinGroup(page, 'General');
  await say(page, 'a message with a link to https://example.com');
  await say(page, `and a second one at ${viewport.width}`);
  await say(page, '> a quote\n\n```js\nconst a = "string"; // a comment\n```\n- `code`, @all now');
  const mention = page.locator('#messages .mention').first();
  // A worker that is slow to start leaves a text as it was typed until the page is asked for again.
  await mention.waitFor({ timeout: 10_000 }).catch(() => page.reload());
  await mention.waitFor();
  const visit = await page.request.post(`${hearth.url}/groups/1/messages/1/reactions`, {
    form: { emoji: '👍' },
    headers: { origin: hearth.url },
  });
  assert.ok(visit.ok());
  await page.locator('#messages .message', { hasText: `at ${viewport.width}` }).waitFor();
  await page.locator('input[type="file"]').setInputFiles([
    { name: 'garden.png', mimeType: 'image/png', buffer: PICTURE },
    { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('milk') },
    { name: 'song.wav', mimeType: 'audio/wav', buffer: Buffer.alloc(2_000) },
    { name: 'clip.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(2_000) },
  ]);
  await page.locator('.chosen[data-file]').nth(3).waitFor();
  await check(page);
  await say(page, 'with files');
  await page.locator('.file-video').first().waitFor();
  await page.request.post(`${hearth.url}/groups/1/messages/1/pin`, {
    form: { on: 'yes' },
    headers: { origin: hearth.url },
  });
  await page.request.post(`${hearth.url}/groups/1/messages/1/save`, {
    form: { on: 'yes' },
    headers: { origin: hearth.url },
  });
  const { name, type: mimeType, bytes: buffer } = recording('webm');
  await page.request.post(`${hearth.url}/groups/1/voice`, {
    multipart: { way: 'message', files: { name, mimeType, buffer } },
    headers: { origin: hearth.url },
  });
  await page.request.post(`${hearth.url}/invitations`, {
    form: { groups: '1' },
    headers: { origin: hearth.url },
  });
  await check(page);
  await page.locator('[data-transcript]').waitFor({ timeout: 100_000 });
  const visitor = await (await browser.newContext({ viewport })).newPage();
  for (const path of PAGES) await check(page, hearth.url + path);
  await page.goto(`${hearth.url}/groups/1`);
  await page.locator('#message-2 .more').focus();
  await page.keyboard.press('Enter');
  await page.locator('#sheet .sheet-actions').waitFor();
  await check(page);
  await page.keyboard.press('Escape');
  await page.getByText('Correct it').click();
  await page.getByLabel('Correct the transcript').waitFor();
  await check(page);
  await page.keyboard.press('Escape');
  await recordFor(page, 1);
  await page.getByRole('button', { name: 'Pause' }).click();
  await check(page);
  await page.getByRole('button', { name: 'Transcribe' }).click();
  await page.locator('.chosen.is-voice').waitFor();
  await check(page);
  await page.getByRole('button', { name: 'Remove the recording' }).click();
  await page.locator('.header-menu:not(.day-jump) summary').click();
  await check(page);
  await page.keyboard.press('Escape');
  await page.locator('.file-picture').first().click();
  await check(page);
  await page.keyboard.press('Escape');
  for (const path of OUTSIDE) await check(visitor, hearth.url + path);
  await visitor.getByLabel('Name').fill('x');
  await visitor.getByLabel('Password').fill('x');
  await visitor.locator('form').evaluate((form) => (form as HTMLFormElement).submit());
  await visitor.getByRole('alert').waitFor();
  await check(visitor);
  await context.close();
}

async function check(page: Page, url?: string): Promise<void> {
  if (url) await page.goto(url);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // The other rules do not look at colours: once is enough.
    const found = await violationsOn(page, colorScheme === 'dark' ? RULES_OF_COLOUR : undefined);
    assert.deepEqual(found, [], `${page.url()} in ${colorScheme}`);
  }
}

/**
 * What axe finds wrong on a page. It is loaded into each page once: that takes longer than most of its rules.
 * @param rules all of them where none are given
 */
export async function violationsOn(page: Page, rules?: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  const violations = await page.evaluate(
    async (options) => (await (window as unknown as { axe: typeof axe }).axe.run(options)).violations,
    { resultTypes: ['violations' as const], ...(rules && { runOnly: [...rules] }) },
  );
  return violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary}`).join(' | ')}`,
  );
}
