import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import sharp from 'sharp';
import { CHUNK_BYTES } from '../../src/crypto/sealed-stream.ts';
import { CONTENT } from '../../src/files/blob-store.ts';
import { openS3BlobStore } from '../../src/files/s3-blobs.ts';
import { sweep } from '../../src/files/sweep.ts';
import { startBucket } from '../support/aws.ts';
import { newPerson } from '../support/client.ts';
import {
  atEnd,
  type Ending,
  runCommand,
  runToEnd,
  startHearth,
  startHearthProcess,
  temporaryFolder,
} from '../support/hearth.ts';

const BUCKET = 'hearth-files';
const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 5 * CHUNK_BYTES + 77];

// The SDK finds them where it always does.
process.env.AWS_ACCESS_KEY_ID = 'S3RVER';
process.env.AWS_SECRET_ACCESS_KEY = 'S3RVER';

async function open(t: Ending) {
  const server = await startBucket(t, BUCKET);
  const blobs = await openS3BlobStore(BUCKET, server.endpoint);
  atEnd(t, blobs.close);
  const keys = async () =>
    (await server.s3.send(new ListObjectsV2Command({ Bucket: BUCKET }))).Contents?.map(
      ({ Key = '' }) => Key,
    ) ?? [];
  return { ...server, blobs, keys };
}

test('what is stored in a bucket comes back, whole and in any range, whatever its size', async (t) => {
  const { blobs } = await open(t);
  for (const size of [...SIZES, 11_000_000]) {
    const [id, key, bytes] = [randomUUID(), randomBytes(32), randomBytes(size)];
    await blobs.write(
      id,
      CONTENT,
      key,
      Readable.from([bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)]),
    );
    assert.ok((await buffer(blobs.read(id, CONTENT, key, size))).equals(bytes), `${size} bytes`);
    for (let index = 0; index < 10 && size > 0; index++) {
      const start = Math.floor(Math.random() * size);
      const end = Math.min(size - 1, start + Math.floor(Math.random() * 3 * CHUNK_BYTES));
      const range = await buffer(blobs.read(id, CONTENT, key, size, start, end));
      assert.ok(range.equals(bytes.subarray(start, end + 1)), `${start}–${end} of ${size}`);
    }
  }
});

test('in a bucket nothing is plain, what was changed does not open, and what is removed is gone', async (t) => {
  const { blobs, keys, s3 } = await open(t);
  const [id, key] = [randomUUID(), randomBytes(32)];
  const plain = Buffer.from('a canary sings in the mine '.repeat(10_000));
  await blobs.write(id, CONTENT, key, Readable.from([plain]));
  const [name = ''] = await keys();
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: name }));
  const sealed = Buffer.from((await Body?.transformToByteArray()) ?? []);
  assert.ok(!sealed.includes('canary'));
  const opens = () => buffer(blobs.read(id, CONTENT, key, plain.length));
  const changed = Buffer.from(sealed);
  changed[70_000] = (changed[70_000] ?? 0) ^ 1;
  for (const content of [changed, sealed.subarray(0, -20)]) {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: name, Body: content }));
    await assert.rejects(opens());
  }
  await blobs.remove(id);
  assert.deepEqual(await keys(), []);
  await blobs.remove(id);
  async function* broken() {
    yield randomBytes(300_000);
    throw new Error('the line went dead');
  }
  await assert.rejects(
    blobs.write(randomUUID(), CONTENT, randomBytes(32), Readable.from(broken())),
    /line went dead/,
  );
  assert.deepEqual(await keys(), [], 'what fails half-way leaves nothing');
});

test('the sweep removes from a bucket what no message has', async (t) => {
  const { blobs, keys } = await open(t);
  const [known, unknown] = [randomUUID(), randomUUID()];
  for (const id of [known, unknown])
    await blobs.write(id, CONTENT, randomBytes(32), Readable.from([Buffer.from('x')]));
  const files = {
    unsentBefore: async () => [],
    existing: async (ids: readonly string[]) => new Set(ids.filter((id) => id === known)),
  };
  await sweep({ files: files as never, blobs }, Date.now());
  assert.equal((await keys()).length, 2, 'not what is a day old');
  await sweep({ files: files as never, blobs }, Date.now() + 25 * 3_600_000);
  assert.deepEqual(await keys(), [`${known.slice(-2)}/${known}`]);
});

test('people send, see and remove files that are in a bucket', async (t) => {
  const { endpoint, keys } = await open(t);
  const env = { FILES_BUCKET: BUCKET, FILES_ENDPOINT: endpoint };
  const hearth = await startHearth(t, { env });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const picture = await sharp({ create: { width: 900, height: 600, channels: 3, background: '#c2410c' } })
    .jpeg()
    .toBuffer();
  const { body } = await ada.upload(
    '/groups/1/files',
    [{ name: 'plan.jpg', type: 'image/jpeg', bytes: picture }],
    {},
    { 'hx-request': 'true' },
  );
  const files = /data-file="([^"]+)"/.exec(body)?.[1] ?? assert.fail(body);
  await ada.post('/groups/1/messages', { content: 'a picture', files });
  const page = (await ada.get('/groups/1')).body;
  const [, thumbnail = ''] = /src="(\/media\/[^"]+\/thumbnail[^"]*)"/.exec(page) ?? [];
  assert.equal((await ada.get(thumbnail)).status, 200);
  const ranged = await ada.get(`/media/${files}`, { range: 'bytes=0-99' });
  assert.equal(ranged.status, 206);
  assert.equal((await keys()).length, 2);
  assert.match((await ada.get('/admin')).body, /in the bucket hearth-files/);
  const target = join(temporaryFolder(t), 'backups');
  const backup = await runCommand('backup', ['--data', hearth.dataDir, '--to', target], env);
  assert.match(backup.stdout, /its files stay in the bucket hearth-files/, backup.stderr);
  await ada.post('/groups/1/messages/1/remove', {});
  for (let tries = 0; (await keys()).length > 0 && tries < 100; tries++) await sleep(50);
  assert.deepEqual(await keys(), [], 'a removed message takes its file along');
});

test('a bucket that cannot be used is one sentence at the start', async (t) => {
  const { endpoint } = await open(t);
  const start = async (env: Record<string, string>) =>
    (await runToEnd(['--port', '0', '--data', join(temporaryFolder(t), 'data')], env)).stderr;
  assert.match(
    await start({ FILES_BUCKET: 'no-such-bucket', FILES_ENDPOINT: endpoint }),
    /^The bucket no-such-bucket cannot be used: .*Check FILES_BUCKET/m,
  );
  assert.match(
    await start({ FILES_BUCKET: BUCKET, FILES_ENDPOINT: 'http://127.0.0.1:1' }),
    /cannot be used: .*ECONNREFUSED/,
  );
  assert.match(await start({ FILES_ENDPOINT: endpoint }), /goes with FILES_BUCKET/);
  assert.match(
    await start({ FILES_BUCKET: BUCKET, FILES_FOLDER: '/x', DATABASE_URL: 'postgres://x' }),
    /Set FILES_BUCKET or FILES_FOLDER, not both/,
  );
  await startHearthProcess(t, { env: { FILES_BUCKET: BUCKET, FILES_ENDPOINT: endpoint } });
});
