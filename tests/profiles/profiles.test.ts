import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { ON_SQLITE, startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

const FACE = await sharp({ create: { width: 600, height: 400, channels: 3, background: '#268' } })
  .withExif({ IFD0: { Copyright: 'secret-place' } })
  .jpeg()
  .toBuffer();

/** A form with one file, as the account page sends it. */
async function sendPicture(person: Visitor, bytes: Buffer, fields: Record<string, string> = {}) {
  const form = new FormData();
  form.append('picture', new Blob([Buffer.from(bytes)]), bytes.length > 0 ? 'me.jpg' : '');
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const encoded = new Response(form);
  return person.request('POST', '/account/picture', Buffer.from(await encoded.arrayBuffer()), {
    'content-type': encoded.headers.get('content-type') ?? '',
  });
}

test(
  'a picture and a line are seen by everybody here, sealed, and may be taken away',
  ON_SQLITE,
  async (t) => {
    const hearth = await startHearth(t);
    const ada = await newPerson(hearth.url, 'ada', 1);
    const jo = await newPerson(hearth.url, 'joe', 1);
    await ada.post('/groups/1/messages', { content: 'hello' });
    const socket = await ada.socket('/ws/chat/1');
    assert.equal((await sendPicture(ada, FACE)).location, '/account?changed=profile');
    assert.equal((await socket.closed).code, 1001, 'other tabs come back with the new picture');
    await ada.post('/account/line', { line: '  Keeper of\nthe canarykey ' });

    const page = await jo.get('/people/1');
    assert.match(page.body, /<p>Keeper of the canarykey<\/p>/);
    const [, address = ''] =
      /src="(\/people\/1\/picture\?v=\d+)"/.exec((await jo.get('/groups/1')).body) ?? [];
    const picture = await jo.get(address);
    const { format, width, height } = await sharp(picture.bytes).metadata();
    assert.deepEqual([format, width, height], ['webp', 256, 256]);
    assert.ok(!picture.bytes.includes('secret-place'));
    assert.equal((await new Visitor(hearth.url).get(address)).status, 303, 'not for strangers');
    for (const file of ['users.sqlite3', 'users.sqlite3-wal']) {
      const stored = readFileSync(join(hearth.dataDir, file));
      assert.ok(!stored.includes('canarykey') && !stored.includes('WEBP'));
    }
    await sendPicture(ada, Buffer.alloc(0), { remove: 'yes' });
    assert.doesNotMatch((await jo.get('/groups/1')).body, /people\/1\/picture/);
    assert.equal((await jo.get('/people/1/picture')).status, 404);
  },
);

test('what is no picture, too large or too long gets one sentence, and what was typed is still there', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada');
  const svg = await sendPicture(ada, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  assert.deepEqual([svg.status, /This picture cannot be read/.test(svg.body)], [400, true]);
  const none = await sendPicture(ada, Buffer.alloc(0));
  assert.deepEqual([none.status, /Choose a picture first/.test(none.body)], [400, true]);
  const large = await sendPicture(ada, Buffer.alloc(15 * 1024 * 1024 + 1));
  assert.deepEqual([large.status, /at most 15 MB/.test(large.body)], [400, true]);
  const long = await ada.post('/account/line', { line: `far too long ${'x'.repeat(140)}` });
  assert.deepEqual([long.status, /at most 140 characters/.test(long.body)], [400, true]);
  assert.match(long.body, /value="far too long x/);
});

test(
  'a changed username is shown everywhere at once, and the former one belongs to nobody else',
  ON_SQLITE,
  async (t) => {
    const hearth = await startHearth(t, { env: { ADMIN_USERNAME: 'chief', RATE_LIMITS: 'on' } });
    const chief = await newPerson(hearth.url, 'chief', 1);
    const ada = await newPerson(hearth.url, 'ada', 1);
    await chief.post('/groups/1/messages', { content: 'Good morning, @Ada!' });
    await chief.post('/direct', { with: '2' });
    const browser = await chief.socket('/ws/chat/1', { protocol: 'hearth.html' });
    const program = await chief.socket('/ws/chat/1');
    assert.equal((await ada.post('/account/username', { username: 'countess' })).status, 303);
    const renamed = { type: 'renamed', accountId: 2, username: 'countess', name: 'countess' };
    assert.deepEqual(await program.nextJson('renamed'), renamed);
    await browser.next((text) =>
      text.includes('data-event="renamed" data-account-id="2" data-username="countess"'),
    );

    const { body } = await chief.get('/groups/1');
    assert.match(body, /data-mention="2">@countess</, 'an old mention has the new name');
    assert.match((await chief.get('/people/2')).body, /@countess/);
    const stranger = new Visitor(hearth.url);
    const signIn = (username: string) =>
      new Visitor(hearth.url).post('/login', { username, password: PASSWORD });
    assert.deepEqual([(await signIn('ada')).status, (await signIn('countess')).status], [401, 303]);
    const taken = await stranger.post('/register', { username: 'ADA', password: PASSWORD });
    assert.deepEqual([taken.status, /That name is taken/.test(taken.body)], [409, true]);
    assert.equal(
      (await ada.post('/account/username', { username: 'Ada' })).status,
      303,
      'its owner can have it back',
    );

    await newPerson(hearth.url, 'joe');
    const refused = await ada.post('/account/username', { username: 'joe' });
    assert.deepEqual(
      [refused.status, refused.body.includes('value="joe"')],
      [409, true],
      'what was typed is still there',
    );
    const often = await ada.post('/account/username', { username: 'ada.l' });
    assert.deepEqual([often.status, /three times today/.test(often.body)], [429, true]);
    for (const file of ['users.sqlite3', 'users.sqlite3-wal'])
      assert.ok(!readFileSync(join(hearth.dataDir, file)).includes('countess'));
  },
);

test('nobody but an administrator can take the name that makes an administrator', async (t) => {
  const hearth = await startHearth(t, { env: { ADMIN_USERNAME: 'chief' } });
  const ada = await newPerson(hearth.url, 'ada');
  assert.equal((await ada.post('/account/username', { username: 'Chief' })).status, 409);
  const chief = await newPerson(hearth.url, 'chief');
  assert.equal((await chief.post('/admin/people/1/rename', { username: 'lovelace' })).status, 303);
  assert.match((await chief.get('/admin/log')).body, /changed the name of <strong>ada to lovelace</);
  const refused = await chief.post('/admin/people/1/rename', { username: 'a b' });
  assert.deepEqual([refused.status, refused.body.includes('value="a b"')], [400, true]);
});

test('the name that makes an administrator is taken for good where there is one; a former name is nobody’s to be seen by', async (t) => {
  const hearth = await startHearth(t, { env: { ADMIN_USERNAME: 'boss' } });
  const boss = await newPerson(hearth.url, 'boss');
  const ada = await newPerson(hearth.url, 'ada');
  await boss.post('/admin/people/2/make-admin');
  await boss.post('/account/delete', { messages: 'keep', password: PASSWORD });
  await until(async () => (await ada.get('/people/1')).status === 404);
  assert.equal((await new Visitor(hearth.url).register('boss')).status, 409);
  await ada.post('/account/username', { username: 'countess' });
  const mallory = await newPerson(hearth.url, 'mallory');
  assert.equal((await mallory.post('/account/name', { displayName: 'Ada' })).status, 409);
  assert.equal((await ada.post('/account/name', { displayName: 'Ada' })).status, 303);
});
