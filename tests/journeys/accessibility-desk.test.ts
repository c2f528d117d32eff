/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkEveryPage } from '../support/axe.ts';
import { joinGroup, openBrowser, personAt } from '../support/browser.ts';
import { startHearth } from '../support/hearth.ts';

test('axe finds nothing on any page, light and dark, 1280 pixels wide', (t) =>
  checkEveryPage(t, { width: 1280, height: 800 }));

test('by keyboard alone: skip the list, write, read, and always see where one is', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  await page.locator('#content:focus').waitFor();
  await page.keyboard.type('typed at once');
  await page.keyboard.press('Enter');
  await page.locator('#messages .message', { hasText: 'typed at once' }).waitFor();
  await page.goto(`${hearth.url}/groups`);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the content');
  const seen: string[] = [];
  for (let presses = 0; presses < 22; presses++) {
    await page.keyboard.press('Tab');
    const { name, outline } = await page.evaluate(() => {
      const element = document.activeElement;
      return {
        name:
          element === document.body
            ? ''
            : (element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? ''),
        outline: element ? getComputedStyle(element).outlineStyle : 'none',
      };
    });
    seen.push(name);
    if (name !== '' && !name.startsWith('Hearth'))
      assert.notEqual(outline, 'none', `the focus on ${name} is visible`);
  }
  assert.ok(
    seen.some((name) => name.startsWith('Join')) && seen.some((name) => name.startsWith('Make the group')),
    seen.join(', '),
  );
});
