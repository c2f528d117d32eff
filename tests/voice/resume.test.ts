import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import test from 'node:test';
import type { RecognitionResult, SpeechEngine } from '../../src/engines/speech/engine.ts';
import { CONTENT } from '../../src/files/blob-store.ts';
import type { StoredFile } from '../../src/files/file.ts';
import { openGroup } from '../../src/groups/access.ts';
import { editMessage } from '../../src/messages/edit.ts';
import { sendMessage } from '../../src/messages/send.ts';
import type { Voice } from '../../src/recordings/recording.ts';
import { timedWords } from '../../src/recordings/transcript.ts';
import { TranscriptionQueue } from '../../src/voice/queue.ts';
import { createTranscriptReceiver } from '../../src/voice/receive-transcript.ts';
import { transcribeAgain } from '../../src/voice/retry.ts';
import { writeTranscript } from '../../src/voice/write.ts';
import { atEnd, type Ending } from '../support/hearth.ts';
import { openStores } from '../support/stores.ts';
import { until } from '../support/until.ts';

const WORDS = [
  { text: 'The', start: 0.1, end: 0.2 },
  { text: 'leeks', start: 0.3, end: 0.6 },
];

/** A group with a speaker in it, an engine that hears two words in anything, and what it was asked. */
async function room(
  test: Ending,
  hear: () => Promise<RecognitionResult> = async () => ({ words: WORDS, certainty: 'text' }),
) {
  const stores = await openStores(test);
  const { groups, files, blobs, transcriptions, messages } = stores;
  const account = await stores.account('ada');
  const group = await groups.add({ name: 'Garden', creatorId: account.id, now: 0 });
  assert.ok(group);
  const open = await openGroup(groups, account, group.id);
  const asked: string[] = [];
  const forgotten: string[] = [];
  const reported: unknown[] = [];
  const engine: SpeechEngine = {
    name: 'two words',
    language: 'en',
    takesOthers: false,
    parallel: 2,
    async transcribe({ id }) {
      asked.push(id);
      return hear();
    },
    async close() {},
  };
  const dependencies = { ...stores, forget: async (id: string) => void forgotten.push(id) };

  async function recording(transcript: Voice['transcript'] = 'waiting'): Promise<StoredFile> {
    const file: StoredFile = {
      id: randomUUID(),
      groupId: open.group.id,
      accountId: account.id,
      seq: null,
      createdAt: Date.now(),
      key: randomBytes(32),
      thumbnailSize: null,
      name: 'voice.mp3',
      type: 'audio/mpeg',
      size: 5,
      width: null,
      height: null,
      voice: { length: 1, peaks: [1], transcript, words: [] },
    };
    await blobs.write(file.id, CONTENT, file.key, Readable.from([Buffer.from('sound')]));
    await files.add(file);
    return file;
  }

  return {
    ...stores,
    dependencies,
    engine,
    open,
    asked,
    forgotten,
    reported,
    recording,
    async sent(file: StoredFile, content = '') {
      const message = await sendMessage(dependencies, open, { id: randomUUID(), content, files: [file.id] });
      return message.seq;
    },
    /** As after a start; without an engine as after one with SPEECH_ENGINE=off. */
    start(withEngine = true) {
      const queue = new TranscriptionQueue({
        ...dependencies,
        engine: withEngine ? engine : undefined,
        jobs: { areHere: true, tell() {}, onDue() {}, stop() {} },
        report: (error) => reported.push(error),
      });
      atEnd(test, () => queue.stop());
      return queue;
    },
    async voice(seq: number) {
      const message = await messages.bySeq(open.group.id, seq);
      return { content: message?.content, ...message?.files[0]?.voice };
    },
    async empty() {
      const states = ['waiting', 'working', 'elsewhere', 'done'] as const;
      const left = () => Promise.all(states.map((state) => transcriptions.inState(state)));
      await until(async () => (await left()).flat().length === 0, 'the queue is empty');
    },
  };
}

test('whatever a crash came between, the words reach their message after the start', async (t) => {
  const { transcriptions, files, recording, sent, start, voice, empty, ...rest } = await room(t);

  // Under way when it came.
  const begun = await recording();
  const first = await sent(begun);
  await transcriptions.add(begun.id, rest.open.account.id, 0);
  await transcriptions.change(begun.id, { state: 'working', attempts: 1 });
  // Marked as written, and not written.
  const marked = await recording();
  const second = await sent(marked);
  await transcriptions.add(marked.id, rest.open.account.id, 0);
  await transcriptions.change(marked.id, { state: 'done' });
  // Written with the recording, and not in its message.
  const half = await recording();
  const third = await sent(half);
  await transcriptions.add(half.id, rest.open.account.id, 0);
  const heard: Voice = { length: 1, peaks: [1], transcript: 'draft', words: [['Kale', 0.2]] };
  await files.describe({ ...half, seq: third, voice: heard });
  await transcriptions.change(half.id, { state: 'done' });
  // Asked for once more, and only the queue knew it.
  const again = await recording('failed');
  const fourth = await sent(again);
  await transcriptions.add(again.id, rest.open.account.id, 0);

  start();
  await empty();
  for (const seq of [first, second, fourth]) {
    assert.deepEqual([(await voice(seq)).content, (await voice(seq)).transcript], ['The leeks', 'draft']);
  }
  assert.equal((await voice(third)).content, 'Kale');
  assert.deepEqual(
    rest.asked.sort(),
    [begun.id, marked.id, again.id].sort(),
    'what was written is not heard again',
  );
  assert.deepEqual(rest.reported, []);
});

test('without an engine after the start, nobody waits for a text that does not come', async (t) => {
  const { transcriptions, recording, sent, start, voice, empty, open, dependencies, files, engine } =
    await room(t);
  const { account } = open;
  const file = await recording();
  const seq = await sent(file);
  await transcriptions.add(file.id, open.account.id, 0);
  start(false);
  await empty();
  assert.equal((await voice(seq)).transcript, 'none');
  const stored = await files.byId(file.id);
  assert.ok(stored);
  await assert.rejects(
    transcribeAgain({ ...dependencies, engine: undefined, wake() {} }, stored, account),
    /No speech engine/,
  );
  const queue = start();
  await transcribeAgain({ ...dependencies, engine, wake: () => queue.wake() }, stored, account);
  await empty();
  assert.equal((await voice(seq)).transcript, 'draft');
  const written = await files.byId(file.id);
  assert.ok(written);
  const third = transcribeAgain({ ...dependencies, engine, wake() {} }, written, account);
  await assert.rejects(third, /has its text already/);
});

test('a recording that is discarded or removed leaves the queue, and what lies elsewhere is taken back', async (t) => {
  const { transcriptions, files, recording, start, forgotten, empty, open, asked } = await room(
    t,
    async () => 'elsewhere',
  );
  const queue = start();
  const own = await recording();
  await transcriptions.add(own.id, open.account.id, 0);
  queue.wake();
  await until(() => asked.length > 0);
  assert.equal(await transcriptions.countOf(open.account.id), 1);
  await files.removeUnsent(own.id);
  assert.equal(await transcriptions.countOf(open.account.id), 0, 'it takes no place in the queue');
  queue.wake();
  await empty();
  assert.deepEqual(forgotten, [own.id]);
  const receive = createTranscriptReceiver({ ...(await room(t)).dependencies });
  await assert.rejects(receive({ id: own.id, text: 'late' }), /There is no such recording/);
});

test('one recording that fails holds up no other, and is tried again', async (t) => {
  let isBroken = true;
  const { transcriptions, files, recording, start, empty, open, reported, asked } = await room(
    t,
    async () => {
      if (isBroken) throw new Error('The engine stumbled.');
      return { words: WORDS, certainty: 'text' };
    },
  );
  const lost = await recording();
  await transcriptions.add(lost.id, open.account.id, 0);
  start();
  await until(() => reported.length > 0);
  assert.equal((await transcriptions.byId(lost.id))?.state, 'waiting');
  assert.ok(((await transcriptions.byId(lost.id))?.dueAt ?? 0) > Date.now() + 3_000, 'a little later');
  isBroken = false;
  await transcriptions.change(lost.id, { dueAt: 0 });
  const queue = start();
  queue.wake();
  await until(async () => (await files.byId(lost.id))?.voice?.transcript === 'draft');
  assert.equal(asked.length, 2);
  await files.removeUnsent(lost.id);
  queue.wake();
  await empty();
});

test('what somebody types with a recording, or instead of waiting, is theirs; the words keep their seconds', async (t) => {
  const { recording, sent, voice, open, dependencies, transcriptions, groups, messages, ...stores } =
    await room(t);
  const typed = await recording();
  const first = await sent(typed, 'Leeks, the');
  const waiting = await recording();
  const second = await sent(waiting);
  for (const file of [typed, waiting]) await transcriptions.add(file.id, open.account.id, 0);
  const editing = { ...dependencies, editLimitMs: undefined };
  await editMessage(editing, open, second, { content: 'The two leeks' });
  for (const file of [typed, waiting])
    await writeTranscript(dependencies, file.id, { words: WORDS, certainty: 'text' });
  assert.deepEqual(
    [(await voice(first)).content, (await voice(first)).transcript],
    ['Leeks, the', 'reviewed'],
  );
  assert.deepEqual(
    [(await voice(second)).content, (await voice(second)).transcript],
    ['The two leeks', 'reviewed'],
  );
  const message = await messages.bySeq(open.group.id, second);
  const heard = message?.files[0]?.voice;
  assert.ok(message && heard);
  assert.deepEqual(
    timedWords(message.content, heard).map((word) => word.at),
    [0.1, 0.1, 0.3],
  );

  // Every member corrects a machine, and nobody what somebody typed.
  await groups.change(open.group.id, { corrections: 'members', spokenLanguage: null });
  const jo = await stores.account('joe');
  await groups.join(jo.id, open.group.id, 0);
  const forJo = await openGroup(groups, jo, open.group.id);
  await assert.rejects(editMessage(editing, forJo, first, { content: 'No leeks' }), /Only its author/);
  await editMessage(editing, forJo, second, { content: 'The three leeks' });

  const two = [await recording(), await recording()];
  const both = { id: randomUUID(), content: '', files: two.map((file) => file.id) };
  await assert.rejects(sendMessage(dependencies, open, both), /takes one recording/);
});
