import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { BUCKET, startAws } from '../support/aws.ts';
import type { Frame, Socket } from '../support/client.ts';
import { newPerson, Visitor } from '../support/client.ts';
import { atEnd, startHearth, startHearthProcess } from '../support/hearth.ts';
import { recording, SAID, wav } from '../support/speech.ts';
import { until } from '../support/until.ts';

/** The same sentence many times: heard for as long as a test needs to do something meanwhile. */
function longRecording(times: number) {
  const { bytes } = recording('wav');
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset + 78, bytes.byteOffset + bytes.length));
  const rate = 16_000;
  const sampleAt = (second: number) => (samples[Math.round(second * rate) % samples.length] ?? 0) / 32_768;
  const seconds = (times * samples.length) / rate;
  return { name: 'long.wav', type: 'audio/wav', bytes: wav(seconds, rate, sampleAt) };
}

const inState = (state: string) => (frame: Frame) =>
  (frame.voice as { transcript: string } | null)?.transcript === state;

function reaches(socket: Socket, state: string): Promise<Frame> {
  return socket.nextJson('message', inState(state));
}

/** Somebody who was here before the server was started anew. */
function back(url: string, person: Visitor): Visitor {
  const visitor = new Visitor(url);
  for (const [name, value] of person.cookies) visitor.cookies.set(name, value);
  return visitor;
}

function processes(): string {
  return execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' });
}

test('a job that is killed in the middle is done once more after the start, and given up the second time', async (t) => {
  const first = await startHearthProcess(t);
  const ada = await newPerson(first.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  await ada.upload('/groups/1/voice', [longRecording(12)], { way: 'message' });
  const progress = await socket.nextJson('transcribing');
  assert.ok(Number(progress.percent) < 100);
  const [, child] = new RegExp(`^\\s*(\\d+)\\s+${first.pid} .*local-process`, 'm').exec(processes()) ?? [];
  assert.ok(child, 'it is heard in a process of its own');
  await first.kill();
  await until(() => !new RegExp(`^\\s*${child} `, 'm').test(processes()), 'it does not outlive the chat');

  const second = await startHearthProcess(t, { dataDir: first.dataDir });
  const again = await back(second.url, ada).socket('/ws/chat/1?after=0');
  await again.nextJson('transcribing');
  await second.kill();

  const third = await startHearthProcess(t, { dataDir: first.dataDir });
  const returned = back(third.url, ada);
  const last = await returned.socket('/ws/chat/1?after=0');
  await reaches(last, 'failed');
  const [, file] = /data-voice="([^"]+)"/.exec((await returned.get('/groups/1')).body) ?? [];
  await returned.post(`/media/${file}/transcribe`);
  const done = await reaches(last, 'draft');
  assert.match(String(done.content), /(carried away by monkeys\.? ?.*){8}/i);
});

test('an engine that fails is asked again a little later', async (t) => {
  const hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  await ada.upload('/groups/1/voice', [longRecording(6)], { way: 'message' });
  await socket.nextJson('transcribing');
  const [, child] = new RegExp(`^\\s*(\\d+)\\s+${hearth.pid} .*local-process`, 'm').exec(processes()) ?? [];
  process.kill(Number(child), 'SIGKILL');
  await reaches(socket, 'draft');
  // The engine's end is noted, once, and nothing else went wrong: it is the queue that asks again.
  const errors = hearth.output().stderr.match(/"level":50.*/g) ?? [];
  assert.deepEqual([errors.length, /The process of the engine ended/.test(errors[0] ?? '')], [1, true]);
});

test('stopping in order is no interruption: as often as it happens, the text comes in the end', async (t) => {
  let hearth = await startHearthProcess(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  let socket = await ada.socket('/ws/chat/1');
  await ada.upload('/groups/1/voice', [longRecording(6)], { way: 'message' });
  for (let stops = 0; stops < 3; stops++) {
    await socket.nextJson('transcribing');
    assert.equal(await hearth.stop(), 0);
    hearth = await startHearthProcess(t, { dataDir: hearth.dataDir });
    socket = await back(hearth.url, ada).socket('/ws/chat/1?after=0');
  }
  await reaches(socket, 'draft');
});

test('callback: a function elsewhere brings the words once, with the secret, and nobody else does', async (t) => {
  const aws = await startAws(t);
  const secret = 'a secret of sixteen';
  const env = { ...aws.env, SPEECH_ENGINE: 'callback', SPEECH_BUCKET: BUCKET, SHARED_SECRET: secret };
  const hearth = await startHearthProcess(t, { env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  const bring = (body: object | string, authorization = `Bearer ${secret}`) =>
    new Visitor(hearth.url).request(
      'POST',
      '/api/voice/transcripts',
      typeof body === 'string' ? body : JSON.stringify(body),
      { 'content-type': 'application/json', authorization },
    );
  const put = async (): Promise<string> => {
    await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
    const [key = ''] = await until(async () => {
      const keys = await aws.keys();
      return keys.length > 0 && keys;
    }, 'it is put in the bucket');
    return /voice\/(.+)\.mp3/.exec(key)?.[1] ?? '';
  };

  const id = await put();
  const words = [
    { text: 'Monkeys', start: 0.2, end: 0.6 },
    { text: 'again.', start: 0.7, end: 1.1 },
  ];
  for (const wrong of ['', 'Bearer', `Bearer ${secret}x`, `Bearer ${secret.slice(1)}`, secret])
    assert.equal((await bring({ id, words }, wrong)).status, 401, wrong);
  assert.equal((await bring({ id: 'ours', words })).status, 400);
  assert.equal((await bring('{')).status, 400);
  assert.equal((await bring({ id, words: [{ text: 'x', start: -1, end: 0 }] })).status, 400);
  assert.equal((await bring({ id: '00000000-0000-4000-8000-000000000000', words })).status, 404);
  const both = await Promise.all([bring({ id, words }), bring({ id, text: 'Something else' })]);
  assert.deepEqual(
    both.map((answer) => answer.status).sort(),
    [204, 409],
    'once, also where two come together',
  );
  assert.equal((await bring({ id, words })).status, 409, 'a replay is refused');
  const draft = await reaches(socket, 'draft');
  assert.ok(['Monkeys again.', 'Something else'].includes(String(draft.content)));
  assert.deepEqual(await aws.keys(), [], 'the recording is taken back');

  const second = await put();
  assert.equal((await bring({ id: second, text: SAID })).status, 204);
  const spread = await socket.nextJson('message', (frame) => frame.content === SAID);
  const starts = (spread.voice as { words: { at: number }[] }).words.map((word) => word.at);
  assert.ok(starts[0] === 0 && (starts.at(-1) ?? 9) < 2.7, 'words without times are spread over the length');

  const third = await put();
  assert.equal((await bring({ id: third, failed: true })).status, 204);
  await reaches(socket, 'failed');
  assert.doesNotMatch(hearth.output().stderr, /sixteen/, 'the secret is in no log');
});

test('a bucket that does not answer holds up neither the chat nor its end', async (t) => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    silent.closeAllConnections();
    silent.close();
  });
  const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const account = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' };
  const env = {
    ...account,
    AWS_ENDPOINT_URL_S3: address,
    AWS_ENDPOINT_URL_TRANSCRIBE: address,
    SPEECH_ENGINE: 'aws',
    SPEECH_BUCKET: BUCKET,
  };
  const hearth = await startHearthProcess(t, { env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const isAsked = once(silent, 'request');
  await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  await isAsked;
  assert.equal((await ada.post('/groups/1/messages', { content: 'meanwhile' })).status, 303);
  const asked = Date.now();
  assert.equal(await hearth.stop(), 0);
  assert.ok(Date.now() - asked < 5_000);
});

test('without the engine that needs it, nobody brings transcripts', async (t) => {
  const hearth = await startHearth(t, { env: { SPEECH_ENGINE: 'off' } });
  const answer = await new Visitor(hearth.url).post(
    '/api/voice/transcripts',
    {},
    { authorization: 'Bearer ' },
  );
  assert.notEqual(answer.status, 204);
});
