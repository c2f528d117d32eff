/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser, personAt } from '../support/browser.ts';
import { startHearth } from '../support/hearth.ts';

test('the composer completes the commands of the group, at the beginning of a message only', async (t) => {
  const hearth = await startHearth(t);
  const { page, complaints } = await personAt(await openBrowser(t), hearth.url, 'ada');
  const post = async (path: string, form: Record<string, string> = {}) => {
    const headers = { origin: hearth.url };
    assert.equal((await page.request.post(hearth.url + path, { form, headers })).status(), 200);
  };
  await post('/groups/1/join');
  for (const command of ['weather', 'water'])
    await post('/groups/1/webhooks/add-outgoing', {
      ...{ name: `${command}-bot`, url: 'https://example.org', trigger: 'command', command },
      hint: `What ${command} does`,
    });
  await page.goto(`${hearth.url}/groups/1`);
  const field = page.getByRole('textbox', { name: /Message/ });
  const options = page.getByRole('option');
  await field.pressSequentially('/w');
  await options.nth(1).waitFor();
  assert.deepEqual(await options.allTextContents(), ['/weather What weather does', '/water What water does']);
  await field.pressSequentially('at');
  await page.keyboard.press('Enter');
  assert.equal(await field.inputValue(), '/water ');
  await field.fill('');
  await field.pressSequentially('please /w');
  await page.waitForTimeout(200);
  assert.equal(await options.count(), 0);
  await field.fill('');
  await field.pressSequentially('/etc/hosts');
  await page.keyboard.press('Enter');
  await page.getByText('/etc/hosts', { exact: true }).waitFor();
  assert.deepEqual(complaints, []);
});
