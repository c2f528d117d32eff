import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { conversationOperations } from '../../src/messages/conversation-operations.ts';
import { type Frame, newPerson, type Socket, Visitor } from '../support/client.ts';
import { ROOT, startHearth } from '../support/hearth.ts';

type Sample = {
  input: () => Record<string, string>;
  wrong?: Record<string, string>;
  /** What the form of a page without scripts answers. */
  status: number;
};

/** One for each operation of the table: a new operation fails here until its rules are said. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  send: { input: () => ({ id: randomUUID(), content: 'hello' }), wrong: { content: '' }, status: 303 },
  read: { input: () => ({ seq: '1' }), wrong: { seq: 'all' }, status: 303 },
  typing: { input: () => ({}), status: 204 },
  draft: { input: () => ({ content: 'half a' }), wrong: { content: 'x', thread: 'one' }, status: 204 },
};

/** Forms that are made by hand, and why. */
const OTHER_FORMS: Readonly<Record<string, string>> = {
  '/groups/:id/messages': 'sends, after it has read the files of a multipart form',
  '/groups/:id/files': 'takes the bytes of files',
  '/groups/:id/voice': 'takes the bytes of a recording',
  '/account/picture': 'takes the bytes of a picture',
  '/register': 'begins a session, which is a cookie',
  '/login': 'begins a session, which is a cookie',
  '/logout': 'ends a session, which is a cookie',
  '/account/password': 'begins a session anew, which is a cookie',
  '/login/code': 'begins a session, which is a cookie',
  '/account/second-factor/set-up': 'answers with a secret that is shown once',
  '/account/second-factor/confirm': 'answers with codes that are shown once',
  '/account/second-factor/remove': 'takes the password',
  '/login/face': 'begins a session, which is a cookie',
  '/account/face': 'takes the bytes of pictures',
  '/account/face/remove': 'takes the password',
  '/account/tokens': 'answers with a token that is shown once',
  '/admin/imports': 'takes the bytes of an archive',
  '/admin/bots': 'answers with a token that is shown once',
  '/admin/bots/:id/token': 'answers with a token that is shown once',
  '/hooks/:secret': 'is for programs, which have no account',
  '/account/passkeys': 'takes what the browser signed for this session',
  '/account/passkeys/options': 'takes the password',
  '/login/passkey': 'begins a session, which is a cookie',
  '/login/passkey/options': 'begins a session, which is a cookie',
  '/forgot': 'is for somebody who cannot sign in',
  '/confirm-email/:token': 'is for whoever reads the mail',
  '/join/:code/decline': 'is for whoever reads the mail',
  '/account/delete': 'asks for the password, and ends the session',
  '/account/device-link': 'answers with a link that is shown once',
  '/admin/people/:id/password-link': 'answers with a link that is shown once',
  '/new-password/:token': 'begins a session, which is a cookie',
  '/this-device/:token': 'begins a session, which is a cookie',
  '/theme': 'is kept in a cookie of this browser',
  '/api/voice/transcripts': 'is for the function that transcribes, which has no account',
};

test('every operation of a conversation works at both doors for members, and is refused for the others', async (t) => {
  assert.deepEqual(
    conversationOperations.map((operation) => operation.name).toSorted(),
    Object.keys(SAMPLES).toSorted(),
  );
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const stranger = await newPerson(hearth.url, 'stranger');
  const nobody = new Visitor(hearth.url);
  const socket = await ada.socket('/ws/chat/1');

  for (const { name, path } of conversationOperations) {
    const sample = SAMPLES[name];
    assert.ok(sample, name);
    const { input, wrong, status } = sample;
    const address = `/groups/1/${path}`;
    assert.equal((await ada.post(address, input())).status, status, name);
    const answer = await command(socket, { type: name, ...input() });
    assert.equal(answer.type, 'ack', `${name}: ${answer.detail}`);
    if (name === 'send') assert.deepEqual([answer.seq, typeof answer.change], [2, 'number']);
    assert.equal((await stranger.post(address, input())).status, 403, name);
    assert.equal((await nobody.post(address, input())).status, 401, name);
    if (!wrong) continue;
    assert.equal((await ada.post(address, wrong)).status, 400, name);
    const refused = await command(socket, { type: name, ...wrong });
    assert.equal(refused.type, 'error', name);
  }
  const outside = await stranger.socket('/ws/chat/1');
  assert.equal((await outside.closed).code, 4403, 'no member has the commands');
});

test('every other form of the source is one that no table can make', () => {
  const src = join(ROOT, 'src');
  const paths = readdirSync(src, { recursive: true, encoding: 'utf8' })
    // The API and the clients of other chats have no forms.
    .filter((file) => file.endsWith('.ts') && !/^(?:api.router|other-clients|lesson)/.test(file))
    .flatMap((file) => [...readFileSync(join(src, file), 'utf8').matchAll(/\.post\(\s*'([^']+)'/g)])
    .map((match) => match[1]);
  assert.deepEqual(paths.toSorted(), Object.keys(OTHER_FORMS).toSorted());
});

async function command(socket: Socket, frame: Record<string, unknown>): Promise<Frame> {
  const id = frame.id ?? randomUUID();
  socket.send({ ...frame, id });
  const isAnswer = (text: string) =>
    ['ack', 'error'].includes(JSON.parse(text).type) && JSON.parse(text).id === id;
  return JSON.parse(await socket.next(isAnswer));
}
