import assert from 'node:assert/strict';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { runToEnd, startHearth } from '../support/hearth.ts';
import { runSql } from '../support/rows.ts';

const PAGES = ['/admin', '/admin/people', '/admin/people/1', '/admin/log'];

test('only administrators see their pages and act there', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const nobody = new Visitor(hearth.url);
  for (const path of PAGES) {
    assert.equal((await ada.get(path)).status, 200, path);
    assert.equal((await joe.get(path)).status, 403, path);
    assert.equal((await nobody.get(path)).location, `/login?next=${encodeURIComponent(path)}`);
  }
  for (const act of ['make-admin', 'remove-admin', 'suspend', 'unsuspend', 'end-sessions', 'password-link']) {
    assert.equal((await joe.post(`/admin/people/1/${act}`)).status, 403, act);
    assert.equal((await nobody.post(`/admin/people/1/${act}`)).status, 401, act);
    assert.equal((await ada.post(`/admin/people/99/${act}`)).status, 404, act);
  }
  assert.equal(
    (await joe.post('/admin/settings', { registration: 'closed', membersInvite: 'no' })).status,
    403,
  );
  assert.match((await ada.get('/groups')).body, /href="\/admin"/);
  assert.doesNotMatch((await joe.get('/groups')).body, /href="\/admin"/);
  assert.match((await ada.get('/admin/log')).body, /is whole: 1 entry/, 'what was refused is not in the log');
});

test('until an administrator chooses, the page says that anybody can come in', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const open = /Anybody who reaches this address can make an account\./;
  assert.match((await ada.get('/admin')).body, open);
  assert.equal((await ada.post('/admin/settings', { registration: 'everyone' })).status, 400);
  await ada.post('/admin/settings', { registration: 'open', membersInvite: 'yes' });
  assert.doesNotMatch((await ada.get('/admin')).body, open);
  const fixed = await startHearth(t, { env: { REGISTRATION: 'closed' }, dataDir: `${hearth.dataDir}-2` });
  const admin = await newPerson(fixed.url, 'admin');
  assert.match((await admin.get('/admin')).body, /REGISTRATION=closed is set where Hearth is started/);
  await admin.post('/admin/settings', { registration: 'open', membersInvite: 'yes' });
  assert.equal((await new Visitor(fixed.url).register('joe')).status, 403, 'the environment counts first');
});

test('a suspended person is out at once, everywhere, and back when it is lifted', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  await joe.post('/invitations', {});
  const sockets = [await joe.socket('/ws'), await joe.socket('/ws/chat/1')];
  assert.equal((await ada.post('/admin/people/2/suspend')).status, 303);
  for (const socket of sockets) assert.ok([1001, 4401].includes((await socket.closed).code));
  assert.equal((await joe.get('/groups')).location, '/login?next=%2Fgroups');
  assert.equal((await joe.post('/groups/1/messages', { content: 'still here' })).status, 401);
  const again = await (await joe.socket('/ws')).closed;
  assert.equal(again.code, 4401);
  const refused = await new Visitor(hearth.url).post('/login', { username: 'joe', password: PASSWORD });
  assert.deepEqual([refused.status, /This account is suspended/.test(refused.body)], [403, true]);
  const guess = await new Visitor(hearth.url).post('/login', { username: 'joe', password: 'wrong password' });
  assert.doesNotMatch(guess.body, /suspended/, 'only whoever knows the password learns it');
  assert.match((await ada.get('/invitations')).body, /Revoked/);
  assert.equal((await ada.post('/admin/people/2/suspend')).status, 409);
  assert.equal((await ada.post('/admin/people/2/make-admin')).status, 409);
  assert.equal((await ada.post('/admin/people/2/password-link')).status, 409);

  assert.equal((await ada.post('/admin/people/2/unsuspend')).status, 303);
  const back = await new Visitor(hearth.url).post('/login', { username: 'joe', password: PASSWORD });
  assert.equal(back.status, 303);
});

test('administrators are made and unmade, never suspended, and one is always left', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const last = await ada.post('/admin/people/1/remove-admin');
  assert.deepEqual([last.status, /This is the last administrator/.test(last.body)], [409, true]);
  assert.equal((await ada.post('/admin/people/2/make-admin')).status, 303);
  assert.equal((await joe.get('/admin')).status, 200);
  const suspended = await ada.post('/admin/people/2/suspend');
  assert.deepEqual([suspended.status, /Make joe a member first/.test(suspended.body)], [409, true]);
  // Each removes the other at once: one of them stays.
  const answers = await Promise.all([
    ada.post('/admin/people/2/remove-admin'),
    joe.post('/admin/people/1/remove-admin'),
  ]);
  assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [303, 409]);
});

test('a demoted administrator’s open socket has lost its rights too', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await newPerson(hearth.url, 'kim');
  await ada.post('/admin/people/2/make-admin');
  const socket = await joe.socket('/ws');
  await ada.post('/admin/people/2/remove-admin');
  assert.equal((await socket.closed).code, 1001);
  const after = await joe.socket('/ws');
  after.send({ type: 'suspend', personId: 3, id: 'x' });
  assert.equal((await after.nextJson('error')).code, 'forbidden');
});

test('a link for a new password works once, and signs out everywhere else', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  const linkOf = async () => {
    const { body } = await ada.post('/admin/people/2/password-link');
    return /\/new-password\/[\w-]+/.exec(body)?.[0] ?? assert.fail(body);
  };
  const void_ = await linkOf();
  const link = await linkOf();
  assert.equal((await new Visitor(hearth.url).get(void_)).status, 404, 'a newer one takes its place');
  const phone = new Visitor(hearth.url);
  assert.match((await phone.get(link)).body, /Choose one for <strong>joe<\/strong>/);
  assert.equal((await phone.post(link, { password: 'short' })).status, 400);
  assert.equal((await phone.post(link, { password: 'password' })).status, 400, 'a refusal uses nothing up');
  const tries = await Promise.all(
    ['one new password', 'another new password'].map((password) =>
      new Visitor(hearth.url).post(link, { password }),
    ),
  );
  assert.deepEqual(tries.map((answer) => answer.status).toSorted(), [303, 404]);
  assert.equal((await joe.get('/groups')).status, 303, 'signed out');
  assert.equal((await phone.get(link)).status, 404);
  assert.equal((await phone.post('/login', { username: 'joe', password: PASSWORD })).status, 401);
});

test('another device is signed in by a link, once', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const { body } = await ada.post('/account/device-link');
  assert.match(body, /<svg /, 'the QR code');
  const link = /\/this-device\/[\w-]+/.exec(body)?.[0] ?? assert.fail(body);
  const phone = new Visitor(hearth.url);
  assert.match((await phone.get(link)).body, /Sign in as ada/);
  assert.equal((await phone.get('/groups')).status, 303, 'opening it signs nobody in');
  assert.equal((await phone.post(link)).status, 303);
  assert.equal((await phone.get('/groups')).status, 200);
  assert.equal((await new Visitor(hearth.url).post(link)).status, 404);
  assert.equal((await ada.get('/groups')).status, 200, 'the first one stays signed in');
  assert.equal((await new Visitor(hearth.url).post('/account/device-link')).status, 401);
});

test('a link for another device ends with the sessions, whoever ends them', async (t) => {
  const hearth = await startHearth(t);
  const admin = await newPerson(hearth.url, 'admin');
  const joe = await newPerson(hearth.url, 'joe');
  const linkOf = async () => {
    const { body } = await joe.post('/account/device-link');
    return /\/this-device\/[\w-]+/.exec(body)?.[0] ?? assert.fail(body);
  };
  const first = await linkOf();
  await joe.post('/account/sessions/end-others');
  assert.equal((await new Visitor(hearth.url).post(first)).status, 404, 'by its owner');
  const second = await linkOf();
  const { body } = await admin.post('/admin/people/2/password-link');
  const password = /\/new-password\/[\w-]+/.exec(body)?.[0] ?? assert.fail(body);
  await admin.post('/admin/people/2/end-sessions');
  assert.equal((await new Visitor(hearth.url).post(second)).status, 404, 'by an administrator');
  assert.equal(
    (await new Visitor(hearth.url).get(password)).status,
    200,
    'what the administrator made stays',
  );
});

test('what an administrator does in groups of others is in the log, and what owners do is not', async (t) => {
  const hearth = await startHearth(t);
  const admin = await newPerson(hearth.url, 'admin');
  const joe = await newPerson(hearth.url, 'joe');
  await joe.post('/groups', { name: 'Garden' });
  for (const content of ['canary one', 'canary two']) await joe.post('/groups/3/messages', { content });
  await joe.post('/groups/3/topic', { topic: 'Leeks' });
  await joe.post('/groups/3/messages/1/remove');
  await newPerson(hearth.url, 'kim', 3);
  const invitation = (await joe.post('/invitations', { groups: '3' })).location.split('/').at(-1);
  await admin.post('/groups/3/join');
  await admin.post('/groups/3/messages/2/remove', { reason: 'rude' });
  await admin.post('/groups/3/archive', { on: 'yes' });
  await admin.post('/groups/3/archive', { on: 'no' });
  await admin.post(`/invitations/${invitation}/revoke`);
  const line = (await joe.post('/line')).location;
  await admin.post(`/inbox/${line.split('/').at(-1)}/note`, { note: 'canary note' });
  await admin.post('/groups/3/remove-member', { accountId: '3' });
  await admin.post('/groups/3/delete-group', { confirmation: 'Garden' });
  const { body } = await admin.get('/admin/log');
  const words = [...body.matchAll(/<li[^>]*>[\s\S]*?<\/li>/g)].map(([entry]) =>
    entry.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' '),
  );
  for (const expected of [
    'removed somebody’s message, message 2 of Garden',
    'archived, or took up again, the group Garden',
    'revoked an invitation of joe',
    'wrote a note at the private line of joe',
    'removed a member from the group Garden',
    'deleted the group Garden',
    'began this log',
  ])
    assert.ok(
      words.some((entry) => entry.includes(expected)),
      `${expected}: ${words.join('\n')}`,
    );
  assert.doesNotMatch(body, /canary|topic of the group/);
});

test('npm run reset-password makes such a link while Hearth runs; npm run check-log checks the log', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const run = (script: string, ...args: string[]) =>
    runToEnd([...args, '--data', hearth.dataDir], {}, `scripts/${script}.ts`);
  const made = await run('reset-password', 'ADA');
  const link = /\/new-password\/[\w-]+/.exec(made.stdout)?.[0] ?? assert.fail(made.stderr);
  const answer = await new Visitor(hearth.url).post(link, { password: 'one new password' });
  assert.equal(answer.status, 303);
  assert.equal((await ada.get('/groups')).status, 303, 'signed out');
  const unknown = await run('reset-password', 'nobody');
  assert.deepEqual([unknown.code, unknown.stderr.includes('no account of the name nobody')], [2, true]);
  assert.equal((await run('reset-password')).code, 2);

  const whole = await run('check-log');
  assert.deepEqual([whole.code, whole.stdout.trim()], [0, 'The log is whole: 2 entries.']);
  await runSql(hearth.dataDir, 'users', "UPDATE audit_log SET action = 'suspend'");
  const changed = await run('check-log');
  assert.deepEqual([changed.code, /Entry 1 was changed/.test(changed.stdout)], [1, true]);
});

test('the log says who did what, and that it is whole', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  await newPerson(hearth.url, 'joe');
  for (const act of ['suspend', 'unsuspend', 'end-sessions', 'make-admin', 'remove-admin', 'password-link'])
    await ada.post(`/admin/people/2/${act}`);
  await ada.post('/admin/settings', { registration: 'invite', membersInvite: 'no' });
  const { body } = await ada.get('/admin/log');
  const rows = [...body.matchAll(/<div class="row-text">(.*?)<p/g)].map((row) =>
    row[1]?.replace(/<[^>]+>/g, ''),
  );
  assert.deepEqual(rows.toReversed(), [
    'Hearth began this log ',
    'ada suspended joe',
    'ada lifted the suspension of joe',
    'ada signed out everywhere joe',
    'ada gave the rights of an administrator to joe',
    'ada took the rights of an administrator from joe',
    'ada made a link for a new password for joe',
    'ada changed the settings: who can make an account: invite; who can invite: administrators',
  ]);
  assert.match(body, /The log is whole: 8 entries/);
});

test('people are found by a part of their names, page by page', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  for (let number = 1; number <= 102; number++) await newPerson(hearth.url, `pupil${number}`);
  const first = (await ada.get('/admin/people')).body;
  assert.equal([...first.matchAll(/href="\/admin\/people\/\d+"/g)].length, 100);
  const next = /href="(\/admin\/people\?after=\d+)"/.exec(first)?.[1] ?? assert.fail('no next page');
  assert.equal([...(await ada.get(next)).body.matchAll(/href="\/admin\/people\/\d+"/g)].length, 3);
  const found = (await ada.get('/admin/people?q=PUPIL10')).body;
  assert.deepEqual(
    [...found.matchAll(/href="\/admin\/people\/\d+">([^<]+)/g)].map((link) => link[1]),
    ['pupil10', 'pupil100', 'pupil101', 'pupil102'],
  );
  assert.match((await ada.get('/admin/people?q=nobody')).body, /Nobody’s name contains “nobody”/);
});
