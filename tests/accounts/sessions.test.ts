import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';

test('sessions: rotated at sign-in, ended by sign-out, ended everywhere by a password change', async (t) => {
  const hearth = await startHearth(t);
  const laptop = await newPerson(hearth.url, 'mina');
  const before = laptop.cookies.get('hearth');

  await t.test('signing in gives a new session id, also to a browser that brought one', async () => {
    const phone = new Visitor(hearth.url);
    phone.cookies.set('hearth', before ?? '');
    await phone.post('/login', { username: 'mina', password: PASSWORD });
    assert.notEqual(phone.cookies.get('hearth'), before);
    assert.equal((await phone.get('/account')).status, 200);
  });

  await t.test('what is changed by hand in the cookie opens nothing', async () => {
    const thief = new Visitor(hearth.url);
    thief.cookies.set('hearth', `${(before ?? '').slice(0, -3)}abc`);
    assert.equal((await thief.get('/account')).location, '/login?next=%2Faccount');
  });

  await t.test('a cookie beside one’s own names no session, whoever sends it then', async () => {
    const own = laptop.cookies.get('hearth');
    for (const planted of ['hearth!', 'hearth', 'hearth=planted']) {
      const cookie = `${planted}; hearth=${own}`;
      for (let round = 0; round < 2; round++) await new Visitor(hearth.url).get('/account', { cookie });
      const thief = await new Visitor(hearth.url).get('/account', { cookie: planted });
      assert.equal(thief.location, '/login?next=%2Faccount', planted);
    }
  });

  await laptop.post('/login', { username: 'mina', password: PASSWORD });
  const phone = new Visitor(hearth.url);
  await phone.post('/login', { username: 'mina', password: PASSWORD });

  await t.test('signing out ends this session and its sockets, and no other', async () => {
    const socket = await phone.socket('/ws');
    const other = await laptop.socket('/ws');
    const kept = phone.cookies.get('hearth') ?? '';
    assert.equal((await phone.post('/logout')).location, '/login');
    assert.equal((await socket.closed).code, 4401);
    phone.cookies.set('hearth', kept);
    assert.equal((await phone.get('/account')).location, '/login?next=%2Faccount');
    assert.equal((await laptop.get('/account')).status, 200);
    assert.equal(other.ws.readyState, other.ws.OPEN);
    other.close();
  });

  await t.test('a changed password ends every session and socket but the one that changed it', async () => {
    await phone.post('/login', { username: 'mina', password: PASSWORD });
    const socket = await phone.socket('/ws');
    const answer = await laptop.post('/account/password', {
      current: PASSWORD,
      password: 'another password',
    });
    assert.equal(answer.location, '/account?changed=password');
    assert.equal((await socket.closed).code, 4401);
    assert.equal((await phone.get('/account')).location, '/login?next=%2Faccount');
    assert.equal((await laptop.get('/account')).status, 200);
    assert.equal((await phone.post('/login', { username: 'mina', password: PASSWORD })).status, 401);
  });
});

test('sessions outlive a restart, and only what they need is in them', async (t) => {
  const hearth = await startHearthProcess(t);
  const person = await newPerson(hearth.url, 'mina');
  assert.equal(await hearth.stop(), 0);
  const again = await startHearthProcess(t, { dataDir: hearth.dataDir });
  const returned = new Visitor(again.url);
  returned.cookies.set('hearth', person.cookies.get('hearth') ?? '');
  assert.equal((await returned.get('/account')).status, 200);
});

test('the cookie is out of reach of scripts and of other sites', async (t) => {
  const hearth = await startHearth(t);
  const answer = await new Visitor(hearth.url).register('mina');
  const cookie = answer.headers['set-cookie']?.find((cookie) => cookie.startsWith('hearth=')) ?? '';
  assert.match(cookie, /^hearth=/);
  assert.match(cookie, /HttpOnly/);
  assert.match(cookie, /SameSite=Lax/);
  assert.doesNotMatch(cookie, /Secure/);
});

test('too many tries are told when to try again, by name and by address', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const visitor = new Visitor(hearth.url);
  let last = await visitor.post('/login', { username: 'mina', password: 'wrong' });
  for (let tries = 1; tries < 12 && last.status === 401; tries++) {
    last = await visitor.post('/login', { username: 'MINA', password: 'wrong' });
  }
  assert.equal(last.status, 429);
  assert.match(last.body, /Too many tries for this name\. Try again in \d+ minutes?\./);
  assert.match(last.body, /value="MINA"/, 'what was typed is still there');
  assert.ok(Number(last.headers['retry-after']) > 0);
  assert.equal(
    (await visitor.post('/login', { username: 'jo', password: 'wrong' })).status,
    401,
    'another name may still try',
  );
});

/** Changes what the stored sessions say, as if time had passed. Hearth must not run. */
function ageSessions(dataDir: string, change: (session: Record<string, unknown>) => object): void {
  const sqlite = new BetterSqlite(join(dataDir, 'sessions.sqlite3'));
  const rows = sqlite.prepare('SELECT sid, sess FROM sessions').all() as { sid: string; sess: string }[];
  for (const { sid, sess } of rows) {
    const session = JSON.parse(sess);
    sqlite
      .prepare('UPDATE sessions SET sess = ? WHERE sid = ?')
      .run(JSON.stringify({ ...session, ...change(session) }), sid);
  }
  sqlite.close();
}

const dayBefore = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

test('sessions end after the days that an administrator sets, those that have begun too', async (t) => {
  const first = await startHearth(t);
  const ada = await newPerson(first.url, 'ada');
  const { dataDir } = first;
  const refused = await ada.post('/admin/session-settings', { idleDays: '2', maxDays: 'never' });
  assert.deepEqual([refused.status, /Choose after how long/.test(refused.body)], [400, true]);

  /** What Ada sees after her session was changed. */
  const afterwards = async (before: { stop(): Promise<unknown> }, change: object) => {
    await before.stop();
    ageSessions(dataDir, () => change);
    const hearth = await startHearth(t, { dataDir });
    const moved = Object.assign(ada, { url: hearth.url });
    return { hearth, status: (await moved.get('/account')).status };
  };
  const unused = await afterwards(first, { renewedOn: dayBefore(20) });
  assert.equal(unused.status, 200, 'thirty days are the default');
  await ada.post('/admin/session-settings', { idleDays: '7', maxDays: '30' });
  const old = await afterwards(unused.hearth, { startedAt: Date.now() - 29 * 86_400_000 });
  assert.equal(old.status, 200);
  const soon = await afterwards(old.hearth, { startedAt: Date.now() - 30 * 86_400_000 + 6_000 });
  const closed = await (await Object.assign(ada, { url: soon.hearth.url }).socket('/ws')).closed;
  assert.equal(closed.code, 4401, 'an open page, too');
  const tooOld = await afterwards(soon.hearth, { startedAt: Date.now() - 31 * 86_400_000 });
  assert.equal(tooOld.status, 303, 'however much it is used');
  const again = await new Visitor(tooOld.hearth.url).post('/login', { username: 'ada', password: PASSWORD });
  assert.match(String(again.headers['set-cookie']), /hearth=[^;]+; Path=\/; Expires=/);
  const seconds =
    Date.parse(
      /hearth=[^;]+; Path=\/; Expires=([^;]+)/.exec(String(again.headers['set-cookie']))?.[1] ?? '',
    ) - Date.now();
  assert.ok(Math.abs(seconds / 86_400_000 - 7) < 0.1, 'the cookie lasts as long');
  ada.cookies.set('hearth', /hearth=([^;]+)/.exec(String(again.headers['set-cookie']))?.[1] ?? '');
  const unusedLong = await afterwards(tooOld.hearth, { startedAt: Date.now(), renewedOn: dayBefore(9) });
  assert.equal(unusedLong.status, 303, 'without use');
});

test('whoever does not stay signed in gets a cookie that ends with the browser, after a second step too', async (t) => {
  const hearth = await startHearth(t);
  await newPerson(hearth.url, 'ada');
  const cookieFor = async (form: Record<string, string>) => {
    const { headers } = await new Visitor(hearth.url).post('/login', {
      username: 'ada',
      password: PASSWORD,
      ...form,
    });
    return (
      String(headers['set-cookie'])
        .split(/,(?=hearth)/)
        .find((cookie) => cookie.startsWith('hearth=')) ?? ''
    );
  };
  assert.match(await cookieFor({}), /Expires/, 'a program that knows nothing of the choice stays');
  assert.doesNotMatch(await cookieFor({ stay: 'no' }), /Expires/);
  const page = await new Visitor(hearth.url).post('/login', {
    username: 'ada',
    password: 'wrong',
    stay: 'no',
  });
  assert.doesNotMatch(page.body, /name="stay" value="yes" checked/, 'the choice is kept');
});
