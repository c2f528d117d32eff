/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinGroup, openBrowser, PHONE, personAt, say } from '../support/browser.ts';
import { newPerson, PASSWORD } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('an invitation is made, copied, opened on a phone by a stranger, who is then in the closed group', async (t) => {
  const hearth = await startHearth(t, { env: { REGISTRATION: 'invite' } });
  const browser = await openBrowser(t);
  const { page, context, complaints } = await personAt(browser, hearth.url, 'Ada');
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByLabel('Name', { exact: true }).fill('Family');
  await page.getByLabel('Closed: only members see it').check();
  await page.getByRole('button', { name: 'Make the group' }).click();
  await page.getByLabel('Message Family').waitFor();
  await page.locator('.pane-title p a').click();
  await page.getByRole('link', { name: 'Invite', exact: true }).click();
  assert.ok(await page.getByLabel('Family').isChecked(), 'the group that one comes from is chosen');
  await page.getByLabel('How many people can use it').fill('1');
  await page.getByRole('button', { name: 'Make the invitation' }).click();
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, /\/join\/[0-9A-Z-]{14}$/);

  const phone = await browser.newContext({ ...PHONE });
  const stranger = await phone.newPage();
  await stranger.goto(link);
  await stranger.getByText('Ada invites you to Family').waitFor();
  await stranger.getByLabel('Name').fill('Mina');
  await stranger.getByLabel('Password').fill('password');
  await stranger.getByText('Guessed at once').waitFor();
  await stranger.getByRole('button', { name: 'Make an account and join' }).tap();
  await stranger.getByText('one of the most common ones').waitFor();
  assert.equal(await stranger.getByLabel('Name').inputValue(), 'Mina');
  assert.match(await stranger.getByLabel('Code of your invitation').inputValue(), /^[0-9A-Z-]{14}$/);
  await stranger.getByLabel('Password').fill(PASSWORD);
  await stranger.getByRole('button', { name: 'Make the account' }).tap();
  await stranger.getByLabel('Message Family').waitFor();

  const late = await (await browser.newContext()).newPage();
  await late.goto(link);
  await late.getByText('This invitation is not valid').waitFor();
  assert.deepEqual(complaints, []);
});

test('without scripts an invitation is opened, and a request to join is made and answered', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Board of the club', closed: 'yes' });
  const { page } = await personAt(browser, hearth.url, 'Kim', { javaScriptEnabled: false });
  await page.goto(`${hearth.url}/groups/3`);
  await page.getByRole('button', { name: 'Ask to join' }).click();
  await page.getByText('You asked to join').waitFor();
  await joe.post('/groups/3/answer-request', { accountId: '2', accept: 'yes' });
  await page.reload();
  await page.getByLabel('Message Board of the club').waitFor();
  const { location } = await joe.post('/invitations', {});
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec((await joe.get(location)).body)?.[0];
  const stranger = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await stranger.goto(`${hearth.url}/join/${code}`);
  await stranger.getByLabel('Name').fill('Zoe');
  await stranger.getByLabel('Password').fill(PASSWORD);
  await stranger.getByRole('button', { name: 'Make an account and join' }).click();
  await stranger.waitForURL('**/groups');
});

test('a group that is closed leaves the list of an open page; where owners write, messages still come live', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(ada.page, 'General');
  const kim = await personAt(browser, hearth.url, 'Kim');
  await joinGroup(kim.page, 'General');
  await kim.page.locator('#content').fill('half a thought');
  await ada.page.goto(`${hearth.url}/groups/1/settings`);
  await ada.page.getByLabel('Owners only').check();
  await ada.page.getByRole('button', { name: 'Save' }).nth(2).click();
  await ada.page.getByText('Your changes are saved').waitFor();
  await kim.page.locator('[data-read-only]', { hasText: 'Only owners write' }).waitFor();
  await ada.page.goto(`${hearth.url}/groups/1`);
  await say(ada.page, 'We meet on Sunday');
  await kim.page.locator('#messages .message', { hasText: 'We meet on Sunday' }).waitFor();
  await kim.page.locator('#messages .message').last().hover();
  assert.ok(await kim.page.getByRole('button', { name: 'React', exact: true }).isVisible());
  assert.ok(!(await kim.page.getByRole('button', { name: 'Reply' }).isVisible()));
  await ada.page.goto(`${hearth.url}/groups/1/settings`);
  await ada.page.getByLabel('Every member').check();
  await ada.page.getByRole('button', { name: 'Save' }).nth(2).click();
  await kim.page.locator('#content').waitFor();
  assert.equal(
    await kim.page.locator('#content').inputValue(),
    'half a thought',
    'what was typed is still there',
  );

  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Surprise' });
  const row = kim.page.locator('#other-groups li', { hasText: 'Surprise' });
  await row.waitFor();
  await joe.post('/groups/3/rules', { access: 'closed', posting: 'members' });
  await row.waitFor({ state: 'detached' });
});
