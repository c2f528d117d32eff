import assert from 'node:assert/strict';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson } from '../support/client.ts';
import { ROOT, startHearthProcess, temporaryFolder } from '../support/hearth.ts';

/** What somebody adds to the table of operations on a message, as CONTRIBUTING.md describes it. */
const WAVE = readFileSync(join(ROOT, 'tests/operations/wave.ts.txt'), 'utf8');

test('an operation of less than 15 lines has its form, its fragment, its command and its refusals', async (t) => {
  assert.ok(WAVE.trimEnd().split('\n').length < 15);
  const copy = temporaryFolder(t);
  for (const name of ['node_modules', 'views', 'static']) symlinkSync(join(ROOT, name), join(copy, name));
  for (const name of ['src', 'run.ts', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  const table = join(copy, 'src/messages/operations.ts');
  const before = readFileSync(table, 'utf8');
  writeFileSync(table, before.replace('\n];\n', `\n${WAVE}];\n`));

  const hearth = await startHearthProcess(t, { script: join(copy, 'run.ts') });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const joe = await newPerson(hearth.url, 'joe', 1);
  const stranger = await newPerson(hearth.url, 'stranger');
  for (const content of ['first', 'second', 'third']) await ada.post('/groups/1/messages', { content });
  const socket = await joe.socket('/ws/chat/1');

  assert.equal((await joe.post('/groups/1/messages/1/wave')).location, '/groups/1?around=1#message-1');
  assert.equal((await joe.post('/groups/1/messages/2/wave', {}, { 'hx-request': 'true' })).status, 204);
  socket.send({ type: 'wave', seq: 3, id: 'w' });
  const ack = await socket.nextJson('ack');
  assert.deepEqual([ack.id, ack.seq], ['w', 3]);
  assert.equal((await ada.get('/groups/1')).body.match(/value="👋"/g)?.length, 3, 'each message is waved at');
  assert.equal((await stranger.post('/groups/1/messages/1/wave')).status, 403);
  assert.equal((await joe.post('/groups/1/messages/9/wave')).status, 404);
});
