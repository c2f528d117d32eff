import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { type Frame, newPerson, Visitor } from '../support/client.ts';
import { ROOT, runCommand, runToEnd, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { recording } from '../support/speech.ts';
import { until } from '../support/until.ts';

const CANARIES = {
  username: 'canary.osmunda',
  password: 'canary-password-wisteria',
  newPassword: 'canary-password-hellebore',
  wrongPassword: 'canary-password-foxglove',
  group: 'Canary Larkspur',
  renamed: 'Canary Delphinium',
  form: 'canary-form-snapdragon',
  socket: 'canary-socket-marguerite',
  refused: 'canary-refused-oleander',
  edited: 'canary-edited-gentian',
  fileName: 'canary-file-saxifrage',
  fileContent: 'canary-content-campanula',
  draft: 'canary-draft-columbine',
  line: 'canary-line-anemone',
  search: 'canary-search-hyacinth',
  invitation: 'canary-invitation-lobelia',
  endpoint: 'canary-endpoint-lavender',
  device: 'canary-device-primrose',
  // Nobody types this: it is what the recording says.
  spoken: 'monkeys',
  emoji: '🦩',
};

/** One pixel, as a PNG. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

test('what people type is in no file of the data folder and in no log', async (t) => {
  const scratch = temporaryFolder(t);
  const hearth = await startHearthProcess(t, { env: { LOG_LEVEL: 'trace', TMPDIR: scratch } });
  const person = await newPerson(hearth.url, 'somebody', 1);
  const canary = new Visitor(hearth.url);
  await canary.register(CANARIES.username, CANARIES.password);
  await canary.post('/login', { username: CANARIES.username, password: CANARIES.wrongPassword });
  await canary.post('/account/password', { current: CANARIES.password, password: CANARIES.newPassword });
  const { location } = await canary.post('/groups', { name: CANARIES.group });
  await canary.post(`${location}/rename`, { name: CANARIES.renamed });
  await canary.post(`${location}/messages`, { content: CANARIES.form });
  await canary.post(`${location}/messages`, { content: CANARIES.refused.repeat(1_000) });
  await person.post(`${location}/join`);
  await canary.post(`${location}/messages/1/edit`, { content: CANARIES.edited });
  await canary.post(`${location}/messages/1/reactions`, { emoji: CANARIES.emoji });
  const file = {
    name: `${CANARIES.fileName}.txt`,
    type: 'text/plain',
    bytes: Buffer.from(CANARIES.fileContent),
  };
  await canary.upload(`${location}/messages`, [file], { content: 'with a file' });
  await canary.post(`${location}/draft`, { content: CANARIES.draft });
  await canary.post('/account/line', { line: CANARIES.line });
  const device = {
    endpoint: `https://fcm.googleapis.com/fcm/send/${CANARIES.endpoint}`,
    p256dh: Buffer.alloc(65, 4).toString('base64url'),
    auth: Buffer.alloc(16, 1).toString('base64url'),
    label: CANARIES.device,
  };
  assert.equal((await canary.post('/notifications/devices', device)).status, 303);
  await canary.get(`/search?q=${CANARIES.search}`);
  // As it is written: `fetch` would leave the dots out.
  const [answer] = await once(get(hearth.url, { path: `/x/../join/${CANARIES.invitation}` }), 'response');
  answer.resume();
  const socket = await canary.socket(`/ws/chat/${location.split('/').pop()}`);
  await canary.upload(`${location}/voice`, [recording('webm')], { way: 'message' });
  const isWritten = (frame: Frame) => String(frame.content).includes(CANARIES.spoken);
  await socket.nextJson('message', isWritten);
  const heard = (await canary.get(location)).body.match(/data-voice="([^"]+)"/)?.[1];
  const audio = (await canary.get(`/media/${heard}`)).bytes;
  socket.send({ type: 'send', id: randomUUID(), content: CANARIES.socket });
  await socket.nextJson('ack');
  socket.ws.send(CANARIES.refused);
  await socket.nextJson('error');
  assert.ok((await person.get(location)).body.includes(CANARIES.socket), 'it can be read by a person');

  const look = (when: string) => {
    for (const file of [...files(hearth.dataDir), ...files(scratch)]) {
      const bytes = readFileSync(file);
      assert.ok(!bytes.includes(audio.subarray(2_000, 2_100)), `what was spoken is in ${file} ${when}`);
      for (const [what, word] of Object.entries(CANARIES))
        assert.ok(!bytes.includes(word), `${what} is in ${file} ${when}`);
    }
  };
  look('while it runs, write-ahead logs included');
  assert.equal(await hearth.stop(), 0);
  look('after it stopped');
  const { stdout, stderr } = hearth.output();
  for (const [what, word] of Object.entries(CANARIES))
    assert.ok(!(stdout + stderr).includes(word), `${what} is in the log`);
});

test('a start with another key, or without the one that was made, is refused in one sentence', async (t) => {
  const key = randomBytes(32).toString('base64');
  const hearth = await startHearthProcess(t, { env: { ENCRYPTION_KEY: key } });
  await hearth.stop();
  const start = (env: Record<string, string>) => runToEnd(['--port', '0', '--data', hearth.dataDir], env);
  const other = await start({ ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  assert.deepEqual([other.code, other.stderr.trim().split('\n').length], [2, 1]);
  assert.match(other.stderr, /key does not fit the data/);
  const none = await start({});
  assert.equal(none.code, 2);
  assert.match(none.stderr, /holds no key for the data/);
  const again = await startHearthProcess(t, { dataDir: hearth.dataDir, env: { ENCRYPTION_KEY: key } });
  assert.equal(await again.stop(), 0);
});

test('keys rotate, also when the rotation is killed and run again, and the old key opens nothing afterwards', async (t) => {
  const hearth = await startHearthProcess(t);
  const person = await newPerson(hearth.url, 'keeper', 1);
  const socket = await person.socket('/ws/chat/1');
  const contents = Array.from({ length: 3_000 }, (_, index) => `kept message ${index}`);
  for (const content of contents) socket.send({ type: 'send', id: randomUUID(), content });
  await until(() => socket.all('ack').length === contents.length);

  const file = { name: 'kept.txt', type: 'text/plain', bytes: Buffer.from('kept in a file') };
  await person.upload('/groups/1/messages', [file], { content: 'with a file' });
  await person.post('/groups/1/messages/3001/edit', { content: 'with a kept file' });
  await person.post('/groups/1/messages/3001/reactions', { emoji: '🎉' });
  await person.post('/groups/1/draft', { content: 'a kept draft' });
  await person.post('/account/line', { line: 'a kept line' });
  const form = new FormData();
  form.append('picture', new Blob([Buffer.from(PIXEL, 'base64')]), 'me.png');
  const encoded = new Response(form);
  await person.request('POST', '/account/picture', Buffer.from(await encoded.arrayBuffer()), {
    'content-type': encoded.headers.get('content-type') ?? '',
  });
  const device = {
    endpoint: 'https://fcm.googleapis.com/fcm/send/kept',
    p256dh: Buffer.alloc(65, 4).toString('base64url'),
    auth: Buffer.alloc(16, 1).toString('base64url'),
    label: 'a kept device',
  };
  await person.post('/notifications/devices', device);
  contents.push('with a kept file');

  const rotate = () => runCommand('rotate-keys', ['--data', hearth.dataDir]);
  const busy = await rotate();
  assert.equal(busy.code, 2);
  assert.match(busy.stderr, /Another Hearth is using/);
  await hearth.stop();

  const cut = spawn(process.execPath, ['command.js', 'rotate-keys', '--data', hearth.dataDir], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  cut.stderr.once('data', () => cut.kill('SIGKILL'));
  await once(cut, 'close');
  assert.equal(cut.signalCode, 'SIGKILL', 'it was cut off while it sealed messages');

  const halfway = await startHearthProcess(t, { dataDir: hearth.dataDir });
  const reader = new Visitor(halfway.url);
  for (const [name, value] of person.cookies) reader.cookies.set(name, value);
  assert.match((await reader.get('/groups/1')).body, /kept message 2999/, 'halfway, everything opens');
  await halfway.stop();

  const done = await rotate();
  assert.equal(done.code, 0, done.stderr);
  const keys = join(hearth.dataDir, 'keys');
  assert.deepEqual(readdirSync(keys).sort(), ['0001.key.retired', '0002.key']);
  const after = await startHearthProcess(t, { dataDir: hearth.dataDir });
  const late = new Visitor(after.url);
  for (const [name, value] of person.cookies) late.cookies.set(name, value);
  const all = await late.socket('/ws/chat/1?after=0');
  await until(() => all.all('message').length === contents.length);
  assert.deepEqual(
    all.all('message').map((frame) => frame.content),
    contents,
  );
  const page = await late.get('/groups/1');
  assert.match(page.body, /🎉/);
  assert.match(page.body, /a kept draft<\/textarea>/);
  const [, media = ''] = /href="(\/media\/[^"]+)"/.exec(page.body) ?? [];
  assert.equal((await late.get(media)).body, 'kept in a file');
  assert.match((await late.get('/groups/1/messages/3001')).body, /Earlier versions[\s\S]*with a file/);
  assert.match((await late.get('/people/1')).body, /a kept line/);
  assert.equal((await late.get('/people/1/picture')).status, 200);
  assert.match((await late.get('/notifications')).body, /a kept device/);
  assert.match((await late.get('/search?q=3001')).body, /Nothing found|class="hit"/);
  await after.stop();

  rmSync(join(keys, '0002.key'));
  renameSync(join(keys, '0001.key.retired'), join(keys, '0001.key'));
  const old = await runToEnd(['--port', '0', '--data', hearth.dataDir]);
  assert.equal(old.code, 2);
  assert.match(old.stderr, /does not fit the data/);
});

test('with ENCRYPTION_KEY, the new key goes before the old one', async (t) => {
  const [old, fresh] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
  const dataDir = join(temporaryFolder(t), 'data');
  const hearth = await startHearthProcess(t, { dataDir, env: { ENCRYPTION_KEY: old } });
  await newPerson(hearth.url, 'keeper', 1);
  await hearth.stop();
  const rotate = (ENCRYPTION_KEY: string) =>
    runCommand('rotate-keys', ['--data', dataDir], { ENCRYPTION_KEY });
  const alone = await rotate(old);
  assert.equal(alone.code, 2);
  assert.match(alone.stderr, /ENCRYPTION_KEY=new,old/);
  assert.equal((await rotate(`${fresh},${old}`)).code, 0);
  const after = await startHearthProcess(t, { dataDir, env: { ENCRYPTION_KEY: fresh } });
  assert.equal(
    (await new Visitor(after.url).post('/login', { username: 'keeper', password: 'correct horse battery' }))
      .status,
    303,
  );
});

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
