import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { sweep } from '../../src/files/sweep.ts';
import { newPerson, type Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { upload } from '../support/imports.ts';
import { recording } from '../support/speech.ts';
import { openStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const NOTES = { name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('some notes of mine') };

/** A picture that lies on its side and says where it was taken. */
function photo(width = 1200, height = 900): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#a63' } })
    .withExif({ IFD0: { Orientation: '6', Copyright: 'secret-place' } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer();
}

async function uploaded(
  person: Visitor,
  file: { name: string; type: string; bytes: Uint8Array },
): Promise<string> {
  const { status, body } = await person.upload('/groups/1/files', [file], {}, { 'hx-request': 'true' });
  assert.equal(status, 201, body);
  return /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((dirent) => dirent.isFile())
    .map((dirent) => join(dirent.parentPath, dirent.name));
}

test('a file goes with a message at all three doors, and is for members only', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const stranger = await newPerson(hearth.url, 'stranger', 2);
  const socket = await ada.socket('/ws/chat/1');

  // The form of a page without a script.
  const sent = await ada.upload('/groups/1/messages', [NOTES, { ...NOTES, name: 'other.txt' }], {
    content: '',
  });
  assert.equal(sent.status, 303);
  const byForm = await socket.nextJson('message');
  const [first] = byForm.files as [{ id: string; name: string; url: string; size: number }];
  assert.equal((byForm.files as unknown[]).length, 2);
  assert.deepEqual([first.name, first.size, byForm.content], ['notes.txt', NOTES.bytes.length, '']);

  // A script's form, and a socket.
  const second = await uploaded(ada, NOTES);
  assert.equal((await ada.get(`/media/${second}`)).status, 200, 'one’s own, before it is sent');
  const jo = await newPerson(hearth.url, 'joe', 1);
  assert.equal((await jo.get(`/media/${second}`)).status, 404, 'nobody else’s, before it is sent');
  await ada.post('/groups/1/messages', { content: 'by form', fileIds: second }, { 'hx-request': 'true' });
  await socket.nextJson('message', (frame) => frame.content === 'by form');
  const third = await uploaded(ada, NOTES);
  const id = randomUUID();
  socket.send({ type: 'send', id, content: 'by socket', files: [third] });
  await socket.nextJson('ack', (frame) => frame.id === id);
  socket.send({ type: 'send', id, content: 'by socket', files: [third] });
  const again = await socket.nextJson('ack', (frame) => frame.id === id);
  assert.equal(again.seq, 3, 'a second try is the same message');

  for (const file of [first.id, second, third]) {
    const answer = await jo.get(`/media/${file}`);
    assert.equal(answer.body, 'some notes of mine');
    assert.equal((await stranger.get(`/media/${file}`)).status, 404);
    assert.equal((await stranger.get(`/media/${file}/thumbnail`)).status, 404);
  }
  const page = await jo.get('/groups/1');
  assert.match(page.body, /class="file-card" href="\/media\//);

  // Sent once is sent: neither another message nor another person gets it.
  socket.send({ type: 'send', id: randomUUID(), content: 'twice', files: [third] });
  assert.equal((await socket.nextJson('error')).code, 'not_found');
  const joSocket = await jo.socket('/ws/chat/1');
  const own = await uploaded(ada, NOTES);
  joSocket.send({ type: 'send', id: randomUUID(), content: 'not mine', files: [own] });
  assert.equal((await joSocket.nextJson('error')).code, 'not_found');
  assert.equal((await stranger.upload('/groups/1/files', [NOTES])).status, 403);
  socket.send({ type: 'send', id: randomUUID(), content: '', files: [] });
  assert.equal((await socket.nextJson('error')).code, 'empty');
});

test('a picture is drawn anew: upright, without EXIF, with its dimensions and a small one beside it', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const bytes = await photo();
  assert.ok(bytes.includes('secret-place'));
  const id = await uploaded(ada, { name: 'IMG_1.jpg', type: 'image/png', bytes });
  const answer = await ada.get(`/media/${id}`);
  assert.equal(answer.headers['content-type'], 'image/jpeg', 'its type is what it is, not what was claimed');
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.match(String(answer.headers['content-disposition']), /^inline/);
  assert.ok(!answer.bytes.includes('secret-place') && !answer.bytes.includes('Exif'));
  const { width, height } = await sharp(answer.bytes).metadata();
  assert.deepEqual([width, height], [900, 1200]);
  const small = await sharp((await ada.get(`/media/${id}/thumbnail`)).bytes).metadata();
  assert.deepEqual([small.format, small.width, small.height], ['webp', 480, 640]);
  await ada.post('/groups/1/messages', { content: '', fileIds: id });
  assert.match((await ada.get('/groups/1')).body, /<img [^>]*width="240" height="320"/);
});

test('whatever could run in a browser is downloaded, whatever it calls itself', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const script = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  for (const [name, type] of [
    ['a.svg', 'image/svg+xml'],
    ['a.html', 'text/html'],
    ['a.jpg', 'image/jpeg'],
    ['a.pdf', 'application/pdf'],
    ['a.js', 'text/javascript'],
  ] as const) {
    const id = await uploaded(ada, { name, type, bytes: script });
    const { headers } = await ada.get(`/media/${id}`);
    assert.equal(headers['content-type'], 'application/octet-stream', name);
    assert.match(String(headers['content-disposition']), /^attachment/);
    assert.match(String(headers['content-security-policy']), /sandbox/);
  }
  const odd = await uploaded(ada, { name: '../..\\e"vil\r\n名前.txt', type: 'text/plain', bytes: script });
  const { headers } = await ada.get(`/media/${odd}`);
  assert.match(
    String(headers['content-disposition']),
    /^attachment; filename="[^"\r\n/]*"; filename\*=UTF-8''[\w%.-]+$/,
  );
});

test('players get the ranges that they ask for, and know when nothing has changed', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const bytes = randomBytes(200_000);
  const id = await uploaded(ada, { name: 'song.mp3', type: 'audio/mp3', bytes });
  const part = await ada.get(`/media/${id}`, { range: 'bytes=65530-131080' });
  assert.equal(part.status, 206);
  assert.equal(part.headers['content-range'], 'bytes 65530-131080/200000');
  assert.ok(part.bytes.equals(bytes.subarray(65_530, 131_081)));
  assert.ok((await ada.get(`/media/${id}`, { range: 'bytes=-5' })).bytes.equals(bytes.subarray(-5)));
  const beyond = await ada.get(`/media/${id}`, { range: 'bytes=200000-' });
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, 'bytes */200000']);
  const whole = await ada.get(`/media/${id}`);
  assert.equal(whole.headers['content-type'], 'audio/mpeg');
  assert.ok(whole.bytes.equals(bytes));
  const etag = String(whole.headers.etag);
  assert.equal((await ada.get(`/media/${id}`, { 'if-none-match': etag })).status, 304);
});

test('a file that was lost or damaged on the disk is a page with a sentence, and so is its small picture', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const [lost, damaged] = [await uploaded(ada, NOTES), await uploaded(ada, NOTES)];
  const picture = await uploaded(ada, { name: 'a.jpg', type: 'image/jpeg', bytes: await photo() });
  for (const file of filesIn(join(hearth.dataDir, 'media')))
    if (file.includes(damaged)) writeFileSync(file, readFileSync(file).fill(1, 30));
    else rmSync(file);
  for (const path of [`/media/${lost}`, `/media/${damaged}`, `/media/${picture}/thumbnail`]) {
    const { status, headers, body } = await ada.get(path);
    assert.equal(status, 500, path);
    assert.match(body, /This file cannot be read any more\. Tell the person who runs this Hearth/);
    assert.match(String(headers['content-type']), /^text\/html/);
    assert.doesNotMatch(String(headers['content-security-policy']), /sandbox/);
    for (const name of ['content-disposition', 'etag', 'accept-ranges'])
      assert.equal(headers[name], undefined, name);
  }
  const empty = await uploaded(ada, { ...NOTES, bytes: Buffer.alloc(0) });
  assert.deepEqual(
    [(await ada.get(`/media/${empty}`)).status, (await ada.get(`/media/${empty}`)).body],
    [200, ''],
  );
});

test('limits of a file, a person and the whole disk are sentences, and what was typed is still there', async (t) => {
  const env = { FILE_LIMIT_MB: '2', PERSON_LIMIT_MB: '3', DISK_LIMIT_MB: '4' };
  const hearth = await startHearth(t, { env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const file = (megabytes: number) => ({
    name: 'big.bin',
    type: 'application/x-any',
    bytes: Buffer.alloc(megabytes * 1024 * 1024),
  });
  const refused = await ada.upload('/groups/1/messages', [NOTES, file(2.1)], { content: 'look at this' });
  assert.equal(refused.status, 413);
  assert.match(refused.body, /A file has at most 2 MB\./);
  assert.match(refused.body, /look at this<\/textarea>/);
  await uploaded(ada, file(1.9));
  const person = await ada.upload('/groups/1/files', [file(1.5)], {}, { 'hx-request': 'true' });
  assert.deepEqual([person.status, /may take 3 MB together/.test(person.body)], [507, true]);
  await uploaded(jo, file(1.9));
  const disk = await jo.upload('/groups/1/files', [file(0.9)], {}, { 'hx-request': 'true' });
  assert.deepEqual([disk.status, /no room left for files/.test(disk.body)], [507, true]);
  const eleven = await jo.upload('/groups/1/messages', Array(11).fill(NOTES), { content: 'many' });
  assert.deepEqual([eleven.status, /at most 10 files/.test(eleven.body)], [400, true]);
  const socket = await jo.socket('/ws/chat/1');
  const ids = Array.from({ length: 11 }, () => randomUUID());
  socket.send({ type: 'send', id: randomUUID(), content: 'many', files: ids });
  await socket.nextJson('error', (frame) => String(frame.detail).includes('at most 10 files'));
  const fields = new URLSearchParams([['content', 'many'], ...ids.map((id) => ['fileIds', id])]).toString();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  assert.equal((await jo.request('POST', '/groups/1/messages', fields, form)).status, 400);
  assert.equal(filesIn(join(hearth.dataDir, 'media')).length, 2, 'what was refused is not kept');
});

test('an upload whose answer was lost is repeated where there is room for one only', async (t) => {
  const hearth = await startHearth(t, { env: { PERSON_LIMIT_MB: '3' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const big = { name: 'big.bin', type: 'application/x-any', bytes: Buffer.alloc(2 * 1024 * 1024) };
  const asked = { 'hx-request': 'true' };
  const tryOf = (id: string) => ada.upload(`/groups/1/files?upload=${id}`, [big], {}, asked);
  const id = randomUUID();
  const [first, second] = [await tryOf(id), await tryOf(id)];
  assert.deepEqual([first.status, second.status], [201, 201], second.body);
  const [lost, kept] = [first, second].map(({ body }) => /data-file="([^"]+)"/.exec(body)?.[1]);
  assert.equal((await ada.get(`/media/${lost}`)).status, 404);
  assert.equal((await tryOf(randomUUID())).status, 507, 'another upload replaces nothing');
  const joe = await newPerson(hearth.url, 'joe', 1);
  assert.equal((await joe.upload(`/groups/1/files?upload=${id}`, [NOTES], {}, asked)).status, 201);
  assert.equal((await ada.get(`/media/${kept}`)).status, 200, 'nor does that of somebody else');
  assert.equal((await tryOf('no-uuid')).status, 400);
  await ada.post('/groups/1/messages', { content: 'sent', files: kept ?? '' });
  assert.equal((await tryOf(id)).status, 507, 'what was sent stays');
  assert.equal((await ada.get(`/media/${kept}`)).status, 200);
  const recorded = randomUUID();
  for (const upload of [recorded, recorded])
    await joe.upload(`/groups/1/voice?upload=${upload}`, [recording('webm')], {}, asked);
  assert.equal(filesIn(join(hearth.dataDir, 'media')).length, 3, 'a recording is replaced, too');
});

test('a try of an upload that ends after the next one leaves nothing', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const path = `/groups/1/files?upload=${randomUUID()}`;
  const headers = { cookie: ada.cookie, 'content-type': 'multipart/form-data; boundary=x' };
  const slow = request(new URL(path, hearth.url), { method: 'POST', headers });
  const answered = once(slow, 'response');
  slow.write('--x\r\ncontent-disposition: form-data; name="files"; filename="a.bin"\r\n\r\nsome');
  await until(() => filesIn(join(hearth.dataDir, 'media')).length > 0);
  assert.equal((await ada.upload(path, [NOTES], {}, { 'hx-request': 'true' })).status, 201);
  slow.end('\r\n--x--\r\n');
  const [{ statusCode }] = await answered;
  assert.equal(statusCode, 409);
  assert.equal(filesIn(join(hearth.dataDir, 'media')).length, 1);
});

test('a refused message keeps its files for the next try, and removing it takes them from the disk', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const tooLong = await ada.upload('/groups/1/messages', [NOTES], { content: 'x'.repeat(8_001) });
  assert.equal(tooLong.status, 400);
  const id = /name="fileIds" value="([^"]+)" checked/.exec(tooLong.body)?.[1] ?? '';
  const sent = await ada.upload('/groups/1/messages', [], { content: 'short', fileIds: id });
  assert.equal(sent.status, 303);
  const media = join(hearth.dataDir, 'media');
  assert.equal(filesIn(media).length, 1);
  assert.ok(filesIn(media).every((path) => !readFileSync(path).includes('notes')));
  assert.equal((await ada.post(`/media/${id}/discard`, {})).status, 409);
  assert.equal(
    (await ada.get(`/media/${id}`)).status,
    200,
    'what was sent is taken back with its message only',
  );
  await ada.post('/groups/1/messages/1/remove');
  assert.equal((await ada.get(`/media/${id}`)).status, 404);
  assert.deepEqual(filesIn(media), []);

  const unsent = await uploaded(ada, NOTES);
  assert.equal((await ada.post(`/media/${unsent}/discard`, {}, { 'hx-request': 'true' })).status, 204);
  assert.deepEqual(filesIn(media), []);
});

test('an upload that is cancelled leaves nothing, and a sweep takes what nobody sent', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const media = join(hearth.dataDir, 'media');
  const url = new URL('/groups/1/files', hearth.url);
  const cancelled = request(url, {
    method: 'POST',
    headers: { cookie: ada.cookie, 'content-type': 'multipart/form-data; boundary=x' },
  });
  cancelled.on('error', () => {});
  cancelled.write('--x\r\ncontent-disposition: form-data; name="files"; filename="a.bin"\r\n\r\n');
  cancelled.write(Buffer.alloc(500_000));
  await until(() => filesIn(media).length > 0);
  cancelled.destroy();
  await until(() => filesIn(media).length === 0);

  const kept = await uploaded(ada, NOTES);
  await ada.post('/groups/1/messages', { content: '', fileIds: kept });
  const left = await uploaded(ada, NOTES);
  const known = filesIn(media);
  await upload(ada, '_chat.txt', Buffer.from('31.12.20, 23:59 - Ada: Hello'));
  const archive = filesIn(media).filter((path) => !known.includes(path));
  assert.equal(await hearth.stop(), 0);
  const { files, blobs } = await openStores(t, hearth.dataDir);
  await sweep({ files, blobs });
  assert.equal(filesIn(media).length, 3, 'what is a day old at most stays');
  const DAY = 86_400_000;
  for (const path of filesIn(media)) utimesSync(path, 0, 0);
  await sweep({ files, blobs }, Date.now() + DAY + 1);
  assert.deepEqual(
    filesIn(media)
      .map((path) => path.slice(-36))
      .toSorted(),
    [kept, ...archive.map((path) => path.slice(-36))].toSorted(),
    'an archive that is being brought in stays, too',
  );
  assert.equal(await files.byId(left), undefined);
});

test('a file of 200 MB goes in and out without taking 200 MB of memory', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const megabyte = randomBytes(1024 * 1024);
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${hearth.pid}/status`, 'utf8'))?.[1]);
  const before = memory();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, memory());
  }, 20);
  t.after(() => clearInterval(watch));

  const body = await new Promise<string>((resolve, reject) => {
    const sending = request(
      new URL('/groups/1/files', hearth.url),
      {
        method: 'POST',
        headers: {
          cookie: ada.cookie,
          'hx-request': 'true',
          'content-type': 'multipart/form-data; boundary=x',
        },
      },
      async (response) => {
        let text = '';
        for await (const chunk of response.setEncoding('utf8')) text += chunk;
        resolve(text);
      },
    );
    sending.on('error', reject);
    sending.write('--x\r\ncontent-disposition: form-data; name="files"; filename="a.bin"\r\n\r\n');
    let left = 200;
    const write = () => {
      while (left-- > 0) if (!sending.write(megabyte)) return void sending.once('drain', write);
      sending.end('\r\n--x--\r\n');
    };
    write();
  });
  const id = /data-file="([^"]+)"/.exec(body)?.[1];
  const received = await new Promise<number>((resolve, reject) => {
    request(new URL(`/media/${id}`, hearth.url), { headers: { cookie: ada.cookie } }, async (response) => {
      let bytes = 0;
      for await (const chunk of response) bytes += chunk.length;
      resolve(bytes);
    })
      .on('error', reject)
      .end();
  });
  assert.equal(received, 200 * 1024 * 1024);
  const grown = (peak - before) / 1024;
  t.diagnostic(`${Math.round(grown)} MB more at the peak`);
  assert.ok(grown < 130, `${Math.round(grown)} MB more at the peak`);
});

test('a group has a page of its files, for members only; has: finds them by kind', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const stranger = await newPerson(hearth.url, 'stranger', 2);
  assert.match((await ada.get('/groups/1/files')).body, /Nothing here yet/);
  const picture = { name: 'beds.jpg', type: 'image/jpeg', bytes: await photo(60, 40) };
  await ada.upload('/groups/1/messages', [NOTES, picture], { content: 'the plan' });
  await uploaded(ada, { ...NOTES, name: 'unsent.txt' });
  const { body } = await ada.get('/groups/1/files');
  assert.match(body, /beds\.jpg/);
  assert.match(body, /notes\.txt/);
  assert.doesNotMatch(body, /unsent\.txt/);
  assert.equal((await stranger.get('/groups/1/files')).status, 403);
  const isFound = async (query: string) =>
    (await ada.get(`/search?q=${encodeURIComponent(query)}`)).body.includes('class="hit"');
  await until(() => isFound('has:image'));
  assert.ok(!(await isFound('has:video')));
});

test('the pages of a group’s files leave none out, also of a message at the end of one', async (t) => {
  const { url } = await startHearth(t);
  const ada = await newPerson(url, 'ada', 1);
  for (const count of [10, 10, 10, 10, 10, 10, 10, 5]) {
    const files = Array.from({ length: count }, (_, index) => ({
      name: `${index}.txt`,
      type: 'text/plain',
      bytes: Buffer.from('x'),
    }));
    await ada.upload('/groups/1/messages', files, { content: 'some' });
  }
  let shown = 0;
  for (let path: string | undefined = '/groups/1/files'; path; ) {
    const { body } = await ada.get(path);
    shown += (body.match(/href="\/media\/[0-9a-f-]{36}[^"]*"/g) ?? []).length;
    path = /href="(\/groups\/1\/files\?before=\d+)"/.exec(body)?.[1];
  }
  assert.equal(shown, 75);
});
