import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import { CHUNK_BYTES } from '../../src/crypto/sealed-stream.ts';
import { CONTENT, openBlobStore } from '../../src/files/blob-store.ts';
import { temporaryFolder } from '../support/hearth.ts';

const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 5 * CHUNK_BYTES + 77];

test('what is stored comes back, whole and in any range, whatever its size', async (t) => {
  const blobs = openBlobStore(temporaryFolder(t));
  for (const size of SIZES) {
    const [id, key, bytes] = [randomUUID(), randomBytes(32), randomBytes(size)];
    await blobs.write(
      id,
      CONTENT,
      key,
      Readable.from([bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)]),
    );
    assert.ok((await buffer(blobs.read(id, CONTENT, key, size))).equals(bytes), `${size} bytes`);
    for (let index = 0; index < 20 && size > 0; index++) {
      const start = Math.floor(Math.random() * size);
      const end = start + Math.floor(Math.random() * (size - start));
      const range = await buffer(blobs.read(id, CONTENT, key, size, start, end));
      assert.ok(range.equals(bytes.subarray(start, end + 1)), `${start}–${end} of ${size}`);
    }
  }
});

test('on the disk nothing is plain, and nothing that was changed, cut, moved or given another key opens', async (t) => {
  const folder = temporaryFolder(t);
  const blobs = openBlobStore(folder);
  const [id, key] = [randomUUID(), randomBytes(32)];
  const plain = Buffer.from('a canary sings in the mine '.repeat(10_000));
  await blobs.write(id, CONTENT, key, Readable.from([plain]));
  const path = join(folder, id.slice(-2), id);
  const sealed = readFileSync(path);
  assert.ok(!sealed.includes('canary'));
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const opens = () => buffer(blobs.read(id, CONTENT, key, plain.length));

  const changed = Buffer.from(sealed);
  changed[70_000] = (changed[70_000] ?? 0) ^ 1;
  writeFileSync(path, changed);
  await assert.rejects(opens());
  writeFileSync(path, sealed.subarray(0, -20));
  await assert.rejects(opens());
  const chunk = CHUNK_BYTES + 16;
  const swapped = [sealed.subarray(chunk, 2 * chunk), sealed.subarray(0, chunk), sealed.subarray(2 * chunk)];
  writeFileSync(path, Buffer.concat(swapped));
  await assert.rejects(opens());
  writeFileSync(path, sealed);
  await assert.rejects(buffer(blobs.read(id, CONTENT, randomBytes(32), plain.length)));
  // A file cut at the end of a chunk, and a row that believes it.
  await assert.rejects(buffer(blobs.read(id, CONTENT, key, 2 * CHUNK_BYTES)));
  assert.ok((await opens()).equals(plain));
});

test('a source that fails half-way leaves nothing on the disk', async (t) => {
  const folder = temporaryFolder(t);
  const blobs = openBlobStore(folder);
  async function* broken() {
    yield randomBytes(300_000);
    throw new Error('the line went dead');
  }
  await assert.rejects(
    blobs.write(randomUUID(), CONTENT, randomBytes(32), Readable.from(broken())),
    /line went dead/,
  );
  const left = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((dirent) =>
    dirent.isFile(),
  );
  assert.deepEqual(left, []);
});
