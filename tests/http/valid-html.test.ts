import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth, temporaryFolder } from '../support/hearth.ts';
import { recording } from '../support/speech.ts';

const hasJava = spawnSync('java', ['-version']).status === 0;

/** One error of the Nu checker, as `--format json` writes it. */
type Complaint = { type: string; url: string; lastLine: number; message: string; extract?: string };

test('the Nu checker finds no error in any page', {
  skip: !hasJava && 'There is no Java runtime; install one with: apt-get install default-jre-headless',
}, async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1, 2);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const green = { create: { width: 60, height: 40, channels: 3 as const, background: 'green' } };
  const png = { name: 'shed.png', type: 'image/png', bytes: await sharp(green).png().toBuffer() };
  const text = { name: 'list & notes.txt', type: 'text/plain', bytes: Buffer.from('leeks') };
  const say = (content: string, more = {}) => ada.post('/groups/1/messages', { content, ...more });
  await say(
    '**The shed** needs `paint`, see https://example.com/?a=1&b=2 @joe\n\n> "quoted" <b>\n\n- one\n- two',
  );
  await say('```js\nconst a = "b";\n```\n~~gone~~ [label](https://example.com)');
  await say('Which colour?', { replyTo: '1', thread: '1' });
  await ada.upload('/groups/1/messages', [png, text], { content: 'The shed' });
  await ada.upload('/groups/1/voice', [recording('ogg')], { way: 'message' });
  await say('wrong');
  await ada.post('/groups/1/messages/6/edit', { content: 'right' });
  await say('away');
  await ada.post('/groups/1/messages/7/remove');
  await joe.post('/groups/1/messages/1/reactions', { emoji: '👍' });
  await ada.post('/groups/1/messages/1/pin', { on: 'yes' });
  await ada.post('/groups/1/messages/1/save', { on: 'yes' });
  const { location } = await ada.post('/direct', { with: '2' });
  await ada.post('/account/line', { line: 'Keeper of the "shed" key' });
  const dictated = await ada.upload('/groups/1/voice', [recording('ogg')], { way: 'text' });

  const own = [
    ...['/groups', '/groups?new=', '/groups/1', '/groups/1?newest=', '/groups/1?reply=1', '/groups/2'],
    ...['/groups/1?around=2', '/groups/1/threads/1', '/groups/1/threads/1?beside=', '/groups/1/messages/1'],
    ...['/groups/1/messages/5', '/groups/1/messages/6', '/groups/1/members', '/groups/1/settings'],
    ...['/groups/1/files', '/groups/1/pins', '/groups/1/voice', '/groups/1/settings?saved=', '/threads'],
    ...[
      '/search',
      '/search?q=shed',
      '/search?q=has:money',
      '/search?q=nothing&has=image',
      '/saved',
      '/direct',
    ],
    ...[
      '/people/1',
      '/people/2',
      '/notifications',
      '/account',
      '/account/sessions',
      '/invitations',
      '/inbox',
      '/admin',
      '/admin/people',
      '/admin/people/2',
      '/admin/groups',
      '/admin/log',
      '/account/delete',
      '/account/export',
      '/account/passkeys',
      '/account/face',
      '/account/tokens',
      '/groups/1/bots',
      '/admin/bots',
      '/admin/imports',
      '/api/docs',
      '/account/second-factor',
      '/deleted/nothing',
      '/trust',
      '/connection',
      '/reports',
      '/groups/1/messages/1/report',
      '/nowhere',
      '/groups/99',
      '/offline',
    ],
    ...[location ?? '', dictated.location?.split('#')[0] ?? ''],
  ];
  const stranger = new Visitor(hearth.url);
  const pages: [string, string][] = [];
  for (const path of own) pages.push([path, (await ada.get(path)).body]);
  for (const path of ['/groups/2', '/groups/1/messages/1', '/line'])
    pages.push([`joe ${path}`, (await joe.get(path)).body]);
  for (const path of ['/login', '/login?next=/groups/1', '/register', '/forgot', '/nowhere'])
    pages.push([`stranger ${path}`, (await stranger.get(path)).body]);
  const refused: [string, Record<string, string>][] = [
    ['/groups', { name: '' }],
    ['/groups/1/messages', { content: 'x'.repeat(9_000) }],
    ['/groups/1/rename', { name: '' }],
    ['/account/password', { current: 'wrong', password: 'short' }],
    ['/account/name', { displayName: 'joe' }],
    ['/account/username', { username: 'joe' }],
    ['/account/delete', { messages: 'keep', password: 'wrong' }],
    ['/admin/groups/1/delete', { confirmation: 'x' }],
    ['/groups/1/delete-group', { confirmation: 'x' }],
    ['/notifications/quiet', { from: '25:00', to: '', zone: 'UTC' }],
  ];
  for (const [path, form] of refused) pages.push([`refused ${path}`, (await ada.post(path, form)).body]);
  const wrong = { username: 'nobody', password: 'wrong password' };
  pages.push(['refused /login', (await stranger.post('/login', wrong)).body]);
  pages.push([
    'refused /register',
    (await stranger.post('/register', { username: 'ada', password: 'x' })).body,
  ]);

  const folder = temporaryFolder(t);
  const files = pages.map(([, html], index) => {
    const file = join(folder, `${index}.html`);
    writeFileSync(file, html);
    return file;
  });
  const jar = createRequire(import.meta.url).resolve('vnu-jar/build/dist/vnu.jar');
  const { stderr } = spawnSync(
    'java',
    ['-Xss8m', '-jar', jar, '--errors-only', '--format', 'json', ...files],
    {
      encoding: 'utf8',
      maxBuffer: 50_000_000,
    },
  );
  const { messages } = JSON.parse(stderr) as { messages: Complaint[] };
  const found = messages
    .filter(({ type }) => type !== 'info')
    .map(({ url, message, lastLine, extract }) => {
      const index = Number(/(\d+)\.html/.exec(url)?.[1]);
      return `${pages[index]?.[0]}:${lastLine}: ${message} ${extract ?? ''}`;
    });
  const others = pages.filter(([, html]) => !/^<!doctype html>/i.test(html)).map(([path]) => path);
  assert.deepEqual(others, [], 'all of them are pages');
  assert.deepEqual(found, []);
});
