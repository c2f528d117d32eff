/// <reference lib="dom" />
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { generate } from 'otplib';
import sharp from 'sharp';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { violationsOn } from '../support/axe.ts';
import { openBrowser, personAt } from '../support/browser.ts';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import { portrait, three, turned } from '../support/faces.ts';
import { ON_SQLITE, startHearth, temporaryFolder } from '../support/hearth.ts';
import { until } from '../support/until.ts';

type Pictures = readonly Buffer[];

/** Loading the models takes seconds: most tests of this file share a server. */
const shared = await startHearth({ after });

function asFiles(field: string, pictures: Pictures) {
  return pictures.map((bytes, index) => ({ field, name: `${index}.jpg`, type: 'image/jpeg', bytes }));
}

async function enrol(person: Visitor, pictures: Pictures, password = PASSWORD) {
  const { status, body } = await person.upload('/account/face', asFiles('pictures', pictures), { password });
  return { status, body, codes: [...body.matchAll(/<code>([0-9A-Z-]{9})</g)].map(([, code = '']) => code) };
}

/** Past the password; resolves to where the second step begins, and the side that it asks for. */
async function afterPassword(url: string, username: string) {
  const visitor = new Visitor(url);
  const first = await visitor.post('/login', { username, password: PASSWORD, next: '/threads' });
  const { location } = await visitor.get(first.location);
  return { visitor, location, side: await sideFor(visitor) };
}

async function sideFor(visitor: Visitor): Promise<'left' | 'right'> {
  const { body } = await visitor.get('/login/face');
  return body.includes('turned to your left') ? 'left' : 'right';
}

/** The templates as they are on the disk. */
function readSealed(dataDir: string): Buffer[] {
  const users = new BetterSqlite(join(dataDir, 'users.sqlite3'), { readonly: true });
  const rows = users.prepare('SELECT template FROM face_templates').all() as { template: Buffer }[];
  users.close();
  return rows.map(({ template }) => template);
}

function show(visitor: Visitor, ahead: Pictures, aside: Pictures) {
  const files = [...asFiles('ahead', ahead), ...asFiles('turned', aside)];
  return visitor.upload('/login/face?next=/threads', files);
}

test('a face is set up with three pictures, asked for after the password, and no other passes', async () => {
  const hearth = shared;
  const ada = await newPerson(hearth.url, 'ada');
  const pictures = await three('ada');
  assert.equal((await enrol(ada, pictures, 'not my password')).status, 403);
  const refused = await enrol(ada, [...pictures.slice(0, 2), await portrait('joe')]);
  assert.equal(refused.status, 400);
  assert.match(refused.body, /Picture 3 shows another face than the first/);
  assert.match((await enrol(ada, pictures.slice(0, 2))).body, /Three pictures are needed; 2 arrived/);
  const [one, two] = pictures as [Buffer, Buffer];
  assert.match((await enrol(ada, [one, two, one])).body, /the same file/);
  const { codes } = await enrol(ada, pictures);
  assert.equal(codes.length, 10);

  const { visitor, location, side } = await afterPassword(hearth.url, 'ada');
  assert.equal(location, '/login/face?next=%2Fthreads');
  assert.equal((await visitor.get('/groups')).location, '/login?next=%2Fgroups', 'not yet');
  const other = await show(visitor, [await portrait('joe')], [await turned('ada', side)]);
  assert.deepEqual([other.status, /does not match/.test(other.body)], [401, true]);
  const unturned = await show(visitor, [await portrait('ada', 3)], [await portrait('ada', 2)]);
  assert.deepEqual([unturned.status, /not turned as it was asked/.test(unturned.body)], [400, true]);
  const none = await show(visitor, [await portrait('nobody')], []);
  assert.match(none.body, /Two pictures are needed/);
  const asked = await sideFor(visitor);
  const done = await show(visitor, [await portrait('ada', 3)], [await turned('ada', asked)]);
  assert.deepEqual([done.status, done.location], [303, '/threads']);
  assert.equal((await visitor.get('/groups')).status, 200);

  const stranger = new Visitor(hearth.url);
  assert.equal((await stranger.get('/login/face')).location, '/login', 'without a password');
  assert.equal((await show(stranger, pictures, pictures)).location, '/login');
  const lost = await afterPassword(hearth.url, 'ada');
  const byCode = await lost.visitor.post('/login/code', { code: codes[0] ?? '' });
  assert.equal(byCode.status, 303, 'a recovery code does instead');
});

test('the wrong side is refused, and tries are counted with those of codes', async (t) => {
  const hearth = await startHearth(t, { env: { RATE_LIMITS: 'on' } });
  const ada = await newPerson(hearth.url, 'ada');
  await enrol(ada, await three('ada'));
  const { visitor, side } = await afterPassword(hearth.url, 'ada');
  const wrong = side === 'left' ? 'right' : 'left';
  const ahead = [await portrait('ada')];
  const refused = await show(visitor, ahead, [await turned('ada', wrong)]);
  assert.match(refused.body, /not turned as it was asked/);
  const asked = await sideFor(visitor);
  const both = [await turned('ada', asked === 'left' ? 'right' : 'left'), await turned('ada', asked)];
  const film = await show(visitor, ahead, both);
  assert.match(film.body, /not turned as it was asked/, 'the first side that is shown decides');
  for (let tries = 2; tries < 10; tries++)
    await (tries % 2 ? visitor.post('/login/code', { code: '000000' }) : show(visitor, [], []));
  assert.equal((await show(visitor, [], [])).status, 429);
  assert.equal((await visitor.post('/login/code', { code: '000000' })).status, 429);
});

test('face and app stand beside each other: either signs in, and the codes go with the last', async () => {
  const hearth = shared;
  const ada = await newPerson(hearth.url, 'grace');
  const { codes } = await enrol(ada, await three('ada'));
  const { body } = await ada.post('/account/second-factor/set-up', { password: PASSWORD });
  const secret = (/key into it: <code>([^<]+)/.exec(body)?.[1] ?? assert.fail(body)).replaceAll(' ', '');
  const confirmed = await ada.post('/account/second-factor/confirm', { code: await generate({ secret }) });
  const newCode = /<code>([0-9A-Z]{4}-[0-9A-Z]{4})</.exec(confirmed.body)?.[1] ?? '';

  const { visitor, location, side } = await afterPassword(hearth.url, 'grace');
  assert.equal(location, '', 'the page for codes, which leads to that of the face');
  assert.match((await visitor.get('/login/code')).body, /Use the face check/);
  assert.equal((await visitor.post('/login/code', { code: codes[0] ?? '' })).status, 401, 'replaced');
  const done = await show(visitor, [await portrait('ada')], [await turned('ada', side)]);
  assert.equal(done.status, 303);

  await ada.post('/account/second-factor/remove', { password: PASSWORD });
  const onlyFace = await afterPassword(hearth.url, 'grace');
  assert.equal((await onlyFace.visitor.post('/login/code', { code: newCode })).status, 303, 'still valid');
  assert.equal((await ada.post('/account/face/remove', { password: 'wrong' })).status, 403);
  await ada.post('/account/face/remove', { password: PASSWORD });
  const free = new Visitor(hearth.url);
  assert.equal((await free.post('/login', { username: 'grace', password: PASSWORD })).location, '/');
});

test(
  'nothing is left of a face that is removed, by its owner, an administrator, or with the account',
  ON_SQLITE,
  async (t) => {
    const hearth = await startHearth(t);
    const admin = await newPerson(hearth.url, 'root');
    const people = await Promise.all(['ada', 'joe', 'eve'].map((name) => newPerson(hearth.url, name)));
    const [ada, , eve] = people as [Visitor, Visitor, Visitor];
    const pictures = await three('ada');
    for (const person of people) assert.equal((await enrol(person, pictures)).codes.length, 10);
    const stored = readSealed(hearth.dataDir);
    assert.equal(stored.length, 3);

    await ada.post('/account/face/remove', { password: PASSWORD });
    const joesPage = /\/admin\/people\/(\d+)">[^<]*joe/i.exec((await admin.get('/admin/people')).body)?.[1];
    await admin.post(`/admin/people/${joesPage}/remove-second-factor`);
    await eve.post('/account/delete', { password: PASSWORD, messages: 'keep' });
    await until(() => readSealed(hearth.dataDir).length === 0);
    const free = new Visitor(hearth.url);
    assert.equal((await free.post('/login', { username: 'joe', password: PASSWORD })).location, '/');
    await hearth.stop();
    const left = readFileSync(join(hearth.dataDir, 'users.sqlite3'));
    for (const template of stored) assert.ok(!left.includes(template.subarray(0, 64)), 'overwritten');
  },
);

/** A film for Chromium's camera, 30 pictures a second: each of these for so many of them. */
async function film(file: string, scenes: readonly (readonly [Buffer, number])[]): Promise<string> {
  const frames: Buffer[] = [];
  for (const [index, [picture, count]] of scenes.entries()) {
    const frame = await sharp(picture)
      .modulate({ brightness: 1 + index / 400 })
      .resize(640, 480, { fit: 'contain', background: '#777777' })
      .jpeg({ quality: 80 })
      .toBuffer();
    frames.push(...Array(count).fill(frame));
  }
  writeFileSync(file, Buffer.concat(frames));
  return file;
}

const camera = (file: string) => [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-video-capture=${file}`,
];

test('with a camera the pictures are taken on the page, to set it up and to sign in', async (t) => {
  const folder = temporaryFolder(t);
  const url = shared.url.replace('127.0.0.1', 'localhost');
  const face = await portrait('ada');
  // No two pictures of a camera are the same.
  const scenes = Array.from({ length: 45 }, () => [face, 1] as const);
  const straight = await film(join(folder, 'straight.mjpeg'), scenes);
  const first = await personAt(await openBrowser(t, camera(straight)), url, 'mary');
  await first.page.goto(`${url}/account/face`);
  await first.page.getByRole('button', { name: 'Use the camera' }).click();
  for (const number of [1, 2, 3]) {
    await first.page.waitForTimeout(150);
    await first.page.getByRole('button', { name: `Take picture ${number} of 3` }).click();
    await first.page.getByRole('img', { name: `Picture ${number}` }).waitFor();
  }
  await first.page.getByLabel('Your password', { exact: true }).fill(PASSWORD);
  await first.page.getByRole('button', { name: 'Set it up' }).click();
  await first.page.getByText('Keep these codes').waitFor();
  assert.deepEqual(first.complaints, []);

  const moving = join(folder, 'moving.mjpeg');
  const turnTo = async (side: 'left' | 'right') =>
    film(moving, [
      [await portrait('ada', 1), 90],
      [await turned('ada', side), 90],
    ]);
  await turnTo('left');
  const context = await (await openBrowser(t, camera(moving))).newContext();
  const page = await context.newPage();
  await page.goto(`${url}/login?next=/threads`);
  await page.getByLabel('Name').fill('mary');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  assert.deepEqual(await violationsOn(page), []);
  // The wrong side first, then the one that is asked for.
  for (const isWrong of [true, false]) {
    const asked = (await page.getByText('turn your head to your left').count()) ? 'left' : 'right';
    // Chromium reads the film when the camera is switched on.
    await turnTo((asked === 'left') === isWrong ? 'right' : 'left');
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.getByText('Look straight ahead.').waitFor();
    await page.getByText('Now turn your head').waitFor();
    if (isWrong) await page.getByText('Your head was not turned as it was asked').waitFor();
  }
  await page.waitForURL('**/threads');
});

test('without the camera or a script, files do', async (t) => {
  const url = shared.url.replace('127.0.0.1', 'localhost');
  const folder = temporaryFolder(t);
  const files = (await three('ada')).map((bytes, index) => {
    const file = join(folder, `${index}.jpg`);
    writeFileSync(file, bytes);
    return file;
  });
  const denied = await personAt(await openBrowser(t), url, 'rosa');
  await denied.page.goto(`${url}/account/face`);
  await denied.page.getByRole('button', { name: 'Use the camera' }).click();
  await denied.page.getByText(/There is no camera|The camera is not allowed/).waitFor();
  await denied.page.getByLabel('Three pictures of you').setInputFiles(files);
  await denied.page.getByLabel('Your password', { exact: true }).fill(PASSWORD);
  await denied.page.getByRole('button', { name: 'Set it up' }).click();
  await denied.page.getByText('Keep these codes').waitFor();

  const context = await (await openBrowser(t)).newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`${url}/login?next=/threads`);
  await page.getByLabel('Name').fill('rosa');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  const side = (await page.getByText('turned to your left').count()) ? 'left' : 'right';
  const aside = join(folder, 'aside.jpg');
  writeFileSync(aside, await turned('ada', side));
  await page.getByLabel('A picture of you, looking ahead').setInputFiles(files[1] ?? '');
  await page.getByLabel(`A picture with your head turned to your ${side}`).setInputFiles(aside);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/threads');
});

test('where faces are not checked any more, nobody is let in without: codes do', async (t) => {
  const dataDir = temporaryFolder(t);
  const before = await startHearth(t, { dataDir });
  const { codes } = await enrol(await newPerson(before.url, 'ada'), await three('ada'));
  await before.stop();
  const hearth = await startHearth(t, { dataDir, env: { FACE_ENGINE: 'off' } });
  const visitor = new Visitor(hearth.url);
  assert.equal(
    (await visitor.post('/login', { username: 'ada', password: PASSWORD })).location,
    '/login/code?next=%2F',
  );
  assert.match((await visitor.get('/login/code')).body, /This server cannot check faces/);
  assert.equal((await show(visitor, [await portrait('ada')], [await portrait('ada')])).status, 409);
  assert.equal((await visitor.get('/groups')).status, 303);
  assert.equal((await visitor.post('/login/code', { code: codes[0] ?? '' })).status, 303);
  assert.match((await visitor.get('/account/face')).body, /This server checks no faces/);
});

test('a face that another engine has set up is asked for by a code, and can be set up again', async (t) => {
  const dataDir = temporaryFolder(t);
  const before = await startHearth(t, { dataDir });
  const { codes } = await enrol(await newPerson(before.url, 'ada'), await three('ada'));
  await before.stop();
  const hearth = await startHearth(t, { dataDir, env: { FACE_ENGINE: 'aws' } });
  const { visitor, location } = await afterPassword(hearth.url, 'ada').catch(() => assert.fail('no page'));
  assert.equal(location, '', 'the page for codes');
  assert.match((await visitor.get('/login/code')).body, /This server cannot check faces/);
  assert.equal((await visitor.get('/login/face')).location, '/login/code?next=%2F');
  assert.equal((await visitor.post('/login/code', { code: codes[0] ?? '' })).status, 303);
  assert.match((await visitor.get('/account/face')).body, /with another engine than this server has now/);
});

test('pictures that are too large together are refused before they are read', async () => {
  const mary = await newPerson(shared.url, 'lina');
  const pictures = Array.from({ length: 3 }, (_, index) => Buffer.alloc(9 * 1024 * 1024, index));
  const refused = await enrol(mary, pictures);
  assert.deepEqual([refused.status, /more than 25 MB/.test(refused.body)], [413, true]);
});

test('whoever stops sending in two forms keeps nobody else out', async (t) => {
  const [eve, tina] = [await newPerson(shared.url, 'evelyn'), await newPerson(shared.url, 'tina')];
  const begin = ({ url, cookie }: Visitor) => {
    const sent = request(`${url}/account/face`, {
      method: 'POST',
      headers: {
        cookie,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': '20000000',
      },
    });
    sent.on('error', () => {});
    sent.write('--x\r\nContent-Disposition: form-data; name="pictures"; filename="a.jpg"\r\n\r\n');
    t.after(() => sent.destroy());
  };
  for (let count = 0; count < 8; count++) begin(eve);
  const tooMany = () => enrol(eve, [Buffer.from('x')]);
  await until(async () => (await tooMany()).status === 503, 'her forms are being read');
  assert.notEqual((await enrol(tina, [Buffer.from('x')])).status, 503);
});
