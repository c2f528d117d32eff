import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newCode, readCode } from '../../src/invitations/codes.ts';
import { signInProgram } from '../support/api.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth } from '../support/hearth.ts';
import { countRows, runSql } from '../support/rows.ts';
import { until } from '../support/until.ts';

const NOT_VALID = /This invitation is not valid, or not any more/;

/** Makes an invitation and resolves to its code. */
async function invite(person: Visitor, form: Record<string, string> = {}): Promise<string> {
  const { status, location, body } = await person.post('/invitations', form);
  assert.equal(status, 303, body);
  const code = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec((await person.get(location)).body)?.[0];
  return code ?? assert.fail('there is no code on the page');
}

const register = (url: string, username: string, code?: string) => {
  const form = { username, password: PASSWORD, ...(code !== undefined && { code }) };
  return new Visitor(url).post('/register', form);
};

test('a code is read as people type it, and as a whole link', () => {
  const code = newCode();
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/);
  for (const typed of [
    code,
    code.toLowerCase(),
    code.replaceAll('-', ''),
    ` ${code.replaceAll('-', ' ')} `,
    `https://chat.example/join/${code}`,
    `http://127.0.0.1:8000/join/${code.toLowerCase()}?from=mail#x`,
  ])
    assert.equal(readCode(typed), code, typed);
  assert.equal(readCode('oil0-1111-1111'), '0110-1111-1111');
});

test('a code lets nobody in again after its end, nor after members may invite no more', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const kim = await newPerson(hearth.url, 'kim');
  await joe.post('/groups', { name: 'Shed', closed: 'yes' });
  const code = await invite(joe, { groups: '3', uses: '1' });
  assert.equal((await kim.post(`/join/${code}`)).status, 303);
  await kim.post('/groups/3/leave');
  assert.equal((await kim.post(`/join/${code}`)).status, 303, 'again, while it is valid');
  await kim.post('/groups/3/leave');
  await runSql(hearth.dataDir, 'users', `UPDATE invitations SET expires_at = ${Date.now() - 1}`);
  assert.match((await kim.get(`/join/${code}`)).body, NOT_VALID);
  assert.equal((await kim.post(`/join/${code}`)).status, 404);
  assert.equal((await kim.get('/groups/3')).status, 403);

  const open = await invite(joe, { groups: '3' });
  await ada.post('/admin/settings', { registration: 'invite', membersInvite: 'no' });
  assert.match((await register(hearth.url, 'late', open)).body, NOT_VALID);
  await ada.post('/admin/settings', { registration: 'invite', membersInvite: 'yes' });
  assert.equal((await register(hearth.url, 'late', open)).status, 303);
});

test('whom owners removed from all that an invitation opens is told so, and uses nothing up', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  await ada.post('/groups', { name: 'Shed' });
  const joe = await newPerson(hearth.url, 'joe', 3);
  await ada.post('/groups/3/remove-member', { accountId: '2' });
  const code = await invite(ada, { groups: '3', uses: '1' });
  const refused = await joe.post(`/join/${code}`);
  assert.deepEqual([refused.status, /An owner removed you/.test(refused.body)], [403, true]);
  const kim = await newPerson(hearth.url, 'kim');
  assert.equal((await kim.post(`/join/${code}`)).status, 303, 'the one use is left');
});

test('with REGISTRATION=invite a stranger needs a code, which opens its groups; the first account needs none', async (t) => {
  const hearth = await startHearth(t, { env: { REGISTRATION: 'invite' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const refused = await register(hearth.url, 'joe');
  assert.equal(refused.status, 400);
  assert.match(refused.body, /You need an invitation/);
  assert.match(refused.body, /value="joe"/, 'what was typed is still there');
  assert.match((await register(hearth.url, 'joe', 'AAAA-BBBB-CCCC')).body, NOT_VALID);

  const code = await invite(ada, { groups: '1', uses: '1' });
  const invited = await new Visitor(hearth.url).get(`/join/${code}`);
  assert.match(invited.body, /ada invites you to General/);
  const joe = new Visitor(hearth.url);
  assert.equal((await joe.post('/register', { username: 'joe', password: PASSWORD, code })).status, 303);
  assert.equal((await joe.get('/groups/1')).status, 200, 'joined');
  assert.match((await register(hearth.url, 'mina', code)).body, NOT_VALID, 'it was for one');
  const late = await new Visitor(hearth.url).get(`/join/${code}`);
  assert.deepEqual([late.status, NOT_VALID.test(late.body)], [404, true]);
});

test('a Hearth that everybody has left can be begun again, also where nobody is invited', async (t) => {
  const env = { ADMIN_USERNAME: 'boss' };
  const first = await startHearth(t, { env });
  const mary = await newPerson(first.url, 'mary');
  await mary.post('/account/delete', { messages: 'remove', password: PASSWORD });
  await until(async () => (await countRows(first.dataDir, 'users', 'accounts')) === 0);
  await first.stop();
  const next = await startHearth(t, { dataDir: first.dataDir, env: { ...env, REGISTRATION: 'invite' } });
  const answers = await Promise.all([register(next.url, 'boss'), register(next.url, 'other')]);
  assert.equal(answers.filter(({ status }) => status === 303).length, 1, 'one of two at once');
});

test('who makes an account by an invitation sees its first group first, and may sign in instead', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1, 2);
  const made = await ada.request('POST', '/invitations', 'groups=2&groups=1', {
    'content-type': 'application/x-www-form-urlencoded',
  });
  const page = (await ada.get(made.location)).body;
  const code = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/.exec(page)?.[0] ?? assert.fail(page);
  const seen = new Set<string>();
  for (let number = 0; number < 5; number++) {
    const person = new Visitor(url);
    await person.post('/register', { username: `person${number}`, password: PASSWORD, code });
    seen.add((await person.get('/')).location);
  }
  assert.deepEqual([...seen], ['/groups/2']);
  const refused = await register(url, 'ada', code);
  assert.match(refused.body, new RegExp(`href="/login\\?next=%2Fjoin%2F${code}">Sign in`));
});

test('a refused registration uses nothing up, and closed is closed', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const code = await invite(ada, { uses: '1' });
  for (const wrong of [
    { username: 'ada', password: PASSWORD },
    { username: 'joe', password: 'password' },
    { username: 'x', password: PASSWORD },
  ])
    assert.notEqual((await new Visitor(hearth.url).post('/register', { ...wrong, code })).status, 303);
  assert.equal((await register(hearth.url, 'joe', code)).status, 303);
  const another = await invite(ada);
  await ada.post('/admin/settings', { registration: 'closed', membersInvite: 'yes' });
  const refused = await register(hearth.url, 'mina', another);
  assert.deepEqual([refused.status, /Nobody can make an account/.test(refused.body)], [403, true]);
  assert.doesNotMatch((await new Visitor(hearth.url).get('/register')).body, /<form[^>]*action="\/register"/);
});

test('a hundred people at once use a code exactly as often as it says', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const code = await invite(ada, { groups: '1', uses: '7' });
  const names = Array.from({ length: 100 }, (_, index) => `person${index}`);
  const answers = await Promise.all(names.map((name) => register(hearth.url, name, code)));
  assert.equal(answers.filter((answer) => answer.status === 303).length, 7);
  assert.ok(answers.every(({ status, body }) => status === 303 || NOT_VALID.test(body)));
  assert.match((await ada.get('/groups/1/members')).body, /8 in General/);
  const people = (await ada.get('/admin')).body;
  assert.match(people, /<dt>People<\/dt><dd>8<\/dd>/, 'no account without a use');
});

test('who has an account accepts once, and again without using more', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe');
  const mina = await newPerson(hearth.url, 'mina');
  const code = await invite(ada, { groups: '1', uses: '1' });
  assert.match((await joe.get(`/join/${code}`)).body, /Join as joe/);
  assert.equal((await joe.post(`/join/${code}`)).location, '/groups/1');
  await joe.post('/groups/1/leave');
  assert.equal((await joe.post(`/join/${code}`)).location, '/groups/1', 'whoever used it may come back');
  assert.equal((await mina.post(`/join/${code}`)).status, 404);
  assert.equal((await new Visitor(hearth.url).post(`/join/${code}`)).status, 401);
});

test('who may invite: members unless told otherwise, to groups that they are in, within limits', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const code = await invite(joe, { groups: '1' });
  const refused = await joe.post('/invitations', { groups: '2', uses: '3', validFor: 'day' });
  assert.deepEqual([refused.status, /groups that you are in/.test(refused.body)], [400, true]);
  assert.match(refused.body, /value="3"[\s\S]*|value="day" selected/);
  for (const wrong of [{ uses: '0' }, { uses: '10001' }, { uses: 'many' }, { validFor: 'ever' }])
    assert.equal((await joe.post('/invitations', wrong)).status, 400, JSON.stringify(wrong));
  await ada.post('/admin/settings', { registration: 'open', membersInvite: 'no' });
  assert.equal((await joe.post('/invitations', {})).status, 403);
  assert.match((await joe.get('/invitations')).body, /Only administrators invite here/);
  assert.equal((await ada.post('/invitations', {})).status, 303);

  // Others neither see nor revoke it; its maker and administrators do.
  const mina = await newPerson(hearth.url, 'mina');
  assert.equal((await mina.get('/invitations/1')).status, 404);
  assert.equal((await mina.post('/invitations/1/revoke')).status, 403);
  assert.equal((await ada.get('/invitations/1')).status, 200);
  assert.equal((await joe.post('/invitations/1/revoke')).status, 303);
  assert.match((await register(hearth.url, 'kim', code)).body, NOT_VALID);
});

test('codes are in no file', ON_SQLITE, async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const code = await invite(ada);
  for (const file of ['users.sqlite3', 'users.sqlite3-wal'])
    for (const written of [code, code.replaceAll('-', '')])
      assert.ok(!readFileSync(join(hearth.dataDir, file)).includes(written), file);
});

test('an invitation names only what it opens: no group that its maker was removed from', async (t) => {
  const { url } = await startHearth(t);
  const alice = await newPerson(url, 'alice');
  const bob = await newPerson(url, 'bobby');
  const { location } = await alice.post('/groups', { name: 'Plans', closed: 'yes' });
  const id = Number(/\d+/.exec(location)?.[0]);
  const own = await alice.post('/invitations', { groups: String(id), validFor: 'week' });
  await bob.post(/\/join\/[\w-]+/.exec((await alice.get(own.location)).body)?.[0] ?? '');
  const made = await bob.post('/invitations', { groups: String(id), validFor: 'week' });
  const link = /\/join\/[\w-]+/.exec((await bob.get(made.location)).body)?.[0] ?? '';
  assert.match((await new Visitor(url).get(link)).body, /Plans/);
  await alice.post(`/groups/${id}/remove-member`, { accountId: '2' });
  await alice.post(`/groups/${id}/rename`, { name: 'Layoffs' });
  for (const body of [
    (await bob.get('/invitations')).body,
    (await bob.get(made.location)).body,
    (await new Visitor(url).get(link)).body,
  ])
    assert.doesNotMatch(body, /Layoffs|Plans/);
});

test('every invitation is listed, on the page and over the API, however many there are', async (t) => {
  const { url, dataDir } = await startHearth(t);
  const ada = await newPerson(url, 'ada');
  await Promise.all(Array.from({ length: 205 }, () => ada.post('/invitations', { uses: '1' })));
  const { body } = await ada.get('/invitations');
  const older =
    /href="(\/invitations\?below=\d+)/.exec(body)?.[1] ?? assert.fail('there is no link to older ones');
  assert.match((await ada.get(older)).body, /href="\/invitations\/1"/);
  const program = await signInProgram(url, 'ada');
  const first = (await program.get('/invitations')).json;
  const second = (await program.get(`/invitations?below=${first.next}`)).json;
  assert.deepEqual([first.items.length, second.items.length, second.next], [200, 5, null]);
  assert.equal(await countRows(dataDir, 'users', 'invitations', '1 = 1'), 205);
});
