/// <reference lib="dom" />
import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser, personAt } from '../support/browser.ts';
import { newPerson } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

test('the open queue shows who writes, and leaves a note alone while it is typed', async (t) => {
  const hearth = await startHearth(t);
  const { page, complaints } = await personAt(await openBrowser(t), hearth.url, 'ada');
  await page.goto(`${hearth.url}/inbox`);
  await page.getByText('Nothing is open').waitFor();
  const joe = await newPerson(hearth.url, 'joe');
  const line = (await joe.post('/line')).location;
  await joe.post(`${line}/messages`, { content: 'I cannot find the key' });
  await page.getByText('I cannot find the key').waitFor();
  await page.getByText('Note for administrators').click();
  const note = page.getByLabel('Note on joe');
  await note.fill('half a note');
  await joe.post(`${line}/messages`, { content: 'It was in the shed' });
  await page.waitForTimeout(500);
  assert.equal(await note.inputValue(), 'half a note');
  const heading = page.getByRole('heading', { name: 'Inbox' });
  await heading.click();
  await page.waitForTimeout(300);
  assert.equal(await note.inputValue(), 'half a note', 'it is not saved yet');
  await note.fill('');
  await heading.click();
  await page.getByText('It was in the shed').waitFor();
  assert.deepEqual(complaints, []);
});
