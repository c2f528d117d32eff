/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser, personAt } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('on paper a conversation is all that the page has, in dark letters, without what can be pressed', async (t) => {
  const { url } = await startHearth(t);
  const bob = await newPerson(url, 'bob', 1);
  for (let number = 1; number <= 40; number++)
    await bob.post('/groups/1/messages', { content: `message ${number}` });
  const { page } = await personAt(await openBrowser(t), url, 'ada', { colorScheme: 'dark' });
  await page.getByRole('button', { name: 'Join General' }).click();
  await page.goto(`${url}/groups/1?newest=`);
  await page.locator('#message-40').waitFor();
  await page.emulateMedia({ media: 'print' });
  const { isWhole, colour, shown } = await page.evaluate(() => {
    const scroller = document.querySelector('.scroller') as HTMLElement;
    const names = ['.composer', '.sidebar', '.to-newest', '.connection'];
    return {
      isWhole: scroller.scrollHeight <= scroller.clientHeight && document.body.scrollHeight > innerHeight,
      colour: getComputedStyle(document.querySelector('.message .body') as HTMLElement).color,
      shown: names.filter((name) => document.querySelector(name)?.checkVisibility()),
    };
  });
  assert.deepEqual([isWhole, shown], [true, []]);
  assert.match(colour, /^(?:rgb\(0, 0, 0\)|oklch\(0 )/);
});
