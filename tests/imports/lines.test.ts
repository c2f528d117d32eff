import assert from 'node:assert/strict';
import test from 'node:test';
import { linesOf } from '../../src/imports/lines.ts';

/** In chunks of so many bytes, which divide characters, too. */
async function* chunked(text: string, bytes: number) {
  const whole = Buffer.from(text);
  for (let at = 0; at < whole.length; at += bytes) yield whole.subarray(at, at + bytes);
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

test('lines are whole however they arrive, without the byte order mark', async () => {
  const text = '\ufeff{"a":"ä€😀"}\n\nthree\r\nthe last';
  for (const bytes of [1, 2, 3, 5, 1_000])
    assert.deepEqual(
      await all(linesOf(chunked(text, bytes))),
      ['{"a":"ä€😀"}', '', 'three\r', 'the last'],
      `${bytes} bytes at a time`,
    );
  assert.deepEqual(await all(linesOf(chunked('', 1))), []);
  assert.deepEqual(await all(linesOf(chunked('one\n', 2))), ['one']);
});

test('a line without an end is refused before it fills the memory', async () => {
  let megabytes = 0;
  const endless = (async function* () {
    for (; ; megabytes++) yield Buffer.alloc(1024 ** 2, 'x');
  })();
  await assert.rejects(all(linesOf(endless)), /longer than any message/);
  assert.ok(megabytes < 25);
});
