import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createAudioConverter } from '../../src/engines/audio/convert.ts';
import { chooseEngine } from '../../src/engines/speech/choose.ts';
import {
  type RecognitionResult,
  type Recording,
  SpeechError,
  type Word,
} from '../../src/engines/speech/engine.ts';
import { findModel, windowsOf, wordsOf } from '../../src/engines/speech/sherpa.ts';
import { BUCKET, startAws, TRANSCRIBED } from '../support/aws.ts';
import { atEnd, type Ending, temporaryFolder } from '../support/hearth.ts';
import { recording, SAID, writeTinyTransducer } from '../support/speech.ts';

const NONE = { modelDir: undefined, bucket: undefined, language: 'en-US' } as const;

async function spoken(): Promise<Recording> {
  const converter = createAudioConverter(() => {});
  const converted = await converter.convert(recording('webm').bytes, 300);
  await converter.close();
  assert.ok(typeof converted === 'object');
  return { id: randomUUID(), ...converted };
}

function realEngine(test: Ending, settings: Parameters<typeof chooseEngine>[0]) {
  const { engine, missing } = chooseEngine(settings);
  assert.ok(engine, missing);
  atEnd(test, () => engine.close());
  return engine;
}

function textOf(words: readonly Word[]): string {
  return words.map((word) => word.text).join(' ');
}

function wordsIn(result: RecognitionResult): readonly Word[] {
  assert.ok(result !== 'elsewhere');
  return result.words;
}

test('every engine hears words with times, in order, within the recording, and tells how far it is', async (t) => {
  const aws = await startAws(t);
  Object.assign(process.env, aws.env);
  const modelDir = temporaryFolder(t);
  writeTinyTransducer(modelDir);
  const engines = [
    { settings: { ...NONE, engine: 'vosk' }, says: SAID },
    { settings: { ...NONE, engine: 'auto', modelDir }, says: undefined },
    { settings: { ...NONE, engine: 'aws', bucket: BUCKET }, says: TRANSCRIBED },
  ] as const;
  for (const { settings, says } of engines) {
    const engine = realEngine(t, settings);
    await t.test(engine.name, async () => {
      assert.ok(engine.parallel >= 1);
      const recording = await spoken();
      const shares: number[] = [];
      const words = wordsIn(await engine.transcribe(recording, (share) => shares.push(share)));
      if (says) assert.equal(textOf(words), says);
      assert.ok(words.length > 0);
      words.forEach(({ start, end }, index) => {
        assert.ok(start >= (words[index - 1]?.start ?? 0), `${start} is not before what was said earlier`);
        assert.ok(end >= start);
      });
      assert.ok((words[0]?.start ?? 0) < recording.length);
      assert.ok(shares.every((share) => share > 0 && share <= 1));
      const other = { ...recording, id: randomUUID() };
      const both = await Promise.all([
        engine.transcribe(recording, () => {}),
        engine.transcribe(other, () => {}),
      ]);
      assert.deepEqual(both.map(wordsIn).map(textOf), [textOf(words), textOf(words)], 'two at once');
    });
  }
  assert.deepEqual(aws.failures, []);
});

test('what runs in a process of its own may be killed: that recording fails, and the next is heard', async (t) => {
  const engine = realEngine(t, { ...NONE, engine: 'vosk' });
  const recording = await spoken();
  const cut = assert.rejects(
    engine.transcribe(recording, () => {}),
    /ended with SIGKILL/,
  );
  // The only child of this process that runs it.
  const list = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  const [, pid] = /^\s*(\d+) .*local-process\.[jt]s/m.exec(list) ?? [];
  process.kill(Number(pid), 'SIGKILL');
  await cut;
  assert.equal(textOf(wordsIn(await engine.transcribe(recording, () => {}))), SAID);
});

test('what is being heard when Hearth stops is given up at once', async (t) => {
  const engine = realEngine(t, { ...NONE, engine: 'vosk' });
  const stopped = assert.rejects(
    engine.transcribe(await spoken(), () => {}),
    /Hearth stops/,
  );
  await engine.close();
  await stopped;
});

test('Transcribe: nothing is left in the bucket, and what it refuses is refused for good', async (t) => {
  const aws = await startAws(t);
  Object.assign(process.env, aws.env);
  const engine = realEngine(t, { ...NONE, engine: 'aws', bucket: BUCKET });
  await engine.transcribe(await spoken(), () => {});
  assert.deepEqual(await aws.keys(), []);
  assert.equal(aws.jobs.size, 0);
  assert.deepEqual(aws.asked, [
    'StartTranscriptionJob',
    'GetTranscriptionJob',
    'GetTranscriptionJob',
    'DeleteTranscriptionJob',
  ]);
  aws.failWith('Unsupported audio format.');
  await assert.rejects(
    engine.transcribe(await spoken(), () => {}),
    (error) => {
      assert.ok(error instanceof SpeechError);
      assert.match(error.message, /Unsupported audio format/);
      return true;
    },
  );
  assert.deepEqual(await aws.keys(), []);
  assert.deepEqual(aws.failures, []);
});

test('callback: the recording lies in the bucket under its id until its words have come', async (t) => {
  const aws = await startAws(t);
  Object.assign(process.env, aws.env);
  const engine = realEngine(t, { ...NONE, engine: 'callback', bucket: BUCKET });
  const recording = await spoken();
  assert.equal(await engine.transcribe(recording, () => {}), 'elsewhere');
  const put = await aws.read(`voice/${recording.id}.mp3`);
  assert.deepEqual(Buffer.from(put?.bytes ?? []), Buffer.from(recording.audio));
  assert.deepEqual(put?.metadata, { id: recording.id, length: '2.68', language: 'en-US' });
  await engine.forget?.(recording.id);
  assert.deepEqual(await aws.keys(), []);
});

test('a model folder is told by its files, and one that is none says what is expected', async (t) => {
  const folder = temporaryFolder(t);
  const has = (...names: string[]) => {
    const inside = temporaryFolder(t);
    for (const name of names) writeFileSync(join(inside, name), '');
    return inside;
  };
  const config = (inside: string) =>
    JSON.parse(JSON.stringify(findModel(inside, 'de-DE').config)).modelConfig;
  const base = (path: string) => path.split('/').at(-1);
  const whisper = config(
    has('tiny-encoder.onnx', 'tiny-encoder.int8.onnx', 'tiny-decoder.int8.onnx', 'tiny-tokens.txt'),
  );
  assert.equal(base(whisper.whisper.encoder), 'tiny-encoder.int8.onnx');
  assert.equal(whisper.whisper.language, 'de');
  assert.equal(base(whisper.tokens), 'tiny-tokens.txt');
  const english = config(has('tiny.en-encoder.onnx', 'tiny.en-decoder.onnx', 'tiny.en-tokens.txt'));
  assert.equal(english.whisper.language, 'en');
  const moonshine = config(
    has(
      'preprocess.onnx',
      'encode.int8.onnx',
      'uncached_decode.int8.onnx',
      'cached_decode.int8.onnx',
      'tokens.txt',
    ),
  );
  assert.equal(base(moonshine.moonshine.cachedDecoder), 'cached_decode.int8.onnx');
  const second = config(has('encoder_model.ort', 'decoder_model_merged.ort', 'tokens.txt'));
  assert.equal(base(second.moonshine.mergedDecoder), 'decoder_model_merged.ort');
  const zipformer = config(
    has(
      'encoder-epoch-99-avg-1.onnx',
      'decoder-epoch-99-avg-1.onnx',
      'joiner-epoch-99-avg-1.onnx',
      'tokens.txt',
    ),
  );
  assert.equal(base(zipformer.transducer.joiner), 'joiner-epoch-99-avg-1.onnx');
  assert.throws(() => findModel(folder, 'en-US'), /holds no model that is known/);
  assert.throws(() => findModel(join(folder, 'nothing'), 'en-US'), /There is no folder/);

  writeFileSync(join(folder, 'tokens.txt'), '');
  for (const name of ['encoder', 'decoder', 'joiner'])
    writeFileSync(join(folder, `${name}.onnx`), 'no model');
  const engine = realEngine(t, { ...NONE, engine: 'sherpa', modelDir: folder });
  await assert.rejects(
    engine.transcribe(await spoken(), () => {}),
    /could not be read|ended with/,
  );
});

test('long recordings are cut where it is quiet, and words without times are spread', () => {
  const rate = 100;
  const samples = new Float32Array(20 * rate).fill(0.5);
  samples.fill(0, 7 * rate, 7.5 * rate);
  const windows = windowsOf({ samples, rate }, 8);
  assert.equal(windows[0]?.from, 0);
  assert.ok((windows[0]?.to ?? 0) >= 7 * rate && (windows[0]?.to ?? 0) <= 7.5 * rate);
  assert.equal(windows.at(-1)?.to, samples.length);
  assert.ok(windows.every(({ from, to }) => to - from <= 8 * rate));
  assert.deepEqual(wordsOf({ text: ' ab cd' }, 10, 14), [
    { text: 'ab', start: 10, end: 12 },
    { text: 'cd', start: 12, end: 14 },
  ]);
  const timed = wordsOf(
    { text: ' HELLO WORLD', tokens: ['▁HE', 'LLO', '▁WORLD'], timestamps: [0.2, 0.4, 1] },
    5,
    8,
  );
  assert.deepEqual(timed, [
    { text: 'HELLO', start: 5.2, end: 6 },
    { text: 'WORLD', start: 6, end: 8 },
  ]);
});

test('an engine that is not there is said in a sentence, and nothing fails', () => {
  assert.match(chooseEngine({ ...NONE, engine: 'off' }).missing ?? '', /SPEECH_ENGINE is off/);
  assert.match(chooseEngine({ ...NONE, engine: 'sherpa' }).missing ?? '', /npm run speech-model/);
});
