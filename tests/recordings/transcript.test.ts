import assert from 'node:assert/strict';
import test from 'node:test';
import type { Voice } from '../../src/recordings/recording.ts';
import { secondAt, timedWords } from '../../src/recordings/transcript.ts';

const heard = (...words: [string, number][]): Voice => ({
  length: 10,
  peaks: [],
  transcript: 'draft',
  words,
});
const SAID = heard(['Please', 0.5], ['press', 1], ['one', 1.5], ['to', 2], ['mute.', 2.5]);
const times = (content: string, voice = SAID) => timedWords(content, voice).map((word) => word.at);

test('words that were not corrected keep their seconds, new ones stand where they were put in', () => {
  assert.deepEqual(times('Please press one to mute.'), [0.5, 1, 1.5, 2, 2.5]);
  assert.deepEqual(
    times('please PRESS, one: to mute'),
    [0.5, 1, 1.5, 2, 2.5],
    'case and marks are no other word',
  );
  assert.deepEqual(times('Please do press one to mute'), [0.5, 0.5, 1, 1.5, 2, 2.5]);
  assert.deepEqual(times('press two to unmute'), [1, 1, 2, 2]);
  assert.deepEqual(times('Kindly one'), [null, 1.5], 'before the first that was heard nobody knows');
  assert.deepEqual(times(''), []);
  assert.deepEqual(times('something else'), [null, null]);
  assert.deepEqual(times('No words were heard', heard()), [null, null, null, null]);
});

test('five minutes of speech are aligned; a text that is far longer than what was heard keeps no seconds', () => {
  const words = Array.from({ length: 750 }, (_, index): [string, number] => [`w${index}`, index / 3]);
  const spoken = heard(...words);
  const corrected = words.map(([text]) => text).join(' ');
  assert.equal(timedWords(`Indeed ${corrected}`, spoken).at(-1)?.at, words.at(-1)?.[1]);
  assert.ok(timedWords(`${corrected} ${'a '.repeat(3_000)}`, spoken).every((word) => word.at === null));
});

test('a place in a transcript is a second', () => {
  const content = 'Please press one to mute.';
  assert.equal(secondAt(content, SAID, 0), 0.5);
  assert.equal(secondAt(content, SAID, content.indexOf('press')), 1);
  assert.equal(secondAt(content, SAID, content.indexOf('ress')), 1, 'in the middle of a word');
  assert.equal(secondAt(content, SAID, content.indexOf('mute')), 2.5);
});
