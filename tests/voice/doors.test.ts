import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import type { Frame, Socket } from '../support/client.ts';
import { newPerson, type Visitor } from '../support/client.ts';
import { startHearth, startHearthProcess } from '../support/hearth.ts';
import { countRows } from '../support/rows.ts';
import { recording, SAID, wav } from '../support/speech.ts';
import { until } from '../support/until.ts';

type Voice = {
  fileId: string;
  length: number;
  peaks: number[];
  transcript: string;
  words: { text: string; at: number | null }[];
};

const SCRIPT = { 'hx-request': 'true' };

/** A recording as a script brings it; it is not sent yet. */
async function recorded(person: Visitor, one = recording('webm'), group = 1): Promise<string> {
  const { status, body } = await person.upload(`/groups/${group}/voice`, [one], {}, SCRIPT);
  assert.equal(status, 201, body);
  return /data-file="([^"]+)"/.exec(body)?.[1] ?? '';
}

const withTranscript = (state: string) => (frame: Frame) =>
  (frame.voice as Voice | null)?.transcript === state;

async function written(socket: Socket, state = 'draft'): Promise<Frame & { voice: Voice }> {
  // It has a voice: `withTranscript` looked.
  return (await socket.nextJson('message', withTranscript(state))) as Frame & { voice: Voice };
}

/** The text of a recording that is not sent, as soon as it is there. */
async function textOf(person: Visitor, file: string): Promise<{ transcript: string; text: string }> {
  const read = async () => {
    const found = JSON.parse((await person.get(`/media/${file}/transcript`)).body);
    return found.transcript !== 'waiting' && found;
  };
  return until(read, 'it is written down');
}

test('a voice message is sent at once, its text follows, and it is found, read and played by members only', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const stranger = await newPerson(hearth.url, 'stranger', 2);
  const socket = await jo.socket('/ws/chat/1');

  // Without a script: one form, answered with the message.
  const sent = await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  assert.equal(sent.location, '/groups/1#message-1');
  const first = (await socket.nextJson('message')) as Frame & { voice: Voice };
  assert.equal(first.content, '');
  assert.equal(first.voice.transcript, 'waiting');
  assert.ok(Math.abs(first.voice.length - 2.68) < 0.02 && first.voice.peaks.length === 44);
  const draft = await written(socket);
  assert.equal(draft.content, SAID);
  assert.equal(draft.seq, 1);
  assert.equal(draft.editedAt, null, 'a machine that writes it down is no edit');
  assert.equal(draft.voice.words.length, SAID.split(' ').length);

  // By socket, the recording uploaded before.
  const file = await recorded(ada, recording('mp4'));
  assert.equal((await jo.get(`/media/${file}`)).status, 404, 'nobody else’s before it is sent');
  const fromAda = await ada.socket('/ws/chat/1');
  fromAda.send({ type: 'send', id: randomUUID(), content: '', files: [file] });
  assert.equal((await written(socket)).seq, 2);

  const played = await jo.get(`/media/${file}`);
  assert.equal(played.headers['content-type'], 'audio/mpeg');
  assert.equal(played.bytes[0], 0xff);
  assert.equal((await jo.get(`/media/${file}`, { range: 'bytes=100-199' })).bytes.length, 100);
  for (const path of [`/media/${file}`, `/media/${file}/transcript`])
    assert.equal((await stranger.get(path)).status, 404);
  for (const path of [`/media/${file}/transcribe`, '/groups/1/messages/1/heard'])
    assert.ok([403, 404].includes((await stranger.post(path)).status), path);
  assert.equal((await stranger.upload('/groups/1/voice', [recording('ogg')])).status, 403);

  const page = (await jo.get('/groups/1')).body;
  assert.match(page, /data-voice="/);
  assert.match(page, />monkeys\.<\/span>/);
  assert.match(page, /Transcribed by a machine/);
  assert.match(page, /<audio src="\/media\/[^"]+" controls/, 'it plays without a script, too');

  // The search finds what was said, and leads to its second.
  const at = await until(async () => {
    const { body } = await jo.get('/search?q=monkeys+has%3Avoice');
    return Number(/at=([\d.]+)#message-2/.exec(body)?.[1]);
  }, 'it is found');
  assert.ok(at > 1.5 && at < 2.6, `“monkeys” is said at ${at} s`);
  assert.doesNotMatch((await stranger.get('/search?q=monkeys')).body, /class="hit"/);
});

test('dictation: the text lands where it can be edited, and the recording goes with it or not', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  const own = await ada.socket('/ws');

  // With a script: the text comes over the person's own socket.
  const file = await recorded(ada);
  const told = await own.nextJson('transcribed');
  assert.deepEqual([told.file, told.groupId, told.transcript, told.text], [file, 1, 'draft', SAID]);
  await ada.post('/groups/1/messages', { content: 'Carried by monkeys!', fileIds: file }, SCRIPT);
  const sent = (await socket.nextJson('message')) as Frame & { voice: Voice };
  assert.equal(sent.content, 'Carried by monkeys!');
  assert.equal(sent.voice.transcript, 'reviewed', 'whoever sends words has looked at them');
  const monkeys = sent.voice.words.at(-1);
  assert.ok((monkeys?.at ?? 0) > 1.5, 'what stayed of the words keeps its time');

  // Without one: the page of the form leads back to the conversation with the text in the field.
  const { location } = await ada.upload('/groups/1/voice', [recording('ogg')], { way: 'text' });
  const second = /voice=([0-9a-f-]+)/.exec(location)?.[1] ?? '';
  await textOf(ada, second);
  const page = (await ada.get(location.replace('#content', ''))).body;
  assert.match(page, new RegExp(`<textarea[^>]*>${SAID}</textarea>`));
  assert.match(
    page,
    new RegExp(`name="fileIds" value="${second}">`),
    'the recording stays behind, unless it is chosen',
  );
  await ada.post('/groups/1/messages', { content: SAID });
  assert.equal((await socket.nextJson('message')).voice, null);
  await ada.post(`/media/${second}/discard`);
  const gone = await ada.get(`/groups/1?voice=${second}`);
  assert.equal(gone.status, 200, 'the address of a recording that is gone is that of the conversation');

  // Sent without words after they are there: the words are the message's.
  const third = await recorded(ada, recording('wav'));
  assert.equal((await textOf(ada, third)).text, SAID);
  await ada.post('/groups/1/messages', { content: '', fileIds: third }, SCRIPT);
  const last = await written(socket);
  assert.equal(last.content, SAID);
});

test('a transcript is corrected by its author, or by every member where the group says so; each version is kept', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const socket = await jo.socket('/ws/chat/1');
  await jo.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  await written(socket);
  const corrected = 'They were carried away by five monkeys.';

  assert.equal((await ada.post('/groups/1/messages/1/edit', { content: corrected })).status, 403);
  socket.send({ type: 'edit', seq: 1, content: corrected });
  const mine = await written(socket, 'reviewed');
  assert.equal(mine.content, corrected);
  assert.ok(mine.editedAt);
  const at = Object.fromEntries(mine.voice.words.map((word) => [word.text, word.at]));
  assert.ok((at['monkeys.'] ?? 0) > (at.carried ?? 0) && (at.carried ?? 0) > 0);
  assert.equal(at.five, at.by, 'a new word stands where it was put in');
  const versions = (await jo.get('/groups/1/messages/1')).body;
  assert.match(versions, /transcribed by a machine[\s\S]*have been carried away/);

  assert.equal(
    (await jo.post('/groups/1/voice-settings', { spokenLanguage: '', corrections: 'members' })).status,
    403,
  );
  assert.equal(
    (await ada.post('/groups/1/voice-settings', { spokenLanguage: '', corrections: 'nobody' })).status,
    400,
  );
  assert.equal(
    (await ada.post('/groups/1/voice-settings', { spokenLanguage: '', corrections: 'members' })).status,
    303,
  );
  assert.equal(
    (await ada.post('/groups/1/messages/1/edit', { content: `${corrected} Really.` })).status,
    303,
  );
  assert.match((await jo.get('/groups/1')).body, />Corrected by ada<\/a>/);
  // What was typed stays its author's.
  await jo.post('/groups/1/messages', { content: 'typed' });
  assert.equal((await ada.post('/groups/1/messages/2/edit', { content: 'changed' })).status, 403);
  // Even all words may go; the sound stays.
  assert.equal((await jo.post('/groups/1/messages/1/edit', { content: '' })).status, 303);
  await jo.post('/groups/1/messages/1/remove');
  assert.doesNotMatch((await jo.get('/groups/1')).body, /data-voice/);
});

test('heard-by: whoever plays it is shown to those who show theirs', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const shy = await newPerson(hearth.url, 'shy', 1);
  await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  await ada.post('/groups/1/messages', { content: 'typed' });
  const playedBy = async (person: Visitor) =>
    /id="played-title">Heard by<\/h2>\s*<p>([\s\S]*?)<\/p>/.exec(
      (await person.get('/groups/1/messages/1')).body,
    )?.[1];
  assert.match((await playedBy(ada)) ?? '', /Nobody yet/);
  assert.equal((await jo.post('/groups/1/messages/1/heard', {}, SCRIPT)).status, 204);
  const socket = await ada.socket('/ws/chat/1');
  socket.send({ type: 'heard', seq: 1 });
  assert.equal((await ada.post('/groups/1/messages/2/heard', {}, SCRIPT)).status, 204, 'words are not heard');
  await shy.post('/account/receipts');
  await shy.post('/groups/1/messages/1/heard', {}, SCRIPT);
  assert.equal(await playedBy(ada), '<bdi>joe</bdi>');
  assert.equal(await playedBy(shy), undefined, 'who shows nothing is shown nothing');
  assert.ok((await countRows(hearth.dataDir, 'chat', 'heard', 'seq = 1')) > 0);
  await ada.post('/groups/1/messages/1/remove');
  assert.equal(await countRows(hearth.dataDir, 'chat', 'heard', 'seq = 1'), 0, 'it goes with the recording');
});

test('a recording that slow mode refuses is kept, and sent from the conversation, also without a script', async (t) => {
  const hearth = await startHearth(t, { env: { SPEECH_ENGINE: 'off' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  await ada.post('/groups/1/slow-mode', { seconds: '3600' });
  await jo.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  const { status, body } = await jo.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  assert.equal(status, 429);
  assert.match(body, /in slow mode/);
  const link = /Your recording is kept\. <a href="([^"#]+)/.exec(body)?.[1] ?? assert.fail(body);
  await ada.post('/groups/1/slow-mode', { seconds: '0' });
  const page = (await jo.get(link)).body;
  const file = /name="fileIds" value="([^"]+)" checked/.exec(page)?.[1] ?? assert.fail('it is chosen');
  assert.equal((await jo.post('/groups/1/messages', { content: '', fileIds: file })).status, 303);
  assert.match((await ada.get('/groups/1/messages/2')).body, /voice/);
});

test('what is no recording gets one sentence; silence is sent and says that nobody speaks', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  const refused: [string, { name: string; type: string; bytes: Uint8Array } | undefined, RegExp][] = [
    ['nothing', undefined, /Choose a recording first\./],
    [
      'empty',
      { name: 'a.webm', type: 'audio/webm', bytes: Buffer.alloc(0) },
      /There is nothing in this recording/,
    ],
    [
      'a text',
      { name: 'a.webm', type: 'audio/webm', bytes: Buffer.from('words') },
      /no recording that Hearth can play/,
    ],
    ['too long', { name: 'a.wav', type: 'audio/wav', bytes: wav(360, 8_000, Math.sin) }, /at most 5 minutes/],
    ['too large', { name: 'a.wav', type: 'audio/wav', bytes: Buffer.alloc(30_000_000) }, /at most 5 minutes/],
  ];
  for (const [what, file, sentence] of refused) {
    const answer = await ada.upload('/groups/1/voice', file ? [file] : [], { way: 'message' });
    assert.equal(answer.status, 400, what);
    assert.match(answer.body, sentence);
    assert.match(answer.body, /name="files"/, 'the form is there for another one');
  }
  const silence = { name: 'a.wav', type: 'audio/wav', bytes: wav(2, 16_000, () => 0) };
  await ada.upload('/groups/1/voice', [silence], { way: 'message' });
  assert.equal((await written(socket, 'silent')).content, '');
  assert.match((await ada.get('/groups/1')).body, /Nobody is heard speaking in it\./);
  assert.equal(
    (await ada.post('/groups/1/messages', { content: '' })).status,
    400,
    'nothing but recordings is empty',
  );
});

test('without an engine a voice message is sent, played and corrected by hand', async (t) => {
  const hearth = await startHearth(t, { env: { SPEECH_ENGINE: 'off' } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  const { voice } = (await socket.nextJson('message')) as Frame & { voice: Voice };
  assert.equal(voice.transcript, 'none');
  const page = (await ada.get('/groups/1')).body;
  assert.match(page, /No transcript\./);
  assert.match(page, /data-speech="off"/);
  assert.doesNotMatch((await ada.get('/groups/1/voice')).body, /Transcribe it/);
  const again = await ada.post(`/media/${voice.fileId}/transcribe`, {}, SCRIPT);
  assert.equal(again.status, 503);
  assert.match(again.body, /No speech engine is set up here/);
  await ada.post('/groups/1/messages/1/edit', { content: 'What I said' });
  assert.equal((await written(socket, 'reviewed')).content, 'What I said');
});

test('a model that is not there: the message plays, says “no transcript”, and is tried again on request', async (t) => {
  const hearth = await startHearthProcess(t, {
    env: { SPEECH_MODEL_DIR: '/nonexistent', SPEECH_ENGINE: 'vosk' },
  });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const jo = await newPerson(hearth.url, 'joe', 1);
  const socket = await ada.socket('/ws/chat/1');
  await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  const { voice } = await written(socket, 'failed');
  const page = (await ada.get('/groups/1')).body;
  assert.match(
    page,
    /No transcript\. <form[^>]*action="\/media\/[^"]+\/transcribe"[^>]*><button[^>]*>Try again/,
  );
  assert.equal((await jo.post(`/media/${voice.fileId}/transcribe`)).location, '/groups/1?around=1#message-1');
  await written(socket, 'waiting');
  await written(socket, 'failed');
  assert.equal((await ada.get(`/media/${voice.fileId}`)).status, 200);
  assert.match(hearth.output().stderr, /There is no Vosk model in/);
});

test('one person’s queue is bounded; what is beyond it is sent without a text', async (t) => {
  const hearth = await startHearth(t, {
    env: {
      SPEECH_ENGINE: 'callback',
      SPEECH_BUCKET: 'nowhere',
      SHARED_SECRET: 'a secret of sixteen',
      ...UNREACHABLE,
    },
  });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const states: string[] = [];
  for (let count = 0; count < 11; count++) {
    const file = await recorded(ada);
    states.push(JSON.parse((await ada.get(`/media/${file}/transcript`)).body).transcript);
  }
  assert.deepEqual(states, [...new Array(10).fill('waiting'), 'failed']);
});

/** Where the AWS SDK finds nobody. */
const UNREACHABLE = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
};
