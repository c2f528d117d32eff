import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import yauzl from 'yauzl';
import { type Answer, newPerson, type Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { runSql } from '../support/rows.ts';
import { until } from '../support/until.ts';

/** The entries of an archive, by path. */
function unpack(bytes: Buffer): Promise<Map<string, Buffer>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Buffer>();
    yauzl.fromBuffer(bytes, { lazyEntries: true, validateEntrySizes: true }, (error, zip) => {
      if (error) return reject(error);
      zip.on('error', reject);
      zip.on('end', () => resolve(entries));
      zip.on('entry', (entry: yauzl.Entry) => {
        zip.openReadStream(entry, async (failure, stream) => {
          if (failure) return reject(failure);
          const chunks: Buffer[] = [];
          for await (const chunk of stream) chunks.push(chunk as Buffer);
          entries.set(entry.fileName, Buffer.concat(chunks));
          zip.readEntry();
        });
      });
      zip.readEntry();
    });
  });
}

async function archiveOf(person: Visitor): Promise<Answer> {
  return until(async () => {
    const answer = await person.get('/account/export/archive');
    return answer.status === 200 && answer;
  }, 'the archive is made');
}

const file = (name: string, text: string) => ({ name, type: 'text/plain', bytes: Buffer.from(text) });

test('an archive has what one wrote and sent, and nothing that others wrote', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  assert.match((await ada.get('/account/export')).body, /Make the archive/, 'the empty state');
  await ada.post('/groups/1/messages', { content: 'The **leeks** grow <script>' });
  await joe.post('/groups/1/messages', { content: 'joes secret' });
  const { body } = await ada.upload(
    '/groups/1/files',
    [file('../a b?.txt', 'canary text')],
    {},
    { 'hx-request': 'true' },
  );
  await ada.post('/groups/1/messages', {
    content: 'a file',
    files: /data-file="([^"]+)"/.exec(body)?.[1] ?? '',
  });
  await ada.post('/groups/1/messages', { content: 'taken back' });
  await ada.post('/groups/1/messages/4/remove');
  await ada.post('/groups/1/draft', { content: 'half a thought' });
  await ada.post('/groups', { name: 'Shed', closed: 'yes' });
  await ada.post('/groups/3/messages', { content: 'in the shed' });
  await ada.post('/groups/1/messages/2/save', { on: 'yes' });

  assert.equal((await ada.post('/account/export')).location, '/account/export');
  const answer = await archiveOf(ada);
  assert.equal(answer.headers['content-type'], 'application/zip');
  const entries = await unpack(answer.bytes);
  const text = (name: string) => String(entries.get(name));
  const files = [...entries.keys()].filter(
    (name) => name.startsWith('files/') && !name.endsWith('README.txt'),
  );
  assert.equal(files.length, 1);
  assert.match(files[0] ?? '', /^files\/1-3-[0-9a-f]{4}-[^/\\?]+\.txt$/, 'no path that leads elsewhere');
  assert.equal(text(files[0] ?? ''), 'canary text');
  assert.match(text('groups/1.html'), /<strong>leeks<\/strong> grow &lt;script&gt;/);
  assert.match(text('index.html'), /href="groups\/3\.html">Shed</);
  const messages = JSON.parse(text('messages.json'));
  assert.deepEqual(
    messages.map((message: { content: string }) => message.content),
    ['The **leeks** grow <script>', 'a file', 'in the shed'],
  );
  const record = JSON.parse(text('account.json'));
  assert.deepEqual(
    [record.account.username, record.drafts[0].text, record.bookmarks[0].seq],
    ['ada', 'half a thought', 2],
  );
  const all = [...entries.values()].map(String).join('');
  for (const other of ['joes secret', 'taken back', 'passwordHash', 'argon2', 'scrypt'])
    assert.ok(!all.includes(other), other);

  assert.equal((await joe.get('/account/export/archive')).status, 404, 'another person has none');
  const stored = readdirSync(join(hearth.dataDir, 'media'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile(),
  );
  for (const entry of stored) {
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    assert.ok(!bytes.includes('leeks') && !bytes.includes('PK\u0003\u0004'), 'it is sealed');
  }
});

test('an archive that a killed process did not finish is made by the next, and one of yesterday is gone', async (t) => {
  const hearth = await startHearthProcess(t, {});
  const ada = await newPerson(hearth.url, 'ada', 1);
  await ada.post('/groups/1/messages', { content: 'hello' });
  await ada.post('/account/export');
  await archiveOf(ada);
  await hearth.kill();
  const change = (values: string) => runSql(hearth.dataDir, 'users', `UPDATE account_exports SET ${values}`);
  await change("state = 'running', size = 0");
  // What it had written of it is still there.
  const media = join(hearth.dataDir, 'media');
  const [file = ''] = readdirSync(media, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(media, name)).isFile(),
  );
  renameSync(join(media, file), join(media, `${file}.part`));
  const next = await startHearth(t, { dataDir: hearth.dataDir });
  const again = Object.assign(ada, { url: next.url });
  assert.ok((await unpack((await archiveOf(again)).bytes)).has('index.html'));
  await next.stop();
  await change(`created_at = ${Date.now() - 25 * 3_600_000}`);
  const later = await startHearth(t, { dataDir: hearth.dataDir });
  const late = Object.assign(ada, { url: later.url });
  for (let tries = 0; (await late.get('/account/export/archive')).status !== 404; tries++)
    assert.ok(tries < 100);
});

test('two thousand messages and their pages are in the archive once each', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  for (let count = 1; count <= 2_500; count++)
    socket.send({ type: 'send', id: crypto.randomUUID(), content: `line ${count}` });
  await socket.next((text) => text.includes('"line 2500"'));
  await ada.post('/account/export');
  const entries = await unpack((await archiveOf(ada)).bytes);
  const messages: { seq: number }[] = JSON.parse(String(entries.get('messages.json')));
  assert.deepEqual(
    messages.map(({ seq }) => seq),
    Array.from({ length: 2_500 }, (_, index) => index + 1),
  );
  assert.equal(String(entries.get('groups/1.html')).match(/<li>/g)?.length, 2_500);
});

/** Sends a file to a group, and resolves to where its bytes are. */
async function sendFile(person: Visitor, dataDir: string, name: string, bytes: Buffer): Promise<string> {
  const before = mediaIn(dataDir);
  const upload = { name, type: 'text/plain', bytes };
  const { body } = await person.upload('/groups/1/files', [upload], {}, { 'hx-request': 'true' });
  const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
  await person.post('/groups/1/messages', { content: name, files });
  return mediaIn(dataDir).find((path) => !before.includes(path)) ?? '';
}

function mediaIn(dataDir: string): string[] {
  const folder = join(dataDir, 'media');
  mkdirSync(folder, { recursive: true });
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('files that are gone or damaged are named in both archives, which have everything else', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  rmSync(await sendFile(ada, hearth.dataDir, 'gone.txt', Buffer.from('gone')));
  const damaged = await sendFile(ada, hearth.dataDir, 'damaged.txt', Buffer.alloc(200_000, 'd'));
  await sendFile(ada, hearth.dataDir, 'whole.txt', Buffer.from('whole'));
  const sealed = readFileSync(damaged);
  sealed.fill(0, 150_000, 150_010);
  writeFileSync(damaged, sealed);
  await ada.post('/account/export');
  for (const { bytes } of [await archiveOf(ada), await ada.get('/groups/1/archive')]) {
    const entries = await unpack(bytes);
    const textOf = (name: string) =>
      String([...entries].find(([path]) => path.endsWith(name))?.[1] ?? 'not there');
    assert.equal(textOf('whole.txt'), 'whole');
    assert.equal(textOf('gone.txt'), 'not there');
    assert.match(textOf('damaged.txt'), /^d{131072}$/, 'up to the damage');
    assert.match(
      textOf('NOT-READABLE.txt'),
      /could not be read:\nfiles\/.+gone\.txt\nfiles\/.+damaged\.txt\n$/,
    );
    assert.ok(entries.has('index.html'));
  }
});

test('a file that is removed while an archive is downloaded is left out, and Hearth goes on', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await sendFile(ada, hearth.dataDir, 'large.bin', Buffer.alloc(20_000_000, 7));
  await sendFile(ada, hearth.dataDir, 'removed.txt', Buffer.from('removed'));
  await sendFile(ada, hearth.dataDir, 'kept.txt', Buffer.from('kept'));
  const response = await download(ada, '/groups/1/archive');
  await once(response, 'readable');
  await ada.post('/groups/1/messages/2/remove');
  await until(() => mediaIn(hearth.dataDir).length === 2, 'its bytes are gone');
  const entries = await unpack(await buffer(response));
  assert.deepEqual(
    [...entries.keys()].filter((path) => path.startsWith('files/1-')).map((path) => path.slice(-8)),
    ['arge.bin', 'kept.txt'],
  );
  assert.equal((await ada.get('/healthz')).status, 200);
});

test('downloads that are broken off leave no file open', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  await sendFile(ada, hearth.dataDir, 'large.bin', Buffer.alloc(20_000_000, 7));
  const media = join(hearth.dataDir, 'media');
  const openFiles = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(media);
      } catch {
        return false;
      }
    }).length;
  const before = openFiles();
  let mostOpen = 0;
  for (let count = 0; count < 4; count++) {
    const response = await download(ada, '/groups/1/archive');
    await once(response, 'readable');
    await until(() => openFiles() > before, 'the file is read');
    mostOpen = Math.max(mostOpen, openFiles());
    response.destroy();
  }
  assert.ok(mostOpen > before);
  await until(() => openFiles() === before, 'all are closed');
});

/** A response of which nothing is read yet. */
async function download({ url, cookie }: Visitor, path: string): Promise<IncomingMessage> {
  const sent = request(url + path, { headers: { cookie } }).end();
  const [response]: IncomingMessage[] = await once(sent, 'response');
  assert.ok(response);
  response.on('error', () => {});
  return response;
}
