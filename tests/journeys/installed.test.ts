/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { joinGroup, openBrowser, personAt, say } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

/** What the service worker has shown, newest last. */
const shown = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const list = await registration.getNotifications();
    return list.map(({ title, body, tag }) => ({ title, body, tag }));
  });

/** A headless page is always in sight: what it says of itself is what the page's scripts see. */
const turn = (page: Page, state: 'hidden' | 'visible') =>
  page.evaluate(`
    Object.defineProperty(document, 'visibilityState', { get: () => '${state}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  `);

/**
 * What is shown once `act` has shown `body`. Chromium's getNotifications() deletes a notification that is stored and
 * not displayed yet (it takes it for one that was closed), so on a busy machine asking can lose it: then `act` again.
 */
async function shownAfter(page: Page, act: () => Promise<unknown>, body: string) {
  const hasBody = (list: { body: string }[]) => list.some((notification) => notification.body === body);
  for (let attempt = 1; ; attempt++) {
    await act();
    const list = await until(() => shown(page), hasBody);
    if (hasBody(list) || attempt === 3) return list;
  }
}

async function until<Result>(ask: () => Promise<Result>, fits: (result: Result) => boolean): Promise<Result> {
  for (let round = 0; ; round++) {
    const result = await ask();
    if (fits(result) || round > 100) return result;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('without a network the last seen messages are there, and never a stale page with one', async (t) => {
  const hearth = await startHearth(t);
  const port = new URL(hearth.url).port;
  const browser = await openBrowser(t);
  const { page, context, complaints } = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina');
  await joinGroup(mina.page, 'General');
  await joinGroup(page, 'General');
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await say(mina.page, 'seen before the network went');
  await page.locator('#message-1').waitFor();
  const isKept = () =>
    page.evaluate(async () => {
      const kept = await (await caches.open('hearth-pages')).match(`${location.origin}/groups/1`);
      return (await kept?.text())?.includes('seen before the network went') ?? false;
    });
  await turn(page, 'hidden');
  assert.ok(await until(isKept, (kept) => kept), 'what came in live is kept, too');
  await turn(page, 'visible');

  await hearth.stop();
  await page.reload();
  assert.match(await page.locator('#message-1 .body').innerText(), /seen before the network went/);
  await page.getByText('Reconnecting…').waitFor();
  await say(page, 'written offline');
  await page.getByText('Not sent yet.').waitFor();
  // A form is not answered by the page that was there before.
  await page.goto(`${hearth.url}/groups`);
  await page.evaluate(() => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: '/groups' });
    document.body.append(form);
    form.submit();
  });
  await page.getByRole('heading', { name: 'Hearth can’t be reached' }).waitFor();
  await page.goto(`${hearth.url}/account`);
  await page.getByRole('heading', { name: 'Hearth can’t be reached' }).waitFor();

  const again = await startHearth(t, { dataDir: hearth.dataDir, flags: ['--port', port] });
  await page
    .getByRole('heading', { name: 'Your account' })
    .or(page.getByText('Change your password'))
    .first()
    .waitFor();
  await page.goto(`${again.url}/groups/1`);
  await page.locator('#messages .message', { hasText: 'written offline' }).waitFor();
  await page.locator('[data-pending] .message').waitFor({ state: 'detached' });
  await mina.page.goto(`${again.url}/groups/1`);
  await say(mina.page, 'fresh as bread');
  await page.goto(`${again.url}/groups`);
  await page.goto(`${again.url}/groups/1`);
  assert.match((await page.locator('#messages').innerText()) ?? '', /fresh as bread/);

  // Whoever signs out leaves nothing to read.
  await page.goto(`${again.url}/account`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/login*');
  const left = () =>
    page.evaluate(async () =>
      (await (await caches.open('hearth-pages')).keys()).map((request) => request.url),
    );
  assert.deepEqual(await until(left, (urls) => urls.length === 0), []);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('what a browser keeps is gone with the membership, and when somebody comes to it as somebody else', async (t) => {
  const { url } = await startHearth(t);
  const browser = await openBrowser(t);
  const owner = await newPerson(url, 'owner', 1, 2);
  const { page, context } = await personAt(browser, url, 'Ada');
  await page.evaluate(() => navigator.serviceWorker.ready);
  for (const id of [1, 2]) await page.request.post(`${url}/groups/${id}/join`, { headers: { origin: url } });
  const kept = () =>
    page.evaluate(async () =>
      (await (await caches.open('hearth-pages')).keys()).map((request) => new URL(request.url).pathname),
    );
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  for (const id of [1, 2]) await page.goto(`${url}/groups/${id}`);
  await until(kept, (paths) => paths.includes('/groups/1') && paths.includes('/groups/2'));
  await owner.post('/groups/1/rules', { access: 'closed', posting: 'members' });
  await owner.post('/groups/1/remove-member', { accountId: '2' });
  await page.goto(`${url}/groups/1`);
  const left = await until(kept, (paths) => !paths.includes('/groups/1'));
  assert.deepEqual([left.includes('/groups/1'), left.includes('/groups/2')], [false, true]);
  const link =
    /\/this-device\/[\w-]+/.exec((await owner.post('/account/device-link')).body)?.[0] ?? assert.fail();
  await page.goto(url + link);
  await page.getByRole('main').getByRole('button').first().click();
  await page.locator('body[data-account-id="1"]').waitFor();
  const ofAda = await page.evaluate(async () => {
    const pages = await (await caches.open('hearth-pages')).matchAll();
    const texts = await Promise.all(pages.map((kept) => kept.text()));
    return texts.filter((text) => /<body[^>]*data-account-id="2"/.test(text)).length;
  });
  assert.equal(ofAda, 0);
  await context.close();
});

test('a push message is shown; a page that is open and hidden notifies by itself, one in sight does not', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t, [], { isWhole: true });
  const { page, context, complaints } = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina');
  await context.grantPermissions(['notifications'], { origin: hearth.url });
  await joinGroup(page, 'General');
  await joinGroup(mina.page, 'General');
  await page.evaluate(() => navigator.serviceWorker.ready);

  const devtools = await context.newCDPSession(page);
  const registrations: string[] = [];
  devtools.on('ServiceWorker.workerRegistrationUpdated', (event) => {
    for (const registration of event.registrations) registrations.push(registration.registrationId);
  });
  await devtools.send('ServiceWorker.enable');
  await until(
    async () => registrations.length,
    (count) => count > 0,
  );
  const push = () =>
    devtools.send('ServiceWorker.deliverPushMessage', {
      origin: hearth.url,
      registrationId: registrations[0] ?? '',
      data: JSON.stringify({
        title: 'Mina in General',
        body: 'the shed is open',
        url: '/groups/1?around=1#message-1',
        tag: 'group-1',
        badge: 2,
      }),
    });
  assert.deepEqual(await shownAfter(page, push, 'the shed is open'), [
    { title: 'Mina in General', body: 'the shed is open', tag: 'group-1' },
  ]);

  // The same conversation again, from a page that is open and hidden: it takes the place of the first.
  await turn(page, 'hidden');
  const mention = async () => {
    await mina.page.locator('#content').fill('@Ada come and see ');
    await mina.page.locator('#content').press('Enter');
  };
  assert.deepEqual(await shownAfter(page, mention, '@Ada come and see'), [
    { title: 'Mina in General', body: '@Ada come and see', tag: 'group-1' },
  ]);

  // What is in sight is not notified of.
  await page.evaluate(async () => {
    for (const notification of await (await navigator.serviceWorker.ready).getNotifications())
      notification.close();
  });
  await turn(page, 'visible');
  await say(mina.page, '@Ada look up ');
  await page.locator('#messages .message', { hasText: 'look up' }).waitFor();
  await new Promise((resolve) => setTimeout(resolve, 900));
  assert.deepEqual(await shown(page), []);
  assert.deepEqual([...complaints, ...mina.complaints], []);
});

test('the page of notifications says what stands in the way, and how to remove it', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t, [], { isWhole: true });
  const { page, context } = await personAt(browser, hearth.url, 'Ada');
  await page.goto(`${hearth.url}/notifications`);
  await page.getByRole('button', { name: 'Turn them on here' }).waitFor();
  assert.notEqual(await page.getByLabel('Time zone').inputValue(), '');
  const manifest = await page.evaluate(async () => {
    const link = document.querySelector<HTMLLinkElement>('link[rel="manifest"]');
    const { icons } = await (await fetch(link?.href ?? '')).json();
    const answers = await Promise.all(
      icons.map((icon: { src: string }) => fetch(new URL(icon.src, link?.href))),
    );
    return answers.every((answer) => answer.ok);
  });
  assert.ok(manifest, 'every icon of the installed app is there');
  const devtools = await context.newCDPSession(page);
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  // A fresh profile of the tests is off the record, which is the one thing that keeps it from being installed.
  assert.deepEqual(
    installabilityErrors
      .map((installabilityError) => installabilityError.errorId)
      .filter((id) => id !== 'in-incognito'),
    [],
  );
  const { targetInfo } = await devtools.send('Target.getTargetInfo');
  const { browserContextId = '' } = targetInfo;
  await devtools.send('Browser.setPermission', {
    browserContextId,
    permission: { name: 'notifications' },
    setting: 'denied',
    origin: hearth.url,
  });
  await page.reload();
  await page.getByText('This browser was told not to show notifications').waitFor();
  await page.getByText('Press the icon to the left of the address').waitFor();
});
