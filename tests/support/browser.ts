import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after } from 'node:test';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { PASSWORD } from './client.ts';
import type { Ending } from './hearth.ts';
import { keepTrace, printTraces } from './trace.ts';
import { PATIENCE_MS, until } from './until.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** The whole of it, for tests that start it with a home of its own. */
export const CHROMIUM_PATH = CHROMIUM.find((path) => existsSync(path));

/** Chromium without windows, which draws and runs pages as the whole of it does, with half the work. */
const SHELL = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium-headless-shell'))
  .find((path) => existsSync(path));

/** Those that this file of tests has started, by their flags. */
const browsers = new Map<string, Promise<Browser>>();

after(async () => {
  for (const browser of browsers.values()) await (await browser).close();
});

/**
 * The system's Chromium, headless, with a fresh profile; the tests of a file share it, and none of them leaves a window.
 * @param flags beside the usual ones, such as those for a microphone
 * @param isWhole for what Chromium does outside of its pages, such as notifications and the installation of an app
 */
export async function openBrowser(
  test: Ending,
  flags: readonly string[] = [],
  { isWhole = false } = {},
): Promise<Browser> {
  const key = `${isWhole} ${flags.join(' ')}`;
  const opening = browsers.get(key) ?? launch(flags, isWhole);
  browsers.set(key, opening);
  const browser = await opening;
  test.after(async () => {
    await printTraces(test, browser.contexts());
    await Promise.all(browser.contexts().map((context) => context.close()));
  });
  return browser;
}

function launch(flags: readonly string[], isWhole: boolean): Promise<Browser> {
  const executablePath = isWhole ? CHROMIUM_PATH : (SHELL ?? CHROMIUM_PATH);
  if (!executablePath) throw new Error('Chromium is missing; install it with: apt-get install chromium');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...flags,
    ],
  });
}

export type Person = { context: BrowserContext; page: Page; complaints: string[] };

/** Somebody new at a browser of their own, on the page of groups. What the console complains of is kept. */
export async function personAt(
  browser: Browser,
  url: string,
  username: string,
  { byForm = false, ...options }: Parameters<Browser['newContext']>[0] & { byForm?: boolean } = {},
): Promise<Person> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    ignoreHTTPSErrors: true,
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  keepTrace(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // What a browser says by itself of a lost network, and of a certificate that it does not trust.
    if (
      message.type() === 'error' &&
      !/Failed to load resource|WebSocket connection|SSL certificate error/.test(message.text())
    )
      complaints.push(message.text());
  });
  if (byForm) await registerByForm(page, url, username);
  else {
    const form = { username, password: PASSWORD };
    const headers = { origin: new URL(url).origin };
    await context.request.post(`${url}/register`, { form, headers, maxRedirects: 0 });
    await page.goto(`${url}/groups`);
  }
  return { context, page, complaints };
}

async function registerByForm(page: Page, url: string, username: string): Promise<void> {
  await page.goto(`${url}/register`);
  await page.getByLabel('Name').fill(username);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.waitForURL('**/groups');
}

/** Joins a group from the page of groups, and waits until its conversation stands. */
export async function joinGroup(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: `Join ${name}` }).click();
  await page.getByLabel(`Message ${name}`).waitFor();
}

/** Writes and sends with Enter. */
export async function say(page: Page, text: string): Promise<void> {
  await page.locator('#content').fill(text);
  await page.locator('#content').press('Enter');
}

/** Presses the record button, and waits until this many seconds are recorded; a busy machine begins late. */
export async function recordFor(page: Page, seconds: number): Promise<void> {
  await page.getByRole('button', { name: 'Voice message' }).click();
  await untilRecorded(page, seconds);
}

export async function untilRecorded(page: Page, seconds: number): Promise<void> {
  const timer = page.getByRole('group', { name: 'Recording' }).getByRole('timer');
  await until(
    async () => Number((await timer.innerText()).split(':')[1]) >= seconds,
    'It does not record that long.',
  );
}

/** The texts of the messages that stand on the page, in order. */
export function spoken(page: Page): Promise<string[]> {
  return page.locator('#messages .message .body').allInnerTexts();
}

/** A phone, as `newContext` takes it. */
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;
