import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import sharp from 'sharp';
import { takesTooMuchMemory } from '../../src/engines/picture-kinds.ts';
import { CONTENT, THUMBNAIL } from '../../src/files/blob-store.ts';
import { drawFace } from '../../src/files/draw.ts';
import { Receiver } from '../../src/files/receive.ts';
import { stripMetadata } from '../../src/files/strip-metadata.ts';
import { openGroup } from '../../src/groups/access.ts';
import { createGroup } from '../../src/groups/create.ts';
import type { Ending } from '../support/hearth.ts';
import { openStores } from '../support/stores.ts';

const fixture = (name: string) => readFileSync(new URL(`./pictures/${name}`, import.meta.url));

/** Stores a picture as the doors do, and gives back what everybody downloads. */
async function storing(t: Ending) {
  const stores = await openStores(t);
  const ada = await stores.account('ada');
  const group = await createGroup(stores, ada, { name: 'Garden' });
  const limits = { file: 512 * 1024 * 1024, person: undefined, disk: undefined };
  const receiver = new Receiver({ ...stores, limits });
  const open = await openGroup(stores.groups, ada, group.id);
  return async (name: string, bytes: Buffer, keepsMetadata = false) => {
    const incoming = { name, type: 'image/x', stream: Readable.from([bytes]), keepsMetadata };
    const file = await receiver.receive(open, randomUUID(), incoming);
    const content = await buffer(stores.blobs.read(file.id, CONTENT, file.key, file.size));
    const { thumbnailSize } = file;
    const thumbnail =
      thumbnailSize === null
        ? undefined
        : await buffer(stores.blobs.read(file.id, THUMBNAIL, file.key, thumbnailSize));
    return { ...file, content, thumbnail };
  };
}

test('a JPEG that is cut off, or begins its scan wrongly, is shown, and says nothing of place and camera', async (t) => {
  const store = await storing(t);
  for (const name of ['truncated-gps.jpg', 'bad-sos.jpg']) {
    const { type, content, thumbnail } = await store(name, fixture(name));
    assert.equal(type, 'image/jpeg', name);
    assert.ok(thumbnail, name);
    assert.ok(!content.includes('Exif') && !content.includes('ProbeCam'), name);
  }
});

test('a large picture is made smaller, and shown', async (t) => {
  const store = await storing(t);
  const large = await sharp({ create: { width: 12_000, height: 9_000, channels: 3, background: '#a63' } })
    .withExif({ IFD0: { Copyright: 'secret-place' } })
    .jpeg()
    .toBuffer();
  const { width, height, content, thumbnail } = await store('large.jpg', large);
  assert.deepEqual([width, height], [8_000, 6_000]);
  assert.ok(thumbnail && !content.includes('secret-place'));
});

test('an animated PNG keeps its frames, and AVIF its transparency under a fitting name', async (t) => {
  const store = await storing(t);
  const moving = await store('apng.png', fixture('apng.png'));
  assert.ok(moving.content.includes('acTL') && moving.content.includes('fcTL'));
  assert.equal(moving.type, 'image/png');
  const clear = await store('alpha.avif', fixture('alpha.avif'));
  assert.deepEqual([clear.type, clear.name], ['image/webp', 'alpha.webp']);
  assert.equal((await sharp(clear.content).metadata()).hasAlpha, true);
});

test('what nobody here can look into is not taken as it is', async (t) => {
  const store = await storing(t);
  await assert.rejects(store('fake.heic', fixture('fake.heic')), { status: 415, code: 'unknown_picture' });
  const { content, type } = await store('fake.heic', fixture('fake.heic'), true);
  assert.deepEqual(content, fixture('fake.heic'), 'as it came, for a sender who says so');
  assert.equal(type, 'application/octet-stream');
  const kinds = [
    'II+\0',
    'MM\0+',
    '\xff\n',
    '\0\0\0\fJXL ',
    '\0\0\0\fjP  ',
    'FUJIFILMCCD-RAW',
    '\0\0\0\x18ftypcrx ',
  ];
  for (const kind of kinds) {
    const raw = Buffer.concat([Buffer.from(kind, 'latin1'), Buffer.alloc(40, 'place')]);
    await assert.rejects(store('raw', raw), { status: 415, code: 'unknown_picture' }, kind);
    assert.deepEqual((await store('raw', raw, true)).content, raw, kind);
  }
});

test('a long animation keeps its frames, and loses comments and what programs wrote', async (t) => {
  const store = await storing(t);
  const { content, type, thumbnail } = await store('long.gif', longAnimation());
  assert.deepEqual([type, thumbnail !== undefined], ['image/gif', true]);
  assert.equal((await sharp(content).metadata()).pages, 11);
  assert.ok(content.includes('NETSCAPE2.0') && !content.includes('secret-place'));
  assert.equal(stripMetadata(longAnimation().subarray(0, 100)), undefined, 'one that is cut off is none');
  const blocks = Buffer.concat([longAnimation().subarray(0, 19), Buffer.alloc(3 * 200_000, '21f900', 'hex')]);
  assert.equal(
    stripMetadata(Buffer.concat([blocks, Buffer.from([0x3b])])),
    undefined,
    'nor one of so many blocks',
  );
});

/** A GIF of eleven frames of 2,000 by 2,000, with a comment and XMP that name a place. */
function longAnimation(): Buffer {
  const secret = Buffer.concat([Buffer.from([12]), Buffer.from('secret-place'), Buffer.from([0])]);
  const application = (name: string, data: Buffer) =>
    Buffer.concat([Buffer.from([0x21, 0xff, 11]), Buffer.from(name, 'latin1'), data]);
  const frame = Buffer.from('21f90400640000002c00000000010001000002024c0100', 'hex');
  return Buffer.concat([
    Buffer.from('GIF89a', 'latin1'),
    Buffer.from('d007d007800000ff00000000ff', 'hex'),
    application('NETSCAPE2.0', Buffer.from([3, 1, 0, 0, 0])),
    Buffer.concat([Buffer.from([0x21, 0xfe]), secret]),
    application('XMP DataXMP', secret),
    ...Array.from({ length: 11 }, () => frame),
    Buffer.from([0x3b]),
  ]);
}

test('a picture that is shown in a message can be a profile picture, too', async () => {
  for (const name of ['truncated-gps.jpg', 'bad-sos.jpg']) assert.ok(await drawFace(fixture(name)), name);
});

test('metadata goes without decoding: EXIF, XMP and IPTC of every kind, orientation stays, cut anywhere it holds', async () => {
  const base = sharp({ create: { width: 40, height: 30, channels: 3, background: '#a63' } })
    .withExif({
      IFD0: { Orientation: '6', Copyright: 'secret-place' },
      IFD3: { GPSLatitude: '52/1 5/1 0/1' },
    })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">secret-place</x:xmpmeta>')
    .withMetadata({ orientation: 6 });
  const jpeg = Buffer.concat([await base.clone().jpeg().toBuffer(), Buffer.from('trailer secret-place')]);
  const stripped = stripMetadata(jpeg);
  assert.ok(stripped && !stripped.includes('secret-place'));
  assert.equal((await sharp(stripped).metadata()).orientation, 6);
  for (const bytes of [
    jpeg,
    await base.clone().png().toBuffer(),
    await base.clone().webp().toBuffer(),
    await base.clone().avif().toBuffer(),
    await base.clone().tiff().toBuffer(),
  ]) {
    assert.ok(bytes.includes('secret-place'));
    const clean = stripMetadata(bytes);
    assert.ok(clean && !clean.includes('secret-place'));
    const [before, after] = await Promise.all(
      [bytes, clean].map((picture) => sharp(picture).raw().toBuffer()),
    );
    assert.ok(before && after?.equals(before), 'the same picture');
    for (let length = 0; length < bytes.length; length += 7)
      assert.ok(!stripMetadata(bytes.subarray(0, length))?.includes('secret-place'), `cut at ${length}`);
  }
});

test('a TIFF, and so a raw picture, loses where it was taken; one too large to look into is asked about', async (t) => {
  const store = await storing(t);
  const tiff = tiffWithPlace();
  assert.ok(tiff.includes('52N05E'));
  const { content, type, thumbnailSize } = await store('raw.dng', tiff);
  assert.equal(content.length, tiff.length, 'nothing moves');
  assert.ok(!content.includes('52N05E') && content.includes('Model X'));
  assert.deepEqual([type, thumbnailSize], ['application/octet-stream', null]);
  for (const mark of ['IIRO', 'IIRS', 'IIU\0']) {
    const raw = Buffer.concat([Buffer.from(mark, 'latin1'), tiff.subarray(4)]);
    assert.ok(!(await store('raw.orf', raw)).content.includes('52N05E'), mark);
  }
  const drawing = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#a63' } })
    .tiff()
    .toBuffer();
  assert.deepEqual((await store('drawing.tiff', drawing)).content, drawing, 'the picture is as it was');
  const large = Buffer.concat([tiff, Buffer.alloc(40 * 1024 * 1024)]);
  await assert.rejects(store('large.dng', large), { status: 415, code: 'unknown_picture' });
  assert.equal((await store('large.dng', large, true)).size, large.length);
  // A directory that leads to itself ends.
  const loop = Buffer.from('49492a00080000000000' + '08000000', 'hex');
  assert.equal(stripMetadata(Buffer.concat([loop, Buffer.alloc(8)]))?.length, loop.length + 8);
});

/** A TIFF with the model of a camera, and a directory of GPS with the place. */
function tiffWithPlace(): Buffer {
  const bytes = Buffer.alloc(200);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  };
  bytes.writeUInt16LE(2, 8);
  entry(10, 0x110, 2, 8, 100);
  entry(22, 0x8825, 4, 1, 60);
  bytes.write('Model X\0', 100, 'latin1');
  bytes.writeUInt16LE(1, 60);
  entry(62, 0x1c, 2, 7, 120);
  bytes.write('52N05E\0', 120, 'latin1');
  return bytes;
}

test('a picture with more parts than any has is not looked through', () => {
  // Two hundred directories of 60,000 entries, each of which leads to two hundred others.
  const table = 0x0bea60;
  const tiff = Buffer.alloc(table + 4 * 200 + 64);
  tiff.write('MM\0*', 0, 'latin1');
  tiff.writeUInt32BE(8, 4);
  tiff.writeUInt16BE(60_000, 8);
  for (let entry = 0; entry < 60_200; entry++) {
    const at = 10 + 12 * entry;
    tiff.writeUInt16BE(0x14a, at);
    tiff.writeUInt16BE(4, at + 2);
    tiff.writeUInt32BE(200, at + 4);
    tiff.writeUInt32BE(table, at + 8);
  }
  for (let index = 0; index < 200; index++) tiff.writeUInt32BE(20 + 12 * index, table + 4 * index);
  assert.equal(stripMetadata(tiff), undefined);
  // Entries of a GPS directory that each clear the whole file.
  const cleared = Buffer.alloc(1_000_000);
  cleared.write('MM\0*', 0, 'latin1');
  cleared.writeUInt32BE(8, 4);
  cleared.writeUInt16BE(1, 8);
  cleared.writeUInt16BE(0x8825, 10);
  cleared.writeUInt32BE(100, 18);
  cleared.writeUInt16BE(2_000, 100);
  for (let entry = 0; entry < 2_000; entry++) {
    const at = 102 + 12 * entry;
    cleared.writeUInt16BE(1, at + 2);
    cleared.writeUInt32BE(cleared.length, at + 4);
    cleared.writeUInt32BE(102 + 12 * 2_000 + 4, at + 8);
  }
  assert.equal(stripMetadata(cleared), undefined);
  // Items of 65,535 extents without a byte.
  const box = (type: string, ...content: Buffer[]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(8 + content.reduce((sum, part) => sum + part.length, 0));
    return Buffer.concat([size, Buffer.from(type), ...content]);
  };
  const item = Buffer.from([0, 1, 0, 0, 255, 255]);
  const iloc = box('iloc', Buffer.from([0, 0, 0, 0, 0, 0, 255, 255]), ...Array(65_535).fill(item));
  const infe = box('infe', Buffer.from([2, 0, 0, 0, 0, 1, 0, 0]), Buffer.from('Exif\0'));
  const iinf = box('iinf', Buffer.from([0, 0, 0, 0, 0, 1]), infe);
  const brands = box('ftyp', Buffer.from('heic\0\0\0\0mif1heic'));
  assert.equal(stripMetadata(Buffer.concat([brands, box('meta', Buffer.alloc(4), iinf, iloc)])), undefined);
  const boxes = Buffer.concat(Array(20_000).fill(box('free')));
  assert.equal(stripMetadata(Buffer.concat([brands, boxes])), undefined);
  const segments = Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    ...Array(200_000).fill(Buffer.from([255, 196, 0, 2])),
  ]);
  assert.equal(stripMetadata(segments), undefined);
  const chunks = Array(200_000).fill(Buffer.from('\0\0\0\0IDAT\0\0\0\0'));
  assert.equal(
    stripMetadata(Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks])),
    undefined,
  );
});

test('a scan of hundreds of pages, and junk behind a directory, are looked through', () => {
  const pages = 400;
  const tiff = Buffer.alloc(8 + pages * 40);
  tiff.write('II*\0', 0, 'latin1');
  tiff.writeUInt32LE(8, 4);
  for (let page = 0; page < pages; page++) {
    const at = 8 + page * 40;
    // One entry, EXIF, that leads to the directory behind it; its last bytes are junk and no pointer.
    tiff.writeUInt16LE(1, at);
    tiff.writeUInt16LE(0x8769, at + 2);
    tiff.writeUInt32LE(1, at + 6);
    tiff.writeUInt32LE(at + 18, at + 10);
    tiff.writeUInt32LE(page + 1 < pages ? at + 40 : 0, at + 14);
    tiff.writeUInt16LE(1, at + 18);
    tiff.writeUInt16LE(0x13b, at + 20);
    tiff.writeUInt16LE(2, at + 22);
    tiff.writeUInt32LE(4, at + 24);
    tiff.write('Ada', at + 28, 'latin1');
    tiff.writeUInt32LE(9, at + 32);
  }
  const stripped = stripMetadata(tiff);
  assert.equal(stripped?.length, tiff.length);
  assert.ok(!stripped.includes('Ada'));
});

test('what would be decoded as a whole is no larger than memory allows', () => {
  const sides = { width: 16_383, height: 16_383 };
  for (const format of ['webp', 'heif', 'gif'])
    assert.equal(takesTooMuchMemory({ format, ...sides }), true, format);
  for (const format of ['jpeg', 'png']) {
    assert.equal(takesTooMuchMemory({ format, ...sides, isProgressive: true }), true, format);
    assert.equal(takesTooMuchMemory({ format, ...sides }), false, 'in strips');
  }
});
