import type { AudioCodec, InputFormat } from 'mediabunny';

/** Sound as one channel of samples from -1 to 1. */
export type Sound = { samples: Float32Array; rate: number };

/** Why something is no sound that can be used. */
export type Unusable = 'not_audio' | 'too_long' | 'empty';

/** Which decoder takes it. */
export type Inspected = { decoder: 'webm' | 'm4a' | 'wav' | 'mp3' | 'aac' | 'opus' | 'oga' };

/** Bytes per call of a decoder: few, so that a file which decodes to far more than its size is stopped early. */
const PIECE_BYTES = 16 * 1024;
/** A recording may exceed its limit by this much, since its length may have been measured differently. */
const GRACE_SECONDS = 2;
/** Shorter than this is no sound. */
const SHORTEST_SECONDS = 0.1;
/** Most packets per second of speech, by codec. A file with more is refused, since it could exhaust the memory. */
const MAX_PACKETS_A_SECOND: Partial<Record<AudioCodec, number>> = { opus: 55, aac: 55, mp3: 55, vorbis: 400 };
/** PCM is uncompressed, so the size of the file already limits its number of samples. */
const MAX_PACKETS_OF_PCM = 100;
const MAX_CHANNELS = 2;

/** The decoders of `audio-decode`, by what mediabunny calls the format. */
const DECODERS: Readonly<Record<string, Inspected['decoder']>> = {
  WebM: 'webm',
  Matroska: 'webm',
  MP4: 'm4a',
  QuickTime: 'm4a',
  WAVE: 'wav',
  MP3: 'mp3',
  ADTS: 'aac',
};

/**
 * Inspects only the container, and counts its packets. Accepts what browsers, telephones and computers record: Opus
 * and Vorbis in WebM or Ogg, AAC in MP4, MP3 and WAV. A malicious container can keep this running for ever, so
 * callers must set a time limit.
 */
export async function inspectAudio(bytes: Uint8Array, maxSeconds: number): Promise<Inspected | Unusable> {
  if (bytes.length === 0) return 'empty';
  const { Input, ALL_FORMATS, BufferSource, EncodedPacketSink } = await import('mediabunny');
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
  try {
    const format = await input.getFormat();
    const track = await input.getPrimaryAudioTrack();
    const codec = track?.codec;
    const decoder = codec && decoderOf(format, codec);
    if (!track || !decoder) return 'not_audio';
    if (track.numberOfChannels > MAX_CHANNELS) return 'not_audio';
    const mayHave = (maxSeconds + GRACE_SECONDS) * (MAX_PACKETS_A_SECOND[codec] ?? MAX_PACKETS_OF_PCM);
    let packets = 0;
    for await (const _ of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true }))
      if (++packets > mayHave) return 'too_long';
    return packets === 0 ? 'empty' : { decoder };
  } catch {
    return 'not_audio';
  } finally {
    input.dispose();
  }
}

/** Decodes what was inspected, and nothing beyond `maxSeconds`. */
export async function decodeAudio(
  bytes: Uint8Array,
  { decoder }: Inspected,
  maxSeconds: number,
): Promise<Sound | Unusable> {
  const { default: decode } = await import('audio-decode');
  const feed = await decode[decoder]();
  const pieces: Float32Array[] = [];
  let rate = 0;
  let length = 0;
  try {
    for (let at = 0; at <= bytes.length; at += PIECE_BYTES) {
      const isLast = at + PIECE_BYTES > bytes.length;
      for (const decoded of [
        await feed(bytes.subarray(at, at + PIECE_BYTES)),
        ...(isLast ? [await feed()] : []),
      ]) {
        if (decoded.channelData.length === 0) continue;
        const mono = asMono(decoded.channelData);
        pieces.push(mono);
        length += mono.length;
        rate = decoded.sampleRate;
        if (length > rate * (maxSeconds + GRACE_SECONDS)) return 'too_long';
      }
    }
  } catch {
    // Keep what was decoded before the damaged part.
  } finally {
    feed.free();
  }
  if (length < rate * SHORTEST_SECONDS || length === 0) return 'empty';
  const samples = new Float32Array(length);
  let at = 0;
  for (const piece of pieces) {
    samples.set(piece, at);
    at += piece.length;
  }
  return { samples, rate };
}

function decoderOf({ name }: InputFormat, codec: AudioCodec): Inspected['decoder'] | undefined {
  if (name === 'WAVE') return 'wav';
  if (!(codec in MAX_PACKETS_A_SECOND)) return undefined;
  if (name === 'Ogg') return codec === 'opus' ? 'opus' : 'oga';
  return DECODERS[name];
}

function asMono(channels: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0), ...others] = channels;
  if (others.length === 0) return first;
  const mono = new Float32Array(first.length);
  for (const channel of channels)
    for (let index = 0; index < mono.length; index++)
      mono[index] = (mono[index] ?? 0) + (channel[index] ?? 0) / channels.length;
  return mono;
}
