import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { after } from 'node:test';
import sharp from 'sharp';
import { decodePage, readPage } from '../../src/previews/read-page.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { until } from '../support/until.ts';

/** A site on this machine, which administrators of these tests allow. */
const asked: string[] = [];
const picture = await sharp({ create: { width: 1_200, height: 630, channels: 3, background: '#c2410c' } })
  .withExif({ IFD0: { Copyright: 'canary of a camera' } })
  .jpeg()
  .toBuffer();
const site = createServer(({ url = '' }, response) => {
  asked.push(url);
  const page = (words: string) => response.setHeader('content-type', 'text/html; charset=utf-8').end(words);
  if (url === '/article')
    page(
      '<title>Not this</title><meta property="og:title" content="Leeks &amp; onions"><meta property="og:description" content="How to\n grow canary leeks"><meta property="og:site_name" content="The garden"><meta property="og:image" content="/picture.jpg">',
    );
  else if (url === '/picture.jpg') response.setHeader('content-type', 'image/jpeg').end(picture);
  else if (url === '/article-two') page('<title>Another article</title>');
  // Never ends; closed with the site.
  else if (url.startsWith('/slow')) response.writeHead(200, { 'content-type': 'text/html' }).write('<title>');
  else if (url === '/moved') response.writeHead(302, { location: '/article' }).end();
  else if (url === '/inside') response.writeHead(302, { location: 'http://10.0.0.1/' }).end();
  else if (url === '/script')
    page(
      '<title>a<script>alert(1)</script>"><img src=x onerror=alert(1)></title><meta property="og:image" content="file:///etc/passwd">',
    );
  else if (url === '/file') response.setHeader('content-type', 'application/pdf').end('%PDF');
  else response.writeHead(404).end('<title>Not found</title>');
});
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
after(() => {
  site.closeAllConnections();
  site.close();
});
const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;

const shared = await startHearth({ after });
const ada = await newPerson(shared.url, 'ada', 1);
await ada.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1', linkPreviews: 'yes' });

/** Sends a message and waits for its preview. @returns its fragment */
async function previewOf(person: Visitor, content: string, groupId = 1): Promise<string> {
  const socket = await person.socket(`/ws/chat/${groupId}`, { protocol: 'hearth.html' });
  await person.post(`/groups/${groupId}/messages`, { content });
  const html = await socket.next((text) => text.includes('class="preview"'));
  socket.close();
  return /<a class="preview"[\s\S]*?<\/a>/.exec(html)?.[0] ?? assert.fail(html);
}

/** Sends a message, then another that gets a preview: the first one has had its turn by then. */
async function withoutPreview(person: Visitor, content: string): Promise<string> {
  const { location } = await person.post('/groups/1/messages', { content });
  await previewOf(ada, `${origin}/article`);
  const seq = /message-(\d+)/.exec(location)?.[1] ?? (await newestSeq(person)) - 1;
  return (await person.get(`/groups/1/messages/${seq}`)).body;
}

async function newestSeq(person: Visitor): Promise<number> {
  const { body } = await person.get('/groups/1');
  return Number([...body.matchAll(/id="message-(\d+)"/g)].at(-1)?.[1]);
}

test('a link shows what its page says of itself, live, with its picture from here only', async () => {
  const joe = await newPerson(shared.url, 'joe', 1);
  const html = await previewOf(joe, `Look: ${origin}/moved, and ${origin}/never`);
  assert.match(html, /The garden<\/span><strong>Leeks &amp; onions<\/strong>/);
  assert.match(html, /How to grow canary leeks/);
  const [, source = '', width, height] =
    /<img src="([^"]+)" alt="" width="(\d+)" height="(\d+)"/.exec(html) ?? [];
  assert.deepEqual([width, height], ['480', '252']);
  assert.match(source, /^\/groups\/1\/messages\/\d+\/link-image\?\d+$/, 'no address of elsewhere');
  const image = await joe.get(source);
  assert.deepEqual([image.status, image.headers['content-type']], [200, 'image/webp']);
  assert.doesNotMatch(image.body, /canary of a camera/);
  assert.ok(!asked.includes('/never'), 'the first link only');
  const stranger = await newPerson(shared.url, 'stranger');
  assert.equal((await stranger.get(source)).status, 403);
  assert.equal((await new Visitor(shared.url).get(source)).status, 303);
  for (const file of readdirSync(shared.dataDir).filter((name) => name.startsWith('chat.sqlite3')))
    assert.ok(!readFileSync(join(shared.dataDir, file)).includes('canary leeks'), file);

  const seq = /messages\/(\d+)/.exec(source)?.[1];
  assert.match((await joe.get(`/groups/1/messages/${seq}`)).body, /class="preview"/);
  await joe.post(`/groups/1/messages/${seq}/edit`, { content: 'No link any more' });
  assert.doesNotMatch((await joe.get(`/groups/1/messages/${seq}`)).body, /class="preview"/);
  assert.equal((await joe.get(source)).status, 404, 'and its picture is gone');
});

test('another address in its place gets its own preview; slow sites of one person hold up nobody else', async () => {
  const lena = await newPerson(shared.url, 'lena', 1);
  await previewOf(lena, `${origin}/article`);
  const seq = await newestSeq(lena);
  const socket = await lena.socket('/ws/chat/1', { protocol: 'hearth.html' });
  await lena.post(`/groups/1/messages/${seq}/edit`, { content: `${origin}/article-two` });
  assert.match(await socket.next((text) => text.includes('class="preview"')), /Another article/);
  socket.close();
  for (let count = 0; count < 6; count++)
    await lena.post('/groups/1/messages', { content: `${origin}/slow?${count}` });
  await until(() => asked.some((url) => url.startsWith('/slow')));
  assert.match(await previewOf(ada, `${origin}/article`), /Leeks/);
  assert.equal(asked.filter((url) => url.startsWith('/slow')).length, 1, 'one site of each person at a time');
});

test('a page is text here, whatever it contains', async () => {
  const html = await previewOf(ada, `${origin}/script`);
  assert.doesNotMatch(html, /<script|<img/);
  assert.match(html, /&lt;img src=x/);
});

test('what is private, no page, or says nothing, has none', async () => {
  for (const path of ['/inside', '/file', '/missing'])
    assert.doesNotMatch(await withoutPreview(ada, `${origin}${path}`), /class="preview"/, path);
  const before = asked.length;
  const inCode = await withoutPreview(ada, `\`${origin}/missing\``);
  assert.doesNotMatch(inCode, /class="preview"/);
  assert.deepEqual(asked.slice(before).includes('/missing'), false, 'code is no link');
});

test('link previews are turned off by a person for what they send and read, by an administrator for everybody', async () => {
  const kim = await newPerson(shared.url, 'kim', 1);
  await kim.post('/account/previews', {});
  assert.doesNotMatch(await withoutPreview(kim, `${origin}/moved`), /class="preview"/);
  assert.match((await kim.get('/groups/1')).body, /<body class="[^"]*without-previews/);
  await ada.post('/admin/outgoing-settings', { allowedAddresses: '127.0.0.1' });
  const before = asked.length;
  await ada.post('/groups/1/messages', { content: `${origin}/article` });
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(asked.length, before);
  await ada.post('/admin/outgoing-settings', { linkPreviews: 'yes', allowedAddresses: '' });
  await ada.post('/groups/1/messages', { content: `${origin}/article` });
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal(asked.length, before, 'private addresses are for administrators to allow');
  await ada.post('/admin/outgoing-settings', { linkPreviews: 'yes', allowedAddresses: '127.0.0.1' });
});

test('a picture goes with its message', async () => {
  const html = await previewOf(ada, `${origin}/article`);
  const source = /src="([^"?]+)/.exec(html)?.[1] ?? '';
  const picture = await ada.get(source);
  assert.deepEqual([picture.status, picture.headers['cache-control']], [200, 'private, no-cache']);
  await ada.post(`/groups/1/messages/${/messages\/(\d+)/.exec(source)?.[1]}/remove`);
  await until(async () => (await ada.get(source)).status === 404);
});

test('pages are read in any order, encoding and state', () => {
  assert.deepEqual(readPage('<meta name=description content="A page"><title> One \n two </title>'), {
    title: 'One two',
    description: 'A page',
    site: '',
    image: undefined,
  });
  assert.equal(readPage('<title>cut o').title, 'cut o');
  assert.equal(readPage('<svg><title>icon</title></svg>').title, 'icon');
  assert.equal(readPage(`<title>${'x'.repeat(300)}</title>`).title.length, 200);
  assert.equal(readPage('<title>a\u202eb\u0007c</title>').title, 'a b c');
  assert.equal(readPage('<html><title/><body><p>X</p></body></html>', true).title, '');
  const sixteen = Buffer.concat([
    Buffer.from([0xff, 0xfe]),
    Buffer.from('<title>Sixteen</title>', 'utf16le'),
  ]);
  assert.equal(readPage(decodePage(sixteen, 'text/html')).title, 'Sixteen');
  const latin = Buffer.from('<meta charset="iso-8859-1"><title>Caf\xe9</title>', 'latin1');
  assert.equal(readPage(decodePage(latin, 'text/html')).title, 'Café');
  assert.equal(decodePage(Buffer.from('é'), 'text/html; charset=nonsense'), 'é');
});
