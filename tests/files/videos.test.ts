import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import { stripVideo } from '../../src/files/strip-video.ts';

const PLACE = '+48.8577+002.295/';

/** A box of ISO/IEC 14496-12: its size, its type, its content. */
function box(type: string, ...content: (Buffer | string)[]): Buffer {
  const parts = content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(8 + parts.reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat([size, Buffer.from(type, 'latin1'), ...parts]);
}

/** Version and flags, two times of version 0, and what else there is. */
const timed = (type: string, rest: string) => box(type, Buffer.alloc(4), '20261127', rest);
const track = box('trak', timed('tkhd', 'rotated'), box('udta', PLACE), box('mdia', box('meta', PLACE)));
const moov = (...more: Buffer[]) => box('moov', timed('mvhd', 'length'), track, box('udta', PLACE), ...more);
const film = (brand = 'qt  ') =>
  Buffer.concat([
    box('ftyp', brand, Buffer.alloc(8)),
    box('wide'),
    box('mdat', `pictures ${PLACE.slice(0, 4)}`),
    moov(box('meta', `com.apple.quicktime.location.ISO6709${PLACE}`)),
    box('uuid', PLACE),
  ]);

/** What becomes of a file that comes in pieces of so many bytes. */
function stripped(file: Buffer, piece = 7): Promise<Buffer> {
  const pieces = Array.from({ length: Math.ceil(file.length / piece) }, (_, index) =>
    file.subarray(index * piece, (index + 1) * piece),
  );
  return buffer(Readable.from(pieces).pipe(stripVideo()));
}

test('a video loses where it was taken, however it comes in, and nothing in it moves', async () => {
  for (const brand of ['qt  ', 'isom', 'mp42'])
    for (const piece of [1, 7, 64, 100_000]) {
      const file = film(brand);
      const result = await stripped(Buffer.from(file), piece);
      assert.equal(result.length, file.length);
      assert.ok(
        !result.includes(PLACE) && !result.includes('ISO6709') && !result.includes('2026'),
        `${brand} in pieces of ${piece}`,
      );
      for (const part of ['mvhd', 'length', 'tkhd', 'rotated', 'pictures'])
        assert.equal(result.indexOf(part), file.indexOf(part), part);
    }
});

test('a truncated video loses its location too, and wrong box sizes change nothing else', async () => {
  const file = film();
  for (let end = 0; end < file.length; end += 5) {
    const result = await stripped(file.subarray(0, end));
    assert.equal(result.length, end);
    const whole = file.indexOf('udta') + 4 + PLACE.length;
    if (end > whole) assert.ok(!result.includes(PLACE), `cut off after ${end}`);
  }
  const lies = Buffer.concat([
    box('ftyp', 'isom', Buffer.alloc(8)),
    Buffer.from([0, 0, 0, 3]),
    Buffer.from('moovxx'),
  ]);
  assert.equal((await stripped(lies)).length, lies.length);
  let nested = box('udta', PLACE);
  for (let depth = 0; depth < 20_000; depth++) nested = box('moov', nested);
  assert.equal((await stripped(nested, 65_536)).length, nested.length);
});

test('projection metadata of 360° videos is kept', async () => {
  const projection = Buffer.from('ffcc8263f8554a938814587a02521fdd', 'hex');
  const sphere = Buffer.concat([
    box('ftyp', 'isom'),
    box('moov', box('trak', box('uuid', projection, 'equirectangular'))),
  ]);
  assert.deepEqual(await stripped(sphere), sphere);
});

test('music keeps its title, pictures and other files pass as they are', async () => {
  const song = Buffer.concat([box('ftyp', 'M4A ', Buffer.alloc(8)), moov(), box('mdat', 'song')]);
  const heic = Buffer.concat([
    box('ftyp', 'heic', Buffer.alloc(8)),
    box('meta', 'items'),
    box('mdat', 'picture'),
  ]);
  for (const file of [
    song,
    heic,
    Buffer.from('moo'),
    Buffer.from('plain text, longer than a header'),
    Buffer.alloc(0),
  ])
    assert.deepEqual(await stripped(file), file);
});

test('a description that goes to the end of the file is cleared, and small boxes cost no piece each', async () => {
  const film = Buffer.concat([box('ftyp', 'isom', Buffer.alloc(8)), moov()]);
  film.writeUInt32BE(0, film.indexOf('moov') - 4);
  for (const piece of [7, 100_000]) {
    const result = await stripped(film, piece);
    assert.equal(result.length, film.length);
    assert.ok(!result.includes(PLACE));
  }
  const small = Buffer.concat([
    box('ftyp', 'isom', Buffer.alloc(8)),
    ...Array.from({ length: 50_000 }, () => box('free')),
  ]);
  const pieces: Buffer[] = [];
  const source = Readable.from([small.subarray(0, 100_000), small.subarray(100_000)]);
  for await (const piece of source.pipe(stripVideo())) pieces.push(piece as Buffer);
  assert.deepEqual(Buffer.concat(pieces), small);
  assert.ok(pieces.length <= 3, `${pieces.length} pieces`);
});
