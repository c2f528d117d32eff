import { decodeAudio, type Inspected, inspectAudio, type Sound, type Unusable } from './decode.ts';

/** `inspected` is absent for a first look. */
export type Job = { bytes: Uint8Array; maxSeconds: number; inspected?: Inspected };

/** A recording as it is kept: `audio` is MP3, `length` in seconds, `peaks` its loudness over time from 0 to 100. */
export type Converted = { audio: Uint8Array; length: number; peaks: number[] };

/** In kbit/s; speech in one channel sounds as it was recorded. */
const BITRATE = 64;
const MP3_RATES = [16_000, 22_050, 24_000, 32_000, 44_100, 48_000] as const;
const PEAKS = 44;

/** Runs in a worker thread: five minutes take seconds to convert, and a malformed file may take for ever. */
export default async function work({
  bytes,
  maxSeconds,
  inspected,
}: Job): Promise<Inspected | Converted | Unusable> {
  if (!inspected) return inspectAudio(bytes, maxSeconds);
  const sound = await decodeAudio(bytes, inspected, maxSeconds);
  if (typeof sound === 'string') return sound;
  return { audio: await encode(sound), length: sound.samples.length / sound.rate, peaks: peaksOf(sound) };
}

/** Encodes as MP3 at a constant bit rate: every browser can play it, show its length and seek in it. */
async function encode({ samples, rate }: Sound): Promise<Uint8Array> {
  const { createMp3Encoder } = await import('wasm-media-encoders');
  const encoder = await createMp3Encoder();
  const outputSampleRate = MP3_RATES.find((candidate) => candidate >= rate) ?? 48_000;
  encoder.configure({ sampleRate: rate, channels: 1, bitrate: BITRATE, outputSampleRate });
  const pieces: Buffer[] = [];
  for (let at = 0; at < samples.length; at += rate)
    // Copy: the encoder reuses its buffer in the next call.
    pieces.push(Buffer.from(encoder.encode([samples.subarray(at, at + rate)])));
  pieces.push(Buffer.from(encoder.finalize()));
  return Buffer.concat(pieces);
}

/** The peak of each of `PEAKS` parts. The highest is scaled to 100, except in very quiet recordings. */
function peaksOf({ samples }: Sound): number[] {
  const peaks = new Array<number>(PEAKS).fill(0);
  samples.forEach((sample, index) => {
    const part = Math.floor((index / samples.length) * PEAKS);
    peaks[part] = Math.max(peaks[part] ?? 0, Math.abs(sample));
  });
  const loudest = Math.max(...peaks, 0.05);
  return peaks.map((peak) => Math.round((peak / loudest) * 100));
}
