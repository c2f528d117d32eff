import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson, PASSWORD, Visitor } from '../support/client.ts';
import {
  type Hearth,
  runToEnd,
  startHearth,
  startHearthProcess,
  temporaryFolder,
} from '../support/hearth.ts';

const WAYS: Readonly<Record<string, (file: string) => void>> = {
  missing: (file) => rmSync(file),
  empty: (file) => truncateSync(file, 0),
  garbage: (file) => writeFileSync(file, 'this is no database, and no key either. '.repeat(500)),
  'cut off': (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  'damaged in the middle': (file) => {
    const bytes = readFileSync(file);
    bytes.fill(0xee, Math.floor(bytes.length / 4), Math.floor((bytes.length * 3) / 4));
    writeFileSync(file, bytes);
  },
};

/** Those without which nothing can be read: what is wrong with them is said, and they stay as they are. */
const VITAL = ['users.sqlite3', 'chat.sqlite3', 'keys/0001.key'];
const AT_ONCE = 3;
const isLog = (file: string) => /-(?:wal|shm|journal)$/.test(file);

test('every file of the data folder, damaged in every way: it starts, or says in one sentence why not', async (t) => {
  const first = await startHearth(t);
  const ada = await newPerson(first.url, 'ada', 1);
  for (let number = 0; number < 200; number++)
    await ada.post('/groups/1/messages', { content: `message ${number} ${'x'.repeat(500)}` });
  await ada.upload('/groups/1/messages', [
    { name: 'a.txt', type: 'text/plain', bytes: Buffer.from('hello') },
  ]);
  // Copied before an orderly stop, the logs of the databases are there too.
  const running = join(temporaryFolder(t), 'data');
  cpSync(first.dataDir, running, { recursive: true });
  await first.stop();
  const files = readdirSync(running, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(running, name)).isFile(),
  );
  assert.ok(files.includes('chat.sqlite3-wal'));
  const cases = files
    .filter((file) => !file.startsWith('media'))
    .flatMap((file) =>
      (isLog(file) ? ['garbage', 'cut off'] : Object.keys(WAYS)).map((way) => ({ file, way })),
    );

  async function tryOne({ file, way }: { file: string; way: string }): Promise<void> {
    const what = `${file}, ${way}`;
    const dataDir = join(temporaryFolder(t), 'data');
    cpSync(isLog(file) ? running : first.dataDir, dataDir, { recursive: true });
    const path = join(dataDir, file);
    WAYS[way]?.(path);
    const before = existsSync(path) ? readFileSync(path) : undefined;
    const start = VITAL.includes(file) ? startHearthProcess : startHearth;
    const hearth: Hearth | string = await start(t, { dataDir }).catch((error: Error) => error.message);
    if (typeof hearth === 'string') {
      const stderr = hearth.replace('Hearth did not start: ', '');
      const lines = stderr
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('{'));
      assert.equal(lines.length, 1, `${what}: ${stderr}`);
      assert.match(lines[0] ?? '', /^[A-Z/].*\.$/, what);
      if (VITAL.includes(file))
        assert.deepEqual(existsSync(path) ? readFileSync(path) : undefined, before, what);
      return;
    }
    assert.ok(!VITAL.includes(file), `${what}: it started`);
    const visitor = new Visitor(hearth.url);
    // What only stood in a log is gone with it.
    if (isLog(file)) assert.equal((await visitor.get('/login')).status, 200, what);
    else
      assert.equal((await visitor.post('/login', { username: 'ada', password: PASSWORD })).status, 303, what);
    if (!isLog(file)) assert.equal((await visitor.get('/groups/1')).status, 200, what);
    await hearth.stop();
  }

  const queue = [...cases];
  const failures: unknown[] = [];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = queue.shift(); next; next = queue.shift())
        await tryOne(next).catch((error: unknown) => failures.push(error));
    }),
  );
  assert.deepEqual(failures, []);
});

test('a folder that lost one of its databases is not started with an empty one', async (t) => {
  const first = await startHearthProcess(t);
  await newPerson(first.url, 'ada', 1);
  await first.stop();
  rmSync(join(first.dataDir, 'users.sqlite3'));
  const { code, stderr } = await runToEnd(['--port', '0', '--data', first.dataDir]);
  assert.equal(code, 2);
  assert.match(stderr, /users\.sqlite3 is missing.*backup.*--data to start anew\./);
  assert.ok(!existsSync(join(first.dataDir, 'users.sqlite3')));
});
