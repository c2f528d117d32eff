import assert from 'node:assert/strict';
import test from 'node:test';
import { generate } from 'otplib';
import { openBrowser, PHONE, personAt } from '../support/browser.ts';
import { newPerson, PASSWORD } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('the doors of a private place work on a phone with JavaScript off', async (t) => {
  const hearth = await startHearth(t);
  const { url } = hearth;
  const browser = await openBrowser(t);
  const off = { javaScriptEnabled: false, ...PHONE };
  const admin = await personAt(browser, url, 'root', off);
  const { page } = await personAt(browser, url, 'ada', off);
  const joe = await newPerson(url, 'joe', 1);
  await page.getByRole('button', { name: 'Join General' }).click();

  await t.test('a message is reported, removed with a reason, and says so', async () => {
    await joe.post('/groups/1/messages', { content: 'something rude' });
    await page.goto(`${url}/groups/1/messages/1/report`);
    await page.getByLabel('What is wrong with it?').fill('It is rude.');
    await page.getByRole('button', { name: 'Report it' }).click();
    await admin.page.goto(`${url}/reports`);
    await admin.page.getByText('It is rude.').waitFor();
    await admin.page.getByLabel('Reason, for everybody to read').fill('Be kind');
    await admin.page.getByRole('button', { name: 'Remove the message' }).click();
    await page.goto(`${url}/groups/1`);
    await page.getByText('Be kind').waitFor();
  });

  await t.test('somebody writes to the administrators, who find it in the inbox', async () => {
    await page.goto(`${url}/line`);
    await page.getByRole('button', { name: 'Begin' }).click();
    await page.locator('#content').fill('I need help');
    await page.getByRole('button', { name: 'Send' }).click();
    await admin.page.goto(`${url}/inbox`);
    await admin.page.getByRole('link', { name: 'ada' }).first().click();
    await admin.page.getByText('I need help').waitFor();
  });

  await t.test('a second step is set up, and a sign-in asks for it', async () => {
    await page.goto(`${url}/account/second-factor`);
    await page.locator('form[action$="/set-up"]').getByLabel('Your password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Set it up' }).click();
    const secret = (await page.locator('code').first().innerText()).replaceAll(' ', '');
    const codeAt = (offset: number) => generate({ secret, epoch: Math.floor(Date.now() / 1000) + offset });
    await page.getByLabel('Code').fill(await codeAt(-30));
    await page.getByRole('button', { name: 'Use it from now on' }).click();
    await page.getByText('Keep these codes').waitFor();
    await page.goto(`${url}/account`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByLabel('Code').fill(await codeAt(0));
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForURL(/\/groups/);
  });

  await t.test('a token is made and revoked', async () => {
    await page.goto(`${url}/account/tokens`);
    await page.getByLabel('What is it for?').fill('A script');
    await page.getByLabel('Your password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Make the token' }).click();
    await page.getByText(/^hearth_/).waitFor();
    await page.getByRole('button', { name: 'Revoke A script' }).click();
    await page.getByText('You have no tokens.').waitFor();
  });

  await t.test('a person is suspended, and let in again', async () => {
    await admin.page.goto(`${url}/admin/people?q=joe`);
    await admin.page.getByRole('link', { name: 'joe' }).click();
    await admin.page.locator('summary', { hasText: 'Suspend' }).click();
    await admin.page.getByRole('button', { name: /^Yes, suspend/ }).click();
    assert.equal((await joe.get('/groups')).status, 303);
    await admin.page.getByRole('button', { name: 'Lift the suspension' }).click();
    await admin.page.locator('summary', { hasText: 'Suspend' }).waitFor();
  });

  await t.test('an account is renamed, and deleted by its owner', async () => {
    await page.goto(`${url}/account`);
    await page.locator('#username').fill('ada.b');
    await page.locator('form[action="/account/username"]').getByRole('button').click();
    await page.goto(`${url}/groups/1/members`);
    await page.locator('main').getByText('ada.b').first().waitFor();
    await page.goto(`${url}/account/delete`);
    await page.locator('input[value="keep"]').check();
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: 'Delete my account' }).click();
    await page.waitForURL(/\/deleted\//);
  });
});
