import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { BufferTarget, EncodedAudioPacketSource, EncodedPacket, Output, WebMOutputFormat } from 'mediabunny';
import { createAudioConverter } from '../../src/engines/audio/convert.ts';
import { decodeAudio, inspectAudio } from '../../src/engines/audio/decode.ts';
import { atEnd, type Ending } from '../support/hearth.ts';
import { recording, wav } from '../support/speech.ts';

const MAX_SECONDS = 300;

function realConverter(test: Ending) {
  const converter = createAudioConverter((error) => {
    throw error;
  });
  atEnd(test, () => converter.close());
  return converter;
}

async function decoded(bytes: Uint8Array) {
  const inspected = await inspectAudio(bytes, MAX_SECONDS);
  assert.ok(typeof inspected === 'object');
  const sound = await decodeAudio(bytes, inspected, MAX_SECONDS);
  assert.ok(typeof sound === 'object');
  return sound;
}

test('what Chrome, Firefox, Safari and telephones record becomes MP3 of its true length, with a waveform', async (t) => {
  const converter = realConverter(t);
  for (const form of ['webm', 'ogg', 'mp4', 'wav'] as const) {
    const converted = await converter.convert(recording(form).bytes, MAX_SECONDS);
    assert.ok(typeof converted === 'object', `${form}: ${JSON.stringify(converted)}`);
    const { audio, length, peaks } = converted;
    const expected = form === 'wav' ? 3.68 : 2.68;
    assert.ok(Math.abs(length - expected) < 0.03, `${form} is ${length} s long`);
    assert.equal(audio[0], 0xff, 'MP3 begins with a frame');
    const again = await decoded(audio);
    assert.ok(Math.abs(again.samples.length / again.rate - length) < 0.1);
    assert.equal(peaks.length, 44);
    assert.equal(Math.max(...peaks), 100);
    assert.ok(Math.min(...peaks) < 20, 'between the words it is quieter');
  }
});

test('silence is a recording; nothing, a text, a picture and noise after a header are none', async (t) => {
  const converter = realConverter(t);
  const silence = await converter.convert(
    wav(2, 16_000, () => 0),
    MAX_SECONDS,
  );
  assert.ok(typeof silence === 'object' && silence.length === 2 && Math.max(...silence.peaks) === 0);
  assert.equal(await converter.convert(Buffer.alloc(0), MAX_SECONDS), 'empty');
  assert.equal(
    await converter.convert(
      wav(0, 16_000, () => 0),
      MAX_SECONDS,
    ),
    'empty',
  );
  assert.equal(await converter.convert(Buffer.from('no sound at all'), MAX_SECONDS), 'not_audio');
  const picture = readFileSync('static/icons/icon-192.png');
  assert.equal(await converter.convert(picture, MAX_SECONDS), 'not_audio');
});

test('a container that is read for ever is given up, and the next recording is converted', async (t) => {
  const converter = realConverter(t);
  const endless = Buffer.concat([recording('webm').bytes.subarray(0, 300), Buffer.alloc(5_000, 0xa7)]);
  // A thread that has not started is given more time.
  assert.ok(typeof (await converter.convert(recording('ogg').bytes, MAX_SECONDS)) === 'object');
  assert.equal(await converter.convert(endless, MAX_SECONDS), 'not_audio');
  assert.ok(typeof (await converter.convert(recording('ogg').bytes, MAX_SECONDS)) === 'object');
});

test('a truncated recording is converted up to where it ends', async (t) => {
  const { bytes } = recording('mp4');
  const half = await realConverter(t).convert(bytes.subarray(0, bytes.length * 0.6), MAX_SECONDS);
  assert.ok(typeof half === 'object' && half.length > 1 && half.length < 2);
});

test('six minutes are too long, and what claims to be hours is not decoded', async (t) => {
  const converter = realConverter(t);
  assert.equal(await converter.convert(wav(360, 8_000, Math.sin), MAX_SECONDS), 'too_long');
  const four = await converter.convert(wav(240, 8_000, Math.sin), MAX_SECONDS);
  assert.ok(typeof four === 'object' && four.length === 240);

  const target = new BufferTarget();
  const output = new Output({ format: new WebMOutputFormat(), target });
  const source = new EncodedAudioPacketSource('opus');
  output.addAudioTrack(source);
  await output.start();
  const meta = { decoderConfig: { codec: 'opus', sampleRate: 48_000, numberOfChannels: 1 } };
  for (let packet = 0; packet < 60_000; packet++)
    // One byte that stands for 60 ms of silence.
    await source.add(new EncodedPacket(Uint8Array.of(0x18), 'key', packet * 0.06, 0.06), meta);
  await output.finalize();
  const bomb = new Uint8Array(target.buffer ?? new ArrayBuffer(0));
  assert.ok(bomb.length < 2_000_000);
  const before = process.memoryUsage().rss;
  assert.equal(await converter.convert(bomb, MAX_SECONDS), 'too_long');
  assert.ok(process.memoryUsage().rss - before < 300e6);
  assert.equal(
    await converter.convert(wav(1, 16_000, Math.sin, 6), MAX_SECONDS),
    'not_audio',
    'six channels',
  );
  assert.equal(await converter.convert(wav(0.05, 16_000, Math.sin), MAX_SECONDS), 'empty', 'a click');
});

test('a microphone’s recording is one channel, whatever the file has', async () => {
  const stereo = await decoded(wav(1, 16_000, () => 0.5, 2));
  assert.deepEqual([stereo.rate, stereo.samples.length], [16_000, 16_000]);
  assert.ok(Math.abs((stereo.samples[8_000] ?? 0) - 0.5) < 0.01);
});
