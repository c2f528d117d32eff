import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor as Stranger, type Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearthProcess } from '../support/hearth.ts';
import { startPushService } from '../support/push-service.ts';
import { countRows, runSql } from '../support/rows.ts';
import { recording, SAID } from '../support/speech.ts';
import { until } from '../support/until.ts';

const say = (person: Visitor, group: number, content: string) =>
  person.post(`/groups/${group}/messages`, { content });
const soon = (ms = 900) => new Promise((resolve) => setTimeout(resolve, ms));

test(
  'a mention reaches a closed browser, sealed for it and signed with our own key; a test does too',
  ON_SQLITE,
  async (t) => {
    const service = await startPushService(t);
    const hearth = await startHearthProcess(t, {
      env: { ...service.env, PUSH_CONTACT: 'mailto:ada@example.net' },
    });
    const ada = await newPerson(hearth.url, 'ada', 1);
    const jo = await newPerson(hearth.url, 'joe', 1);
    assert.equal(
      (await jo.post('/notifications/devices', service.subscribe('Firefox on Linux'))).status,
      303,
    );
    await say(ada, 1, 'for nobody in particular');
    await say(ada, 1, '@joe the shed is open');
    const [first] = await service.next(1);
    assert.deepEqual(first?.notice, {
      title: 'ada in General',
      body: '@joe the shed is open',
      url: '/groups/1?around=2#message-2',
      tag: 'group-1',
      badge: 1,
    });
    const page = await jo.get('/notifications');
    assert.equal(/data-public-key="([^"]+)"/.exec(page.body)?.[1], first?.publicKey);
    assert.equal(first?.subject, 'mailto:ada@example.net');
    assert.ok(Number(first?.ttl) > 0);
    assert.match(page.body, /Firefox on Linux[\s\S]*last reached/);
    assert.equal((await jo.post('/notifications/test')).location, '/notifications?done=tested');
    assert.equal((await service.next(2))[1]?.notice.tag, 'test');
    const refused = await ada.post('/notifications/test');
    assert.deepEqual([refused.status, /No device of yours/.test(refused.body)], [400, true]);
    for (const file of ['users.sqlite3', 'users.sqlite3-wal'])
      assert.ok(
        !readFileSync(join(hearth.dataDir, file)).includes('/device/'),
        'where devices are is sealed',
      );

    // The key outlives a restart: browsers subscribed with it.
    await hearth.stop();
    const again = await startHearthProcess(t, { dataDir: hearth.dataDir, env: service.env });
    const back = new Stranger(again.url);
    await back.post('/login', { username: 'ada', password: PASSWORD });
    await say(back, 1, '@joe still there?');
    assert.equal((await service.next(3))[2]?.publicKey, first?.publicKey);
  },
);

test('the bell chooses what one hears of; one’s own messages, and what one looks at, are no news', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: service.env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  for (const person of [ada, jo]) await person.post('/notifications/devices', service.subscribe('A browser'));
  const bodies = async () => {
    await soon();
    return service.received.splice(0).map((pushed) => pushed.notice.body);
  };
  const bell = (kind: string) => jo.post('/groups/1/bell', { bell: kind });

  await bell('everything');
  await say(ada, 1, 'anything');
  await say(jo, 1, 'my own @joe');
  assert.deepEqual(await bodies(), ['anything']);
  await bell('nothing');
  await say(ada, 1, '@joe quietly');
  assert.deepEqual(await bodies(), []);
  await bell('hidden');
  await say(ada, 1, '@joe hidden');
  assert.deepEqual(await bodies(), []);
  await jo.get('/groups/1');
  assert.doesNotMatch((await jo.get('/groups')).body, /id="group-1"/);
  assert.match((await jo.get('/groups')).body, /id="hidden-title"/);
  await bell('mentions');
  assert.match((await jo.get('/groups')).body, /id="group-1"/);
  await say(ada, 1, 'everybody: @all');
  assert.deepEqual(await bodies(), ['everybody: @all']);
  await ada.post('/direct', { with: '2' });
  await say(ada, 3, 'between us');
  assert.deepEqual(await bodies(), ['between us'], 'a direct conversation rings by itself');
  assert.equal((await bell('loudly')).status, 400);

  // A page in sight is told instead, and shows it itself when it is hidden.
  const overview = await jo.socket('/ws', { protocol: 'hearth.html' });
  overview.send({ type: 'seen', is: true });
  await soon(100);
  await say(ada, 1, '@joe look up');
  await overview.next((text) => text.includes('data-event="notify"') && text.includes('@joe look up'));
  assert.deepEqual(await bodies(), []);
  overview.send({ type: 'seen', is: false });
  await soon(100);
  await say(ada, 1, '@joe are you there');
  assert.deepEqual(await bodies(), ['@joe are you there']);
});

test('a notification that a killed process owed is sent after the start, and none twice', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: service.env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await jo.post('/notifications/devices', service.subscribe('A browser'));
  await say(ada, 1, '@joe the first');
  await service.next(1);
  assert.equal((await say(ada, 1, '@joe the second')).status, 303);
  await hearth.kill();
  const again = await startHearthProcess(t, { dataDir: hearth.dataDir, env: service.env });
  assert.equal((await service.next(2))[1]?.notice.body, '@joe the second');
  await again.stop();
  await startHearthProcess(t, { dataDir: hearth.dataDir, env: service.env });
  await soon(6_000);
  assert.equal(service.received.length, 2);
});

test('in quiet hours nothing rings', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: service.env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await jo.post('/notifications/devices', service.subscribe('A browser'));
  const clock = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
  const quiet = (from: number, to: number) =>
    jo.post('/notifications/quiet', { from: clock(from), to: clock(to), zone: 'UTC' });
  await quiet(-1, 1);
  await say(ada, 1, '@joe asleep?');
  await soon();
  assert.deepEqual(service.received, []);
  await quiet(2, 5);
  await say(ada, 1, '@joe awake?');
  await service.next(1);
  await quiet(-1, 1);
  await jo.post('/notifications/quiet', { off: 'yes' });
  await say(ada, 1, '@joe again?');
  await service.next(2);
  for (const [form, sentence] of [
    [{ from: '25:00', to: '07:00', zone: 'UTC' }, 'Give both times as 22:30.'],
    [{ from: '22:00', to: '07:00', zone: 'Nowhere/Land' }, 'This time zone is not known.'],
    [{ from: '22:00', to: '07:00' }, 'This time zone is not known.'],
    [{}, 'Give both times as 22:30.'],
    [{ from: '22:00', to: '22:00', zone: 'UTC' }, 'These hours begin and end at the same time.'],
  ] as const) {
    const { status, body } = await jo.post('/notifications/quiet', form);
    assert.deepEqual([status, body.includes(sentence)], [400, true]);
  }
  const wrong = await jo.post('/notifications/quiet', { from: '21:00', to: '21:00', zone: 'Asia/Tokyo' });
  assert.match(wrong.body, /<option value="Asia\/Tokyo" selected/, 'what was chosen is kept');
  const nowhere = await jo.post('/notifications/quiet', { from: '20:15', to: '06:45', zone: 'Nowhere' });
  assert.match(nowhere.body, /value="20:15"[\s\S]*value="06:45"/);
});

test(
  'a device goes with its session, its owner’s word, a new password, or its vendor’s',
  ON_SQLITE,
  async (t) => {
    const service = await startPushService(t);
    const hearth = await startHearthProcess(t, { env: service.env });
    const ada = await newPerson(hearth.url, 'ada', 1);
    const jo = await newPerson(hearth.url, 'joe', 1);
    const signIn = async () => {
      const visitor = new Stranger(hearth.url);
      await visitor.post('/login', { username: 'joe', password: PASSWORD });
      return visitor;
    };
    const labels = async () =>
      [...(await jo.get('/notifications')).body.matchAll(/<strong>(.*?)<\/strong>/g)].map(
        (regExpExecArray) => regExpExecArray[1],
      );
    const phone = await signIn();
    await jo.post('/notifications/devices', service.subscribe('desk'));
    await phone.post('/notifications/devices', service.subscribe('phone'));
    assert.deepEqual(await labels(), ['desk', 'phone']);
    await phone.post('/logout');
    assert.deepEqual(await labels(), ['desk']);
    assert.equal((await ada.post('/notifications/devices/1/remove')).status, 404, 'not by anybody else');
    assert.equal((await jo.post('/notifications/devices/1/remove')).status, 303);
    assert.deepEqual(await labels(), []);

    await jo.post('/notifications/devices', service.subscribe('gone'));
    service.answerWith(410);
    await say(ada, 1, '@joe hello');
    await service.next(1);
    await soon(200);
    assert.deepEqual(await labels(), []);
    service.answerWith(201);
    const other = await signIn();
    await other.post('/notifications/devices', service.subscribe('other'));
    await jo.post('/account/password', { current: PASSWORD, password: 'another password' });
    assert.deepEqual(await labels(), []);
  },
);

test('nobody makes us send to an address of their choosing', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: service.env });
  const jo = await newPerson(hearth.url, 'joe', 1);
  const device = service.subscribe('A browser');
  for (const endpoint of [
    'https://example.com/push',
    'http://fcm.googleapis.com/fcm/send/x',
    'https://fcm.googleapis.com.example.com/x',
    'https://fcm.googleapis.com:8443/x',
    'https://user@fcm.googleapis.com/x',
    'https://127.0.0.1:1/x',
    'https://169.254.169.254/latest',
    'file:///etc/passwd',
    'nonsense',
  ])
    assert.equal((await jo.post('/notifications/devices', { ...device, endpoint })).status, 400, endpoint);
  for (const wrong of [{ p256dh: 'short' }, { auth: '' }, { label: 'x'.repeat(101) }])
    assert.equal((await jo.post('/notifications/devices', { ...device, ...wrong })).status, 400);
  const vendor = { ...device, endpoint: 'https://updates.push.services.mozilla.com/wpush/v2/x' };
  assert.equal((await jo.post('/notifications/devices', vendor)).status, 303);
  assert.equal((await new Stranger(hearth.url).post('/notifications/devices', device)).status, 401);
});

test('a voice message is told of at once, and its words take the place of that', async (t) => {
  const service = await startPushService(t);
  const hearth = await startHearthProcess(t, { env: service.env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await jo.post('/notifications/devices', service.subscribe('Chrome on Android'));
  await jo.post('/groups/1/bell', { bell: 'everything' });
  await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  const [first, second] = await service.next(2);
  assert.equal(first?.notice.body, 'Voice message, 0:03');
  assert.equal(second?.notice.body, SAID);
  assert.equal(second?.notice.tag, first?.notice.tag);
});

test('who signed out, left, or whose session is over is sent nothing more, nor is what was removed', async (t) => {
  const service = await startPushService(t);
  const { url, dataDir } = await startHearthProcess(t, { env: service.env });
  const ada = await newPerson(url, 'ada', 1);
  const people: Visitor[] = [];
  for (const name of ['joe', 'bobby', 'carol', 'dan']) {
    const person = await newPerson(url, name, 1);
    await person.post('/notifications/devices', service.subscribe(name));
    people.push(person);
  }
  const [joe, bobby, carol, dan] = people;
  assert.ok(joe && bobby && carol && dan);
  service.answerWith(503);
  await say(ada, 1, '@joe @bobby a secret');
  await say(ada, 1, '@carol taken back');
  await until(() => service.received.length >= 3, 'each was tried once');
  await joe.post('/logout');
  await bobby.post('/groups/1/leave');
  await ada.post('/groups/1/messages/2/remove');
  const old = Date.now() - 20 * 86_400_000;
  await runSql(dataDir, 'users', `UPDATE session_list SET started_at = ${old} WHERE account_id = 5`);
  await ada.post('/admin/session-settings', { idleDays: '30', maxDays: '7' });
  await until(async () => (await countRows(dataDir, 'users', 'push_subscriptions')) === 2, 'two are left');
  service.answerWith(201);
  service.received.length = 0;
  await say(ada, 1, '@carol @dan the shed is open');
  const [first] = await service.next(1);
  assert.equal(first?.notice.body, '@carol @dan the shed is open');
  // Longer than until the next try of the others.
  await soon(3_500);
  assert.equal(service.received.length, 1);
});
