/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { joinGroup, openBrowser, personAt, say, spoken } from '../support/browser.ts';
import { startHearth } from '../support/hearth.ts';

/** What goes wrong with a browser's storage, done to a page before its scripts run, or while it is open. */
const FAULTS: Readonly<Record<string, { before?: string; during?: (page: Page) => Promise<void> }>> = {
  'a handle that the browser closed': {
    before: `{
      const handles = [];
      const { open } = IDBFactory.prototype;
      IDBFactory.prototype.open = function (...args) {
        const request = open.apply(this, args);
        request.addEventListener('success', () => handles.push(request.result));
        return request;
      };
      window.closeHandles = () => { for (const handle of handles) handle.close(); };
    }`,
    during: (page) => page.evaluate('closeHandles()'),
  },
  'a quota of one byte': {
    async during(page) {
      const session = await page.context().newCDPSession(page);
      const { origin } = new URL(page.url());
      await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    },
  },
  'storage that is refused': {
    before: `Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } });
      for (const name of ['setItem', 'getItem']) Storage.prototype[name] = () => { throw new DOMException('full', 'QuotaExceededError'); };`,
  },
  'storage that never answers': {
    before: `IDBFactory.prototype.open = function () { return new EventTarget(); };`,
  },
};

test('whatever the browser’s storage does, a message is sent, also once the network is back', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  let number = 0;
  for (const [fault, { before, during }] of Object.entries(FAULTS))
    await t.test(fault, async () => {
      number += 1;
      const { page, context, complaints } = await personAt(browser, hearth.url, `Person${number}`);
      if (before) await page.addInitScript(before);
      await joinGroup(page, 'General');
      await page.reload();
      await during?.(page);
      const text = `${number} in spite of it ${'x'.repeat(2_000)}`;
      await say(page, text);
      await page
        .locator('#messages .message', { hasText: `${number} in spite of it` })
        .waitFor({ timeout: 15_000 });
      await say(page, `${number} and another`);
      await page
        .locator('#messages .message', { hasText: `${number} and another` })
        .waitFor({ timeout: 15_000 });

      await context.setOffline(true);
      await say(page, `${number} from the tunnel`);
      const pending = page.locator('.is-pending', { hasText: `${number} from the tunnel` });
      await pending.getByText(/Not sent yet/).waitFor();
      assert.equal(await page.locator('#content').inputValue(), '');
      await context.setOffline(false);
      await page
        .locator('#messages .message', { hasText: `${number} from the tunnel` })
        .waitFor({ timeout: 15_000 });
      const mine = (await spoken(page)).filter((message) => message.startsWith(`${number} `));
      assert.deepEqual(mine, [text, `${number} and another`, `${number} from the tunnel`]);
      assert.deepEqual(complaints, []);
      await context.close();
    });
});
