import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { newPerson } from '../support/client.ts';
import { atEnd, type Ending, runCommand, startHearthProcess, temporaryFolder } from '../support/hearth.ts';
import { recording, writeTinyTransducer } from '../support/speech.ts';

/** A release on this machine: an archive with a model in it, one that is none, and nothing else. */
async function startRelease(test: Ending) {
  const folder = temporaryFolder(test);
  const model = join(folder, 'sherpa-onnx-tiny');
  mkdirSync(join(model, 'test_wavs'), { recursive: true });
  writeTinyTransducer(model);
  writeFileSync(join(model, 'encoder.int8.onnx'), readFileSync(join(model, 'encoder.onnx')));
  writeFileSync(join(model, 'test_wavs/0.wav'), 'a recording');
  const archive = join(folder, 'model.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', folder, 'sherpa-onnx-tiny']);
  const files: Record<string, Buffer> = {
    '/model.tar.gz': readFileSync(archive),
    '/page.html': Buffer.from('<html>Sign in to the hotel network</html>'),
  };
  const server = createServer((request, response) => {
    const bytes = files[request.url ?? ''];
    response.statusCode = bytes ? 200 : 404;
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(test, () => server.close());
  const sha256 = (path: string) =>
    createHash('sha256')
      .update(files[path] ?? '')
      .digest('hex');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sha256 };
}

test('speech-model fetches an archive, checks it, keeps what is used, and Hearth hears with it', async (t) => {
  const { url, sha256 } = await startRelease(t);
  const folder = join(temporaryFolder(t), 'models', 'tiny');
  const from = ['--from', `${url}/model.tar.gz`, '--sha256', sha256('/model.tar.gz'), '--to', folder];
  const fetched = await runCommand('speech-model', from);
  assert.equal(fetched.code, 0, fetched.stderr);
  assert.match(fetched.stdout, /SPEECH_MODEL_DIR=/);
  assert.deepEqual(readdirSync(folder).sort(), [
    'decoder.onnx',
    'encoder.int8.onnx',
    'joiner.onnx',
    'tokens.txt',
  ]);
  const again = await runCommand('speech-model', from);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /holds something already/);

  const hearth = await startHearthProcess(t, { env: { SPEECH_MODEL_DIR: folder } });
  const ada = await newPerson(hearth.url, 'ada', 1);
  const socket = await ada.socket('/ws/chat/1');
  await ada.upload('/groups/1/voice', [recording('webm')], { way: 'message' });
  const heard = await socket.nextJson('message', (frame) => frame.content !== '');
  assert.match(String(heard.content), /WORLD/, 'this model hears nothing else');
});

test('what is not the archive that was expected is refused, and nothing is left of it', async (t) => {
  const { url, sha256 } = await startRelease(t);
  const parent = temporaryFolder(t);
  const to = ['--to', join(parent, 'tiny')];
  const refusals: [string[], RegExp][] = [
    [['whisper-base.en', '--from', `${url}/page.html`], /not the archive that was expected/],
    [['--from', `${url}/model.tar.gz`, '--sha256', 'a'.repeat(64)], /not the archive that was expected/],
    [['--from', `${url}/page.html`, '--sha256', sha256('/page.html')], /could not unpack/],
    [['--from', `${url}/nothing.tar.gz`, '--sha256', 'a'.repeat(64)], /answered 404/],
    [['--from', 'http://127.0.0.1:1/model.tar.gz', '--sha256', 'a'.repeat(64)], /could not be reached/],
    [['--from', `${url}/model.tar.gz`], /--sha256 takes/],
    [['whisper-enormous'], /There is no model "whisper-enormous"; there are whisper-tiny\.en/],
    [['--loud'], /Unknown option/],
  ];
  for (const [args, sentence] of refusals) {
    const { code, stderr } = await runCommand('speech-model', [...args, ...to]);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /\n {4}at /, 'no stack');
    assert.deepEqual(readdirSync(parent), []);
  }
  assert.match((await runCommand('speech-model', [])).stdout, /whisper-base\.en +209 MB/);
});
