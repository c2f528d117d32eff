/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { generate } from 'otplib';
import type { BrowserContext, Page } from 'playwright-core';
import { openBrowser, personAt } from '../support/browser.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth } from '../support/hearth.ts';

/** Gives a page an authenticator that says yes, as a phone whose owner puts a finger on it. */
async function withAuthenticator(context: BrowserContext, page: Page) {
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true },
      ...{ hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    },
  });
  return { devtools, authenticatorId };
}

test(
  'a passkey is added, signs in alone, also past the authenticator app, and is removed',
  ON_SQLITE,
  async (t) => {
    const hearth = await startHearth(t);
    const url = hearth.url.replace('127.0.0.1', 'localhost');
    const browser = await openBrowser(t);
    const { page, context, complaints } = await personAt(browser, url, 'ada');
    await withAuthenticator(context, page);
    await page.goto(`${url}/account/passkeys`);
    await page.getByLabel('A name for it').fill('My canarykey');
    await page.getByLabel('Your password').fill('not my password');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('That is not your password').waitFor();
    await page.getByLabel('Your password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('My canarykey').waitFor();
    await page.getByText('not used yet').waitFor();

    const ask = (path: string, form = {}) =>
      page.request.post(url + path, { form, headers: { origin: url } }).then((answer) => answer.text());
    const app = await ask('/account/second-factor/set-up', { password: PASSWORD });
    const secret = (/key into it: <code>([^<]+)/.exec(app)?.[1] ?? assert.fail(app)).replaceAll(' ', '');
    await ask('/account/second-factor/confirm', { code: await generate({ secret }) });
    await context.clearCookies();
    await page.goto(`${url}/login?next=/account/passkeys`);
    await page.getByLabel('Stay signed in on this device').uncheck();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('last used').waitFor();
    const session = (await context.cookies()).find(({ name }) => name === 'hearth');
    assert.equal(session?.expires, -1, 'it ends with the browser');

    await page.getByRole('button', { name: 'Remove My canarykey' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(
      await page.getByText('My canarykey').first().isVisible(),
      true,
      'nothing is done by one press',
    );
    await page.getByRole('button', { name: 'Remove My canarykey' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('My canarykey').first().waitFor({ state: 'detached' });
    await context.clearCookies();
    await page.goto(`${url}/login`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('This passkey does not sign in here').waitFor();
    for (const file of ['users.sqlite3', 'users.sqlite3-wal'])
      assert.ok(!readFileSync(join(hearth.dataDir, file)).includes('canarykey'));
    assert.deepEqual(
      complaints.filter((complaint) => !/40[13]/.test(complaint)),
      [],
    );
  },
);

test('a challenge works once and for its own browser; whoever is suspended stays out', async (t) => {
  const hearth = await startHearth(t);
  const url = hearth.url.replace('127.0.0.1', 'localhost');
  const chief = await newPerson(url, 'chief');
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, url, 'ada', { serviceWorkers: 'block' });
  await withAuthenticator(context, page);
  await page.goto(`${url}/account/passkeys`);
  await page.getByLabel('Your password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('not used yet').waitFor();

  /** What the browser sends to sign in, caught on its way. */
  const answer = new Promise<string>((resolve) => {
    void page.route('**/login/passkey', async (route) => {
      resolve(new URLSearchParams(route.request().postData() ?? '').get('credential') ?? '');
      await route.abort();
    });
  });
  await context.clearCookies();
  await page.goto(`${url}/login`);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  const credential = await answer;
  const thief = new Visitor(url);
  await thief.post('/login/passkey/options');
  assert.equal(
    (await thief.post('/login/passkey', { credential })).status,
    401,
    'for the browser that was asked',
  );
  const cookies = await context.cookies();
  const owner = new Visitor(url);
  for (const { name, value } of cookies) owner.cookies.set(name, value);
  assert.equal((await owner.post('/login/passkey', { credential })).status, 303);
  const again = new Visitor(url);
  for (const { name, value } of cookies) again.cookies.set(name, value);
  assert.equal((await again.post('/login/passkey', { credential })).status, 401, 'once');
  for (const wrong of ['', '{}', 'x', '{"id":"AAAA"}']) {
    await again.post('/login/passkey/options');
    assert.ok([400, 401].includes((await again.post('/login/passkey', { credential: wrong })).status), wrong);
  }

  await chief.post('/admin/people/2/suspend');
  await page.unroute('**/login/passkey');
  await page.goto(`${url}/login`);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText('This account is suspended').waitFor();
});

test('by an address of digits a page says why there are no passkeys', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  assert.match((await ada.get('/account/passkeys')).body, /not by an address of digits/);
  const refused = await ada.post('/account/passkeys/options', { password: PASSWORD });
  assert.equal(refused.status, 409);
  assert.equal((await new Visitor(hearth.url).post('/login/passkey/options')).status, 409);
});
