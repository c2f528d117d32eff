import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser, personAt, spoken } from '../support/browser.ts';
import { PASSWORD } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('every journey works with JavaScript off', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada', { javaScriptEnabled: false, byForm: true });
  const mina = await personAt(browser, hearth.url, 'Mina', {
    javaScriptEnabled: false,
    viewport: { width: 390, height: 844 },
  });

  await t.test('join, write, and come back at the new message', async () => {
    await page.getByRole('button', { name: 'Join General' }).click();
    for (const text of ['first', 'second']) {
      await page.locator('#content').fill(text);
      await page.getByRole('button', { name: 'Send' }).click();
    }
    assert.match(page.url(), /\/groups\/1#message-2$/);
    assert.deepEqual(await spoken(page), ['first', 'second']);
    assert.equal(await page.locator('.to-new').count(), 0, 'what one has just written is not new');
  });

  await t.test('read what others wrote, with the count of what is new', async () => {
    await mina.page.getByRole('button', { name: 'Join General' }).click();
    await mina.page.locator('#content').fill('third');
    await mina.page.getByRole('button', { name: 'Send' }).click();
    await page.goto(`${hearth.url}/groups`);
    assert.match((await page.locator('#group-1').textContent()) ?? '', /General\s*1/);
    await page.getByRole('link', { name: 'General' }).click();
    assert.deepEqual(await spoken(page), ['first', 'second', 'third']);
    assert.ok(await page.locator('#message-3').isVisible());
    await page.goto(`${hearth.url}/groups`);
    assert.equal(await page.locator('#group-1').getAttribute('data-unread'), '0');
  });

  await t.test('a message that is refused is still in the field', async () => {
    await page.goto(`${hearth.url}/groups/1`);
    await page.locator('#content').fill('z'.repeat(8_001));
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('A message has at most 8,000 characters.').waitFor();
    assert.equal((await page.locator('#content').inputValue()).length, 8_001);
  });

  await t.test('older messages by a link', async () => {
    for (let number = 0; number < 52; number++) {
      await mina.page.locator('#content').fill(`more ${number}`);
      await mina.page.getByRole('button', { name: 'Send' }).click();
    }
    await page.goto(`${hearth.url}/groups/1`);
    await page.getByRole('link', { name: 'Older messages' }).click();
    assert.equal((await spoken(page))[0], 'first');
    await page.getByRole('link', { name: 'Newer messages' }).click();
    assert.equal((await spoken(page)).at(-1), 'more 51');
  });

  await t.test('make a group, rename it, leave it', async () => {
    await page.goto(`${hearth.url}/groups`);
    await page.getByLabel('Name').fill('Garden');
    await page.getByRole('button', { name: 'Make the group' }).click();
    await page.getByRole('heading', { name: 'Garden' }).waitFor();
    await page.getByRole('heading', { name: 'Garden' }).getByRole('link').click();
    await page.getByRole('textbox', { name: 'Name of the group' }).fill('random');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByText('A group of that name exists').waitFor();
    await page.getByRole('textbox', { name: 'Name of the group' }).fill('Flower beds');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name: 'Flower beds', exact: true }).waitFor();
    await page.getByText('Leave Flower beds', { exact: true }).click();
    await page.getByRole('button', { name: 'Yes, leave' }).click();
    await page.getByRole('button', { name: 'Join Flower beds' }).waitFor();
  });

  await t.test('a group one is not in says so and offers to join', async () => {
    await page.goto(`${hearth.url}/groups/2`);
    await page.getByText('You are not in this group').waitFor();
    await page.getByRole('button', { name: 'Join Random' }).click();
    await page.getByText('Nothing here yet').waitFor();
  });

  await t.test('change the password, sign out, sign in', async () => {
    await page.goto(`${hearth.url}/account`);
    await page.getByLabel('Current password').fill('wrong password');
    await page.getByLabel('New password').fill('a new password');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('That is not your current password').waitFor();
    await page.getByLabel('Current password').fill(PASSWORD);
    await page.getByLabel('New password').fill('a new password');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('Your password is changed').waitFor();
    await page.getByRole('button', { name: 'Dark' }).click();
    assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Name').fill('ada');
    await page.getByLabel('Password').fill('a new password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Random' }).waitFor();
  });
});
