/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { violationsOn } from '../support/axe.ts';
import { openBrowser } from '../support/browser.ts';
import { startHearth, startLessonProcess } from '../support/hearth.ts';

const lessonFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('hearth-lesson-'));

async function signIn(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${url}/login?next=/groups/1`);
  await page.getByLabel('Name').fill('lea');
  await page.getByLabel('Password', { exact: true }).fill('three-sunflowers');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL('**/groups/1');
  const field = page.getByRole('textbox', { name: /Message/ });
  await field.fill('a canary message');
  await field.press('Enter');
  await page.getByText('a canary message').last().waitFor();
  return page;
}

test('over HTTP the tap reads and changes everything; over HTTPS it reads nothing, and a change is noticed', async (t) => {
  const before = lessonFolders();
  const lesson = await startLessonProcess(t);
  const browser = await openBrowser(t);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  await page.goto(lesson.page);
  const overHttp = page.locator('[data-pane="http"]');
  const overHttps = page.locator('[data-pane="https"]');
  await overHttp.getByText('Nothing has gone by yet').waitFor();

  const plain = await signIn(context, lesson.http);
  await overHttp.getByText('The password, in the clear: three-sunflowers').waitFor();
  await overHttp.getByText('A message, in the clear: a canary message').waitFor();
  await overHttp.getByText('The session cookie, in the clear:').waitFor();
  await overHttp.getByRole('button', { name: 'Use it from another machine' }).click();
  await overHttp.getByText('The server takes another machine for lea').waitFor();
  await plain.getByText('At noon, at the fountain').waitFor();
  await overHttp.getByRole('button', { name: 'Change what goes by' }).click();
  await overHttp.getByRole('button', { name: 'Stop changing it' }).waitFor();
  await plain.reload();
  await plain.getByText('At nine, at the fountain').waitFor();
  await overHttp.getByText('The tap has changed a word, and nobody noticed').waitFor();

  await page.getByRole('button', { name: 'HTTPS', exact: true }).click();
  const sealed = await signIn(context, lesson.https);
  await overHttps
    .getByText(/handshake: ClientHello, for localhost/)
    .first()
    .waitFor();
  await overHttps
    .getByText(/application data: \d+ bytes, sealed/)
    .first()
    .waitFor();
  const seen = (await overHttps.locator('[data-packets]').textContent()) ?? '';
  for (const secret of ['three-sunflowers', 'canary', 'hearth=', 'lea', 'fountain'])
    assert.ok(!seen.includes(secret), secret);
  await overHttps.getByText(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/).waitFor();
  await overHttps.getByRole('button', { name: 'Use it from another machine' }).click();
  await overHttps.getByText('The tap has no cookie to use').waitFor();
  for (const { scheme, width } of [
    { scheme: 'light', width: 1280 },
    { scheme: 'dark', width: 390 },
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 844 });
    assert.deepEqual(await violationsOn(page), []);
    assert.ok(
      await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
      'nothing to the side',
    );
  }
  await overHttps.getByRole('button', { name: 'Change what goes by' }).click();
  await overHttps.getByRole('button', { name: 'Stop changing it' }).waitFor();
  await assert.rejects(sealed.reload({ timeout: 10_000 }), /ERR_SSL|ERR_CONNECTION|Timeout/);
  await overHttps.getByText('Your browser noticed that the seal does not fit').waitFor();
  assert.deepEqual(complaints, []);

  for (const [path, words] of [
    ['hand-out', 'Why is the cookie as good'],
    ['teachers', 'How it goes'],
  ]) {
    await page.goto(`${lesson.page}/${path}`);
    await page
      .getByText(words ?? '')
      .first()
      .waitFor();
  }
  const stranger = await fetch(`${lesson.page}/change`, {
    ...{
      method: 'POST',
      headers: { origin: 'https://evil.example' },
      body: new URLSearchParams({ lane: 'http', on: 'yes' }),
    },
  });
  assert.equal(stranger.status, 403, 'pages of others switch nothing');
  await lesson.stop();
  assert.deepEqual(lessonFolders(), before, 'everything is thrown away');
});

test('the lesson is on loopback only, and there is no tap without it', async (t) => {
  const refused = await startLessonProcess(t, ['--host', '0.0.0.0']).then(
    () => assert.fail('It started.'),
    (error: Error) => error.message,
  );
  assert.match(refused, /The lesson stays on this machine/);
  const hearth = await startHearth(t);
  const taken = await startLessonProcess(t, ['--port', new URL(hearth.url).port]).then(
    () => assert.fail('It started.'),
    (error: Error) => error.message,
  );
  assert.match(taken, /^Port \d+ is already in use; stop what uses it, or choose another with --port/m);
  assert.doesNotMatch(taken, /^\s+at /m, 'a sentence, and no stack');
  for (const path of ['/lesson', '/lesson/events'])
    assert.equal((await fetch(hearth.url + path)).status, 404);
});
