import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { browserLabel } from '../../src/accounts/browser-label.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth } from '../support/hearth.ts';
import { runSql } from '../support/rows.ts';
import { until } from '../support/until.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1';

async function signIn(url: string, userAgent: string): Promise<Visitor> {
  const visitor = new Visitor(url, { 'user-agent': userAgent });
  await visitor.post('/login', { username: 'ada', password: PASSWORD });
  return visitor;
}

const labels = async (person: Visitor) =>
  [...(await person.get('/account/sessions')).body.matchAll(/<strong>([^<]+)<\/strong>/g)].map(
    (row) => row[1],
  );

test('a browser is called what people call it', () => {
  assert.equal(browserLabel(FIREFOX), 'Firefox on Linux');
  assert.equal(browserLabel(IPHONE), 'Safari on iPhone');
  assert.equal(
    browserLabel('Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0'),
    'Edge on Windows',
  );
  assert.equal(browserLabel('curl/8.0'), 'A program');
  assert.equal(browserLabel(undefined), 'A program');
});

test('one sees where one is signed in, ends one session or all others, and each is out at once', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const [desk, phone] = [await signIn(hearth.url, FIREFOX), await signIn(hearth.url, IPHONE)];
  assert.deepEqual(await labels(ada), ['Safari on iPhone', 'Firefox on Linux', 'A program']);
  const socket = await phone.socket('/ws/chat/1');
  const { body } = await ada.get('/account/sessions');
  const id = /Safari on iPhone[\s\S]*?sessions\/(\d+)\/end/.exec(body)?.[1];
  assert.equal((await ada.post(`/account/sessions/${id}/end`)).status, 303);
  assert.equal((await socket.closed).code, 4401);
  assert.equal((await phone.get('/groups')).status, 303);
  assert.equal((await ada.post(`/account/sessions/${id}/end`)).status, 404);
  assert.deepEqual(await labels(ada), ['Firefox on Linux', 'A program']);

  await signIn(hearth.url, IPHONE);
  assert.equal((await desk.post('/account/sessions/end-others')).status, 303);
  assert.deepEqual(await labels(desk), ['Firefox on Linux']);
  assert.equal((await ada.get('/groups')).status, 303);
  assert.equal((await desk.get('/groups')).status, 200);

  // After a new password only the session that changed it is left; signing out takes it from the list.
  await signIn(hearth.url, IPHONE);
  await desk.post('/account/password', { current: PASSWORD, password: 'another password' });
  assert.deepEqual(await labels(desk), ['Firefox on Linux']);
});

test('nobody ends a session of somebody else, and no file has a session’s id', ON_SQLITE, async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const joe = await newPerson(hearth.url, 'joe');
  for (const id of [1, 2, 3]) await joe.post(`/account/sessions/${id}/end`);
  assert.equal((await ada.get('/groups')).status, 200);
  const cookie = decodeURIComponent(ada.cookies.get('hearth') ?? '');
  const sessionId = /^s:([^.]+)\./.exec(cookie)?.[1] ?? assert.fail(cookie);
  for (const file of ['users.sqlite3', 'users.sqlite3-wal'])
    assert.ok(!readFileSync(join(hearth.dataDir, file)).includes(sessionId), file);
});

test('a session that ends with its browser is over two days after its last use, and no other', async (t) => {
  const { url, dataDir } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  const brief = new Visitor(url, { 'user-agent': FIREFOX });
  await brief.post('/login', { username: 'ada', password: PASSWORD, stay: 'no' });
  assert.deepEqual(await labels(ada), ['Firefox on Linux', 'A program']);
  const change = () => ada.post('/admin/session-settings', { idleDays: '30', maxDays: 'never' });
  await change();
  assert.deepEqual(await labels(ada), ['Firefox on Linux', 'A program']);
  await runSql(dataDir, 'users', `UPDATE session_list SET used_at = used_at - ${3 * 86_400_000}`);
  await change();
  await until(async () => (await labels(ada)).length === 1, 'it is over');
  assert.deepEqual(await labels(ada), ['A program']);
});
