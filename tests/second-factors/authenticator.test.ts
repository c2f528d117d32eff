import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { generate } from 'otplib';
import { checkCode, confirmAuthenticator } from '../../src/second-factors/verify.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth } from '../support/hearth.ts';
import { openStores } from '../support/stores.ts';

const codeAt = (secret: string, seconds = Date.now() / 1000) =>
  generate({ secret, epoch: Math.floor(seconds) });

/** Sets an authenticator app up; resolves to its secret and the recovery codes. */
async function setUp(person: Visitor): Promise<{ secret: string; codes: string[] }> {
  const { body } = await person.post('/account/second-factor/set-up', { password: PASSWORD });
  const secret = (/key into it: <code>([^<]+)/.exec(body)?.[1] ?? assert.fail(body)).replaceAll(' ', '');
  // The step before, so that the present one is left for signing in.
  const confirmed = await person.post('/account/second-factor/confirm', {
    code: await codeAt(secret, Date.now() / 1000 - 30),
  });
  const codes = [...confirmed.body.matchAll(/<code>([0-9A-Z]{4}-[0-9A-Z]{4})</g)].map(
    (code) => code[1] ?? '',
  );
  assert.equal(codes.length, 10, confirmed.body);
  return { secret, codes };
}

async function afterPassword(url: string, username = 'ada'): Promise<Visitor> {
  const visitor = new Visitor(url);
  const { location } = await visitor.post('/login', { username, password: PASSWORD, next: '/threads' });
  assert.equal(location, '/login/code?next=%2Fthreads');
  return visitor;
}

test('with an authenticator app the password alone signs nobody in, and a code works once', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const { secret } = await setUp(ada);
  const visitor = await afterPassword(hearth.url);
  assert.equal((await visitor.get('/groups')).location, '/login?next=%2Fgroups', 'not yet');
  assert.equal((await (await visitor.socket('/ws')).closed).code, 4401);
  assert.equal((await visitor.get('/login/code')).status, 200);
  const code = await codeAt(secret);
  const wrong = code === '000000' ? '111111' : '000000';
  const refused = await visitor.post('/login/code', { code: wrong });
  assert.deepEqual([refused.status, /does not fit/.test(refused.body)], [401, true]);
  const done = await visitor.post('/login/code', {
    code: `${code.slice(0, 3)} ${code.slice(3)}`,
    next: '/threads',
  });
  assert.deepEqual([done.status, done.location], [303, '/threads']);
  assert.equal((await visitor.get('/groups')).status, 200);

  const again = await afterPassword(hearth.url);
  assert.equal((await again.post('/login/code', { code })).status, 401, 'used');
  assert.equal((await new Visitor(hearth.url).get('/login/code')).location, '/login', 'without a password');
});

test('a second step that begins in a browser ends the session that was there, with its sockets', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  await setUp(ada);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const socket = await joe.socket('/ws/chat/1');
  await joe.post('/login', { username: 'ada', password: PASSWORD });
  assert.equal((await socket.closed).code, 4401);
});

test('each recovery code stands in for the app once, however it is typed', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const { codes } = await setUp(ada);
  const [first = '', second = ''] = codes;
  const visitors = await Promise.all([afterPassword(hearth.url), afterPassword(hearth.url)]);
  const answers = await Promise.all(
    visitors.map((visitor) => visitor.post('/login/code', { code: first.toLowerCase() })),
  );
  assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [303, 401]);
  const other = await afterPassword(hearth.url);
  assert.equal((await other.post('/login/code', { code: second.replace('-', ' ') })).status, 303);
  assert.match((await other.get('/account/second-factor')).body, /8 recovery codes are left/);
});

test('setting up an authenticator app takes the password and voids an earlier secret', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  for (const form of [{}, { password: 'wrong password' }]) {
    const refused = await ada.post('/account/second-factor/set-up', form);
    assert.ok([400, 403].includes(refused.status));
    assert.doesNotMatch(refused.body, /key into it/);
  }
  const keyIn = (body: string) => /key into it: <code>([^<]+)/.exec(body)?.[1];
  const first = await ada.post('/account/second-factor/set-up', { password: PASSWORD });
  const mistyped = await ada.post('/account/second-factor/confirm', { code: '000000' });
  assert.equal(keyIn(mistyped.body), keyIn(first.body), 'a wrong code keeps what was scanned');
  const second = await ada.post('/account/second-factor/set-up', { password: PASSWORD });
  assert.notEqual(keyIn(second.body), keyIn(first.body));
});

test('somebody who guesses codes elsewhere locks no known device out', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const ada = await newPerson(hearth.url, 'ada');
  const { secret } = await setUp(ada);
  const other = await afterPassword(hearth.url);
  for (let tries = 0; tries < 10; tries++) await other.post('/login/code', { code: '000000' });
  assert.equal((await other.post('/login/code', { code: '000000' })).status, 429);
  await ada.post('/logout');
  await ada.post('/login', { username: 'ada', password: PASSWORD });
  assert.equal((await ada.post('/login/code', { code: await codeAt(secret) })).status, 303);
});

test('it is set up with a code of the app, and removed with the password', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const begun = await ada.post('/account/second-factor/set-up', { password: PASSWORD });
  assert.match(begun.body, /<svg /);
  const refused = await ada.post('/account/second-factor/confirm', { code: 'abc' });
  assert.deepEqual(
    [refused.status, /does not fit/.test(refused.body), /<svg /.test(refused.body)],
    [400, true, true],
  );
  assert.equal(
    (await new Visitor(hearth.url).post('/login', { username: 'ada', password: PASSWORD })).location,
    '/',
  );
  await setUp(ada);
  assert.equal((await ada.post('/account/second-factor/set-up', { password: PASSWORD })).status, 409);
  assert.equal((await ada.post('/account/second-factor/remove', { password: 'wrong password' })).status, 403);
  await afterPassword(hearth.url);
  assert.equal((await ada.post('/account/second-factor/remove', { password: PASSWORD })).status, 303);
  assert.equal(
    (await new Visitor(hearth.url).post('/login', { username: 'ada', password: PASSWORD })).location,
    '/',
  );
});

test('a link for a new password does not stand for the second step; an administrator removes a lost one', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  await setUp(joe);
  const { body } = await ada.post('/admin/people/2/password-link');
  const link = /\/new-password\/[\w-]+/.exec(body)?.[0] ?? assert.fail(body);
  const visitor = new Visitor(hearth.url);
  const chosen = await visitor.post(link, { password: 'one new password' });
  assert.match(chosen.location, /^\/login\/code/);
  assert.equal((await visitor.get('/groups')).status, 303);
  assert.equal((await ada.post('/admin/people/2/remove-second-factor')).status, 303);
  assert.equal((await ada.post('/admin/people/2/remove-second-factor')).status, 409);
  assert.match(
    (await ada.get('/admin/log')).body,
    /removed the authenticator app, passkeys and e-mail address of/,
  );
  const back = await new Visitor(hearth.url).post('/login', {
    username: 'joe',
    password: 'one new password',
  });
  assert.equal(back.location, '/');
});

test('guesses are limited by account, whoever makes them', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const ada = await newPerson(hearth.url, 'ada');
  const { secret } = await setUp(ada);
  const statuses: number[] = [];
  for (let count = 0; count < 12; count++) {
    const visitor = await afterPassword(hearth.url);
    statuses.push((await visitor.post('/login/code', { code: 'wrong' })).status);
  }
  assert.deepEqual([statuses[9], statuses[11]], [401, 429]);
  const right = await (await afterPassword(hearth.url)).post('/login/code', { code: await codeAt(secret) });
  assert.equal(right.status, 429);
  assert.equal((await ada.get('/groups')).status, 200, 'whoever is signed in stays so');
});

test('a clock half a minute off is taken, a minute is not; an older code after a newer one is not', async (t) => {
  const { secondFactors, account } = await openStores(t);
  const ada = await account('ada');
  const { beginAuthenticator } = await import('../../src/second-factors/verify.ts');
  const secret = await beginAuthenticator({ secondFactors }, ada);
  const now = 1_800_000_015_000;
  const code = (offset: number) => codeAt(secret, now / 1000 + offset);
  await confirmAuthenticator({ secondFactors }, ada, await code(-30), now);
  for (const offset of [-60, 60])
    await assert.rejects(checkCode({ secondFactors }, ada, await code(offset), now));
  await checkCode({ secondFactors }, ada, await code(30), now);
  await assert.rejects(checkCode({ secondFactors }, ada, await code(0), now), 'older than the last one');
});

test('neither the secret nor a recovery code is in a file', ON_SQLITE, async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const { secret, codes } = await setUp(ada);
  for (const file of ['users.sqlite3', 'users.sqlite3-wal'])
    for (const canary of [secret, ...codes])
      assert.ok(!readFileSync(join(hearth.dataDir, file)).includes(canary), file);
});

test('how long somebody stays signed in is their own choice, not that of whoever gave up before them', async (t) => {
  const { url } = await startHearth(t);
  await setUp(await newPerson(url, 'ada', 1));
  await newPerson(url, 'bobby', 1);
  const shared = new Visitor(url);
  await shared.post('/login', { username: 'ada', password: PASSWORD, stay: 'yes' });
  const { headers } = await shared.post('/login', { username: 'bobby', password: PASSWORD, stay: 'no' });
  const cookie = [headers['set-cookie'] ?? []].flat().find((value) => /^hearth=/.test(value));
  assert.ok(cookie);
  assert.doesNotMatch(cookie, /Expires|Max-Age/i);
});
