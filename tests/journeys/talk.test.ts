/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { joinGroup, openBrowser, PHONE, personAt, say, spoken } from '../support/browser.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth, temporaryFolder } from '../support/hearth.ts';
import { until } from '../support/until.ts';

for (const protocol of ['HTTP', 'HTTPS']) {
  test(`two people talk over ${protocol}`, async (t) => {
    const folder = temporaryFolder(t);
    const tls = ['--tls', '--certfile', join(folder, 'cert.pem'), '--keyfile', join(folder, 'key.pem')];
    const hearth = await startHearth(t, { flags: protocol === 'HTTPS' ? tls : [] });
    const browser = await openBrowser(t);
    const ada = await personAt(browser, hearth.url, 'Ada', { byForm: true });
    const mina = await personAt(browser, hearth.url, 'Mina', {
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
    });

    await joinGroup(ada.page, 'General');
    await joinGroup(mina.page, 'General');
    await ada.page.locator('#panel', { hasText: 'Mina' }).getByText('127.0.0.1').first().waitFor();
    await ada.page.getByText('Mina joined').waitFor();

    await say(ada.page, 'Can someone open the shed?');
    await mina.page.locator('.message', { hasText: 'Can someone open the shed?' }).waitFor();
    await mina.page.locator('#content').pressSequentially('I have');
    await ada.page.getByText('Mina is typing…').waitFor();
    await mina.page.locator('#content').pressSequentially(' the key <b>');
    await mina.page.getByRole('button', { name: 'Send' }).click();
    await ada.page.locator('.message', { hasText: 'I have the key <b>' }).waitFor();
    assert.deepEqual(await spoken(ada.page), ['Can someone open the shed?', 'I have the key <b>']);
    assert.deepEqual(await spoken(mina.page), await spoken(ada.page));
    assert.equal(await ada.page.locator('.is-pending').count(), 0);
    assert.equal(await ada.page.getByText('Mina is typing…').count(), 0);

    const chip = protocol === 'HTTPS' ? 'HTTPS' : 'HTTP on this machine';
    await ada.page.locator('.connection summary', { hasText: chip }).click();
    const explained =
      protocol === 'HTTPS' ? 'This connection is encrypted' : 'This connection stays on this machine';
    await ada.page.getByText(explained).waitFor();

    for (const text of ['one', 'two', 'three']) await say(ada.page, text);
    await mina.page.locator('#messages .message', { hasText: 'three' }).waitFor();
    assert.deepEqual(
      (await spoken(mina.page)).slice(2),
      ['one', 'two', 'three'],
      'written faster than it is acknowledged',
    );

    await mina.context.close();
    await ada.page.getByText('Mina left').waitFor();
    assert.deepEqual(ada.complaints, []);
  });
}

test('Enter sends, Shift+Enter breaks the line, and the field and its counter follow what is written', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, complaints } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  const field = page.locator('#content');

  const height = async () => (await field.boundingBox())?.height ?? 0;
  const before = await height();
  await field.pressSequentially('one');
  await field.press('Shift+Enter');
  await field.pressSequentially('two');
  assert.ok((await height()) > before, 'the field grows');
  await field.press('Enter');
  await page.locator('#messages .message', { hasText: 'one' }).waitFor();
  assert.deepEqual(await spoken(page), ['one\ntwo']);
  assert.equal(await field.inputValue(), '');

  await field.fill('x'.repeat(7_990));
  await page.getByText('10 left').waitFor();
  await field.fill('x'.repeat(8_003));
  await page.getByText('3 too many').waitFor();
  await field.press('Enter');
  await page.getByText('A message has at most 8,000 characters').waitFor();
  assert.equal((await field.inputValue()).length, 8_003, 'what was typed is still there');
  await page.reload();
  assert.equal((await field.inputValue()).length, 8_003, 'also after a reload');
  assert.deepEqual(complaints, []);
});

test('a new group appears in everyone’s list while they type, and what they look at stays where it is', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const ada = await personAt(browser, hearth.url, 'Ada');
  const mina = await personAt(browser, hearth.url, 'Mina');
  await joinGroup(mina.page, 'General');
  await mina.page.locator('#content').pressSequentially('half a sent');
  await mina.page.evaluate(() => Object.assign(window, { isSamePage: true }));

  await ada.page.getByLabel('Name').fill('Beekeepers');
  await ada.page.getByRole('button', { name: 'Make the group' }).click();
  await ada.page.getByRole('heading', { name: 'Beekeepers' }).waitFor();
  await mina.page.locator('.sidebar').getByRole('link', { name: 'Beekeepers' }).waitFor();
  await mina.page.locator('#content').pressSequentially('ence');
  assert.equal(await mina.page.locator('#content').inputValue(), 'half a sentence');
  assert.equal(await mina.page.evaluate(() => 'isSamePage' in window), true);
  const names = await mina.page.locator('#other-groups .group-name').allInnerTexts();
  assert.deepEqual(names, ['Beekeepers', 'Random'], 'in its place in the alphabet');

  await ada.page.goto(`${hearth.url}/groups/3/settings`);
  await ada.page.getByRole('textbox', { name: 'Name of the group' }).fill('Apiarists');
  await ada.page.getByRole('button', { name: 'Rename' }).click();
  await mina.page.locator('.sidebar').getByRole('link', { name: 'Apiarists' }).waitFor();
  assert.equal(await mina.page.getByText('Beekeepers').count(), 0);
});

test('on a phone the name of a conversation leads to its settings, the line below to its members', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page } = await personAt(browser, hearth.url, 'Ada', PHONE);
  await joinGroup(page, 'General');
  for (const [link, address] of [
    ['.pane-title h1 a', '**/groups/1/settings'],
    ['.pane-title p a', '**/groups/1/members'],
  ] as const) {
    await page.goto(`${hearth.url}/groups/1`);
    await page.locator(link).tap();
    await page.waitForURL(address);
  }
});

test('no page of a phone is wider than it, however long names are', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const word = 'Wolfeschlegelsteinhausenbergerdorffwelchevoralternwaren';
  const { page } = await personAt(browser, hearth.url, word.slice(0, 50), PHONE);
  const headers = { origin: hearth.url };
  await page.request.post(`${hearth.url}/groups`, { headers, form: { name: word } });
  await page.request.post(`${hearth.url}/groups/3/messages`, { headers, form: { content: word.repeat(5) } });
  const invitation = await page.request.post(`${hearth.url}/invitations`, { headers, form: { groups: '3' } });
  const code = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec(await invitation.text())?.[0];
  const guest = await (await browser.newContext(PHONE)).newPage();
  for (const [reader, path] of [
    ...['/account', '/people/1', '/groups/3', '/groups', '/groups/3/settings', '/groups/3/members'].map(
      (path) => [page, path] as const,
    ),
    ...['/admin', '/admin/people', '/admin/people/1', '/admin/groups', '/admin/space', '/invitations/1'].map(
      (path) => [page, path] as const,
    ),
    [guest, `/join/${code}`] as const,
  ]) {
    await reader.goto(hearth.url + path);
    const width = await reader.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(width, PHONE.viewport.width, path);
  }
});

test('unread counts are in the list and in the title, and go in every tab when they are read in one', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, context } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  await page.goto(`${hearth.url}/groups`);
  const other = await context.newPage();
  await other.goto(`${hearth.url}/groups`);
  const joe = await newPerson(hearth.url, 'joe', 1);
  for (const content of ['one', 'two']) await joe.post('/groups/1/messages', { content });
  for (const tab of [page, other]) {
    await tab.locator('#group-1 .unread', { hasText: '2' }).waitFor();
    assert.equal(await tab.title(), '(2) Groups · Hearth');
  }
  await page.locator('.sidebar').getByRole('link', { name: 'General' }).click();
  await page.locator('.new-mark').waitFor();
  await other.locator('#group-1[data-unread="0"]').waitFor();
  assert.equal(await other.title(), 'Groups · Hearth');
});

test('older messages come while one scrolls up, what one reads stays in place, and a permalink leads to its message', async (t) => {
  const hearth = await startHearth(t);
  const browser = await openBrowser(t);
  const { page, context, complaints } = await personAt(browser, hearth.url, 'Ada');
  await joinGroup(page, 'General');
  const ada = new Visitor(hearth.url);
  for (const { name, value } of await context.cookies()) ada.cookies.set(name, value);
  for (let number = 1; number <= 130; number++) {
    const { status } = await ada.post('/groups/1/messages', { content: `message number ${number}` });
    assert.equal(status, 303);
  }
  // What one wrote oneself counts as read a moment later.
  await until(
    async () => /data-read-seq="130"/.test((await ada.get('/groups/1?newest=')).body),
    'all is read that she wrote',
  );
  await page.goto(`${hearth.url}/groups/1`);
  assert.equal(await page.locator('.message').count(), 50);
  const scroller = page.locator('[data-scroller]');
  assert.equal(await scroller.evaluate((element) => element.scrollTop), 0, 'it opens at the newest');

  const first = page.locator('#message-81');
  await scroller.evaluate((element) => element.scrollTo(0, -element.scrollHeight));
  await page.locator('#message-31').waitFor({ state: 'attached' });
  await first.scrollIntoViewIfNeeded();
  const top = (await first.boundingBox())?.y ?? 0;
  const joe = await newPerson(hearth.url, 'joe', 1);
  assert.equal((await joe.post('/groups/1/messages', { content: 'something new below' })).status, 303);
  await page.locator('#message-131').waitFor({ state: 'attached' });
  assert.ok(Math.abs(((await first.boundingBox())?.y ?? 0) - top) < 2, 'a new message below moves nothing');
  await page.getByRole('button', { name: 'New messages' }).click();
  assert.equal(await scroller.evaluate((element) => element.scrollTop), 0);
  assert.equal(await page.locator('.day').count(), 1, 'one day, one separator');

  await page.goto(`${hearth.url}/groups/1?around=40#message-40`);
  const target = page.locator('#message-40');
  assert.ok(await target.isVisible());
  const [lit, plain] = await Promise.all(
    [target, page.locator('#message-41')].map((locator) =>
      locator.evaluate((element) => getComputedStyle(element).backgroundColor),
    ),
  );
  assert.notEqual(lit, plain, 'it is highlighted');
  await page.getByRole('link', { name: 'To the newest' }).click();
  await page.locator('#message-131').waitFor();
  assert.deepEqual(complaints, []);
});
