import assert from 'node:assert/strict';
import test from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { newPerson } from '../support/client.ts';
import { startHearthProcess } from '../support/hearth.ts';

const FORM = 'application/x-www-form-urlencoded';

const part = (name: string, value: string, more = '') =>
  `--edge\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;

/** Bodies that no page of ours sends, and the headers that they come with. */
const BROKEN: readonly [what: string, headers: Record<string, string>, body: Buffer | string][] = [
  ...[
    ['gzip', gzipSync('content=hello')],
    ['deflate', deflateSync('content=hello')],
    ['br', brotliCompressSync('content=hello')],
  ].flatMap(([encoding, whole]): [string, Record<string, string>, Buffer | string][] => {
    const headers = { 'content-type': FORM, 'content-encoding': String(encoding) };
    return [
      [`${encoding} that is none`, headers, 'content=hello'],
      [`${encoding} that is cut off`, headers, Buffer.from(whole as Uint8Array).subarray(0, -4)],
    ];
  }),
  ['an unknown compression', { 'content-type': FORM, 'content-encoding': 'zip' }, 'content=hello'],
  ['an unknown character set', { 'content-type': `${FORM}; charset=ebcdic` }, 'content=hello'],
  ['thousands of fields', { 'content-type': FORM }, 'a=b&'.repeat(2_000)],
  ['multipart without a boundary', { 'content-type': 'multipart/form-data' }, part('content', 'hello')],
  ['multipart that is empty', { 'content-type': 'multipart/form-data; boundary=edge' }, ''],
  [
    'multipart that is cut off',
    { 'content-type': 'multipart/form-data; boundary=edge' },
    part('content', 'hello'),
  ],
  [
    'multipart that is cut off within a file',
    { 'content-type': 'multipart/form-data; boundary=edge' },
    part('content', 'hello') + part('files', 'some bytes', '; filename="a.txt"'),
  ],
  [
    'multipart that is garbage',
    { 'content-type': 'multipart/form-data; boundary=edge' },
    '--edge\r\n\0\0garbage',
  ],
  [
    'multipart with a NUL in a name',
    { 'content-type': 'multipart/form-data; boundary=edge' },
    `${part('con\0tent', 'hello')}--edge\r\nContent-Disposition\r\n`,
  ],
  ...[
    'fileIds[a]',
    'voice[a]',
    'thread[a]',
    'replyTo[a][b]',
    'content[]x',
    '__proto__[a]',
    'way[a]',
    'remove[a]',
  ].map((name): [string, Record<string, string>, string] => [
    `a multipart field ${name}`,
    { 'content-type': 'multipart/form-data; boundary=edge' },
    `${part('content', /__proto__|\[\]x/.test(name) ? 'fine' : 'hello')}${part(name, '1')}--edge--\r\n`,
  ]),
];

test('a body that cannot be read is a 400 or 413 with a sentence at every door, and has no effect', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const doors = [
    '/groups/1/messages',
    '/groups/1/files',
    '/groups/1/voice',
    '/groups/1/draft',
    '/groups',
    '/account/picture',
    '/account/line',
    '/login',
    '/theme',
  ];
  for (const door of doors)
    for (const [what, headers, body] of BROKEN) {
      const answer = await ada.request('POST', door, Buffer.from(body), headers);
      const isForm = headers['content-type']?.startsWith(FORM);
      const isIgnored = !isForm && !/messages|files|voice|picture/.test(door);
      const isTaken = isIgnored || /__proto__|content\[\]x|empty/.test(what);
      // What a door does not read at all is a form without fields to it, and what it does not look for may be there.
      const wanted = isTaken ? [200, 204, 303, 400, 401, 404, 413] : [400, 413, 415];
      assert.ok(wanted.includes(answer.status), `${door}, ${what}: ${answer.status} ${answer.location}`);
    }
  const { body } = await ada.get('/groups/1');
  assert.doesNotMatch(body, /class="body"><p>hello/, 'nothing was sent');
  assert.doesNotMatch(hearth.output().stderr, /unexpected failure/);
});
