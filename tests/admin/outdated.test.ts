import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson, type Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';

type Fields = Record<string, string>;

/** Each form that changes two settings: what one administrator saves, and what another does meanwhile. */
const FORMS: readonly { page: string; path: string; one: Fields; other: Fields }[] = [
  {
    page: '/admin',
    path: '/admin/settings',
    one: { registration: 'open', membersInvite: 'no' },
    other: { registration: 'closed', membersInvite: 'yes' },
  },
  {
    page: '/admin',
    path: '/admin/session-settings',
    one: { idleDays: '7', maxDays: 'never' },
    other: { idleDays: '30', maxDays: '365' },
  },
  {
    page: '/admin',
    path: '/admin/outgoing-settings',
    one: { allowedAddresses: '', linkPreviews: 'yes' },
    other: { allowedAddresses: '192.168.1.20' },
  },
  {
    page: '/admin/space',
    path: '/admin/space/keep',
    one: { keepDays: '30', keepMegabytes: '' },
    other: { keepDays: '', keepMegabytes: '500' },
  },
  {
    page: '/admin/space',
    path: '/admin/space/groups/1/keep',
    one: { keepDays: '30', keepMegabytes: '' },
    other: { keepDays: '', keepMegabytes: '500' },
  },
  {
    page: '/groups/1/settings',
    path: '/groups/1/rules',
    one: { access: 'open', posting: 'owners' },
    other: { access: 'closed', posting: 'members' },
  },
  {
    page: '/groups/1/settings',
    path: '/groups/1/voice-settings',
    one: { corrections: 'members', spokenLanguage: '' },
    other: { corrections: 'author', spokenLanguage: 'de' },
  },
];

/** What the form of a page shows of its settings, as a browser sends it along. */
async function seenOn(person: Visitor, page: string, path: string): Promise<string> {
  const { body } = await person.get(page);
  const form = body.slice(body.indexOf(`action="${path}"`));
  return (
    / name="seen" value="([^"]*)"/.exec(form.slice(0, form.indexOf('</form>')))?.[1] ?? assert.fail(form)
  );
}

test('settings on a page that is older than somebody else’s change are refused, and shown as they are', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const joe = await newPerson(url, 'joe', 1);
  await ada.post('/admin/people/2/make-admin');
  for (const { page, path, one, other } of FORMS) {
    const seen = await seenOn(ada, page, path);
    const change = { ...other, seen: await seenOn(joe, page, path) };
    assert.equal((await joe.post(path, change)).status, 303, path);
    const now = await seenOn(ada, page, path);
    assert.notEqual(now, seen, path);
    const refused = await ada.post(path, { ...one, seen });
    assert.equal(refused.status, 409, path);
    assert.match(refused.body, /role="alert">This was changed since you opened the page\./, path);
    assert.equal(await seenOn(ada, page, path), now, `${path} is as joe saved it`);
    assert.equal((await ada.post(path, { ...one, seen: now })).status, 303, path);
    // A program sends what it wants only.
    assert.equal((await joe.post(path, other)).status, 303, path);
  }
});
