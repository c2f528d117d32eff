/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { joinGroup, openBrowser, PHONE, personAt } from '../support/browser.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

/** What a group's row in the list says on a fresh page. */
async function unread(page: Page): Promise<number> {
  const html = await page.evaluate(async () => (await fetch('/groups')).text());
  return Number(/data-group-id="1" data-unread="(\d+)"/.exec(html)?.[1]);
}

test('a conversation opens at the first unread message, and only what was in view is read', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const browser = await openBrowser(t);
  const { page, complaints } = await personAt(browser, hearth.url, 'Bob', PHONE);
  await joinGroup(page, 'General');
  await page.goto(`${hearth.url}/groups`);
  for (let number = 1; number <= 21; number++)
    await ada.post('/groups/1/messages', { content: `number ${number}\n\n${'more words '.repeat(20)}` });

  await page.goto(`${hearth.url}/groups/1`);
  await page.locator('#new-mark').waitFor();
  const top = await page.locator('#new-mark').evaluate((mark) => mark.getBoundingClientRect().top);
  assert.ok(top > 0 && top < 300, `"New" is in sight, at ${top}`);
  await page.waitForTimeout(800);
  const left = await unread(page);
  assert.ok(left > 5 && left < 21, `${left} are still unread`);

  await page.getByRole('button', { name: 'To the newest' }).click();
  await until(async () => (await unread(page)) === 0, 'all are read');
  await page.getByRole('link', { name: '21 new messages' }).click();
  await page.waitForFunction(
    () => (document.querySelector('#new-mark')?.getBoundingClientRect().top ?? -1) > 0,
  );

  // More than the newest page holds: the page around the first unread one, and a way to the newest.
  await page.goto(`${hearth.url}/groups`);
  for (let number = 22; number <= 121; number++)
    await ada.post('/groups/1/messages', { content: `number ${number}` });
  await page.goto(`${hearth.url}/groups/1`);
  await page.locator('#new-mark').waitFor();
  assert.ok(await page.locator('#message-22').isVisible());
  assert.ok((await unread(page)) > 60);
  await page.getByRole('button', { name: 'To the newest' }).click();
  await page.locator('#message-121').waitFor();
  await until(async () => (await unread(page)) === 0, 'all are read');
  assert.deepEqual(complaints, []);
});

test('a date leads to its day, at the reader’s midnight; the link to a group survives signing in and registering', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1, 2);
  for (let number = 1; number <= 3; number++)
    await ada.post('/groups/1/messages', { content: `number ${number}` });
  const today = new Date().toLocaleDateString('en-CA');
  assert.equal((await ada.get(`/groups/1?day=${today}`)).location, '/groups/1?around=1#message-1');
  assert.equal((await ada.get('/groups/1?day=tomorrow')).status, 400);
  assert.equal((await ada.get('/groups/1?since=0')).location, '/groups/1?around=1#message-1');
  assert.equal((await ada.get('/groups/2?since=0')).status, 200, 'where nothing is written');

  const stranger = new Visitor(hearth.url);
  const { location } = await stranger.get('/groups/1?around=2');
  assert.equal(location, '/login?next=%2Fgroups%2F1%3Faround%3D2');
  const page = await stranger.get(location);
  assert.match(page.body, /name="next" value="\/groups\/1\?around=2"/);
  assert.match(page.body, /href="\/register\?next=/);
  const form = { username: 'jo.brown', password: 'correct horse battery', next: '/groups/1?around=2' };
  assert.equal((await stranger.post('/register', form)).location, '/groups/1?around=2');
  await stranger.post('/logout');
  assert.equal((await stranger.post('/login', { ...form, next: '//evil.example' })).location, '/');
});
