import assert from 'node:assert/strict';
import test from 'node:test';
import { decideLanguage } from '../../src/engines/speech/languages.ts';
import { certaintyOf, type Result } from '../../src/engines/speech/vosk.ts';
import { type Frame, newPerson, type Socket } from '../support/client.ts';
import { startHearth } from '../support/hearth.ts';
import { recording, SAID, spanishRecording } from '../support/speech.ts';
import { until } from '../support/until.ts';

type Voice = { fileId: string; transcript: string };

const settled = ['draft', 'unsure', 'silent', 'unrecognised', 'failed', 'none'];

/** The next message whose recording has got its text, or the reason why not. */
async function transcribed(socket: Socket): Promise<Frame & { content: string; voice: Voice }> {
  const isSettled = (frame: Frame) =>
    settled.includes((frame.voice as Voice | null)?.transcript ?? '') && frame.type === 'message';
  // It has a voice: `isSettled` looked.
  return (await socket.nextJson('message', isSettled)) as Frame & {
    content: string;
    voice: Voice;
  };
}

test('speech in another language becomes no text, unless somebody asks for it', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const socket = await joe.socket('/ws/chat/1');

  await ada.upload('/groups/1/voice', [spanishRecording()], { way: 'message' });
  const refused = await transcribed(socket);
  assert.deepEqual([refused.content, refused.voice.transcript], ['', 'unrecognised']);
  assert.match((await joe.get('/groups/1')).body, /seems to be in another language/);

  await joe.post(`/media/${refused.voice.fileId}/transcribe`);
  const forced = await transcribed(socket);
  assert.equal(forced.voice.transcript, 'unsure');
  assert.notEqual(forced.content, '');
  assert.match((await joe.get('/groups/1')).body, /not sure: these may be other words/);
  const [word = ''] = String(forced.content).split(/[ .]/);
  assert.doesNotMatch((await joe.get(`/search?q=${word}`)).body, /class="hit"/, 'it is not indexed');

  await ada.post('/groups/1/messages/1/edit', { content: 'La conferencia comenzará' });
  const isFound = async () => (await joe.get('/search?q=comenzara')).body.includes('class="hit"');
  await until(isFound, 'what a person wrote is found');
});

test('a recording, a group and a person say the language, or that no text is wanted', async (t) => {
  const hearth = await startHearth(t);
  const ada = await newPerson(hearth.url, 'ada', 1, 2);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const socket = await joe.socket('/ws/chat/1');
  const say = async (spoken: Record<string, string> = {}) => {
    await ada.upload('/groups/1/voice', [recording('ogg')], { way: 'message', ...spoken });
    return transcribed(socket);
  };

  assert.equal((await say({ language: 'none' })).voice.transcript, 'none');
  assert.equal(
    (await say({ language: 'fr' })).voice.transcript,
    'none',
    'the engine here knows English only',
  );
  assert.match((await joe.get('/groups/1')).body, /Spoken in French/);
  const wrong = await ada.upload('/groups/1/voice', [recording('ogg')], { way: 'message', language: 'xx' });
  assert.equal(wrong.status, 400);

  await ada.post('/account/language', { spokenLanguage: 'none' });
  const unwanted = await say();
  assert.equal(unwanted.voice.transcript, 'none');
  const byAnother = await joe.post(`/media/${unwanted.voice.fileId}/transcribe`);
  assert.equal(byAnother.status, 403, 'who wants no text has none from others');
  assert.equal((await say({ language: 'en' })).content, SAID, 'what is said of one recording counts first');

  await ada.post('/account/language', { spokenLanguage: 'de' });
  assert.equal((await say()).voice.transcript, 'none');
  assert.equal((await ada.post('/account/language', { spokenLanguage: 'Klingon' })).status, 400);
  // The first account is an administrator, who may set up a group that nobody made.
  const group = { corrections: 'author', spokenLanguage: 'en' };
  assert.equal((await joe.post('/groups/1/voice-settings', group)).status, 403);
  assert.equal((await ada.post('/groups/1/voice-settings', group)).status, 303);
  assert.equal((await say()).content, SAID, 'the group speaks English');
  assert.match((await ada.get('/groups/1/settings')).body, /<option value="en" selected>English/);
  assert.match((await ada.get('/account')).body, /<option value="de" selected>German/);
});

test('a wish for no text counts before a language, and the group before the person', () => {
  const said = { recording: null, group: null, person: null };
  assert.equal(decideLanguage(said), null);
  assert.equal(decideLanguage({ ...said, person: 'fr' }), 'fr');
  assert.equal(decideLanguage({ ...said, person: 'fr', group: 'de' }), 'de');
  assert.equal(decideLanguage({ ...said, person: 'none', group: 'de' }), 'none');
  assert.equal(decideLanguage({ ...said, person: 'fr', group: 'none' }), 'none');
  assert.equal(decideLanguage({ recording: 'en', person: 'none', group: 'none' }), 'en');
});

test('few words are never refused, and many that do not fit the sound are', () => {
  const spoken = (count: number, confidence: number): Result[] => [
    {
      alternatives: [
        {
          confidence,
          result: Array.from({ length: count }, (_, index) => ({ word: 'a', start: index, end: index + 1 })),
        },
      ],
    },
  ];
  assert.equal(certaintyOf([], 2), 'text');
  assert.equal(certaintyOf(spoken(4, 4 * 60), 4), 'text');
  assert.equal(certaintyOf(spoken(4, 4 * 55), 4), 'unsure');
  assert.equal(certaintyOf(spoken(4, 4 * 50), 4), 'none');
  assert.equal(certaintyOf(spoken(3, 3 * 50), 3), 'unsure');
});
