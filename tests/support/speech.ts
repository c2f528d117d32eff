import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './hearth.ts';

/** What is said in `tests/voice/recordings`. */
export const SAID = 'They have been carried away by monkeys.';

const TYPES = { webm: 'audio/webm;codecs=opus', ogg: 'audio/ogg', mp4: 'audio/mp4', wav: 'audio/wav' };

export const MICROPHONE = join(ROOT, 'tests/voice/recordings/monkeys.wav');

/** For Chromium: a microphone into which a person says their sentence again and again. */
export const SPOKEN = [
  '--use-fake-device-for-media-stream',
  `--use-file-for-fake-audio-capture=${MICROPHONE}`,
  '--use-fake-ui-for-media-stream',
];

/** A person's sentence in the form in which a browser records it. */
export function recording(form: keyof typeof TYPES) {
  const bytes = readFileSync(join(ROOT, `tests/voice/recordings/monkeys.${form}`));
  return { name: `recording.${form}`, type: TYPES[form], bytes };
}

/** A person's sentence in Spanish. */
export function spanishRecording() {
  const bytes = readFileSync(join(ROOT, 'tests/voice/recordings/spanish.ogg'));
  return { name: 'spanish.ogg', type: TYPES.ogg, bytes };
}

/** A WAV file of 16-bit samples, each made from the second that it is at, the same in every channel. */
export function wav(
  seconds: number,
  rate: number,
  sampleAt: (second: number) => number,
  channels = 1,
): Buffer {
  const length = Math.round(seconds * rate) * channels;
  const bytes = Buffer.alloc(44 + length * 2);
  bytes.write('RIFF');
  bytes.writeUInt32LE(36 + length * 2, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(rate * 2 * channels, 28);
  bytes.writeUInt16LE(2 * channels, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(length * 2, 40);
  for (let index = 0; index < length; index++)
    bytes.writeInt16LE(Math.round(sampleAt(Math.floor(index / channels) / rate) * 32_767), 44 + index * 2);
  return bytes;
}

/**
 * The smallest transducer that sherpa-onnx accepts: valid ONNX graphs of a few kilobytes with meaningless weights. It
 * recognises arbitrary tokens in any sound, each with a time.
 */
export function writeTinyTransducer(folder: string): void {
  const features = 80;
  const tokens = ['<blk>', '<sos/eos>', '<unk>', '▁HE', 'LLO', '▁WORLD'];
  const floats = (name: string, dims: number[], values: number[]) =>
    field(5, [
      ...dims.map((dim) => number(1, dim)),
      number(2, 1),
      field(8, name),
      field(9, Buffer.from(Float32Array.from(values).buffer)),
    ]);
  let state = 7;
  const random = () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return state / 0x7fffffff - 0.5;
  };
  const encoder = model(
    [node('Identity', ['x'], ['encoder_out']), node('Identity', ['x_lens'], ['encoder_out_lens'])],
    [],
    [value('x', 1, ['N', 'T', features]), value('x_lens', 7, ['N'])],
    [value('encoder_out', 1, ['N', 'T', features]), value('encoder_out_lens', 7, ['N'])],
    { model_type: 'zipformer2', version: '1' },
  );
  const decoder = model(
    [
      node('Cast', ['y'], ['yf'], field(5, [field(1, 'to'), number(3, 1), number(20, 2)])),
      node('MatMul', ['yf', 'Z'], ['decoder_out']),
    ],
    [floats('Z', [2, features], new Array(2 * features).fill(0))],
    [value('y', 7, ['N', 2])],
    [value('decoder_out', 1, ['N', features])],
    { vocab_size: String(tokens.length), context_size: '2' },
  );
  const joiner = model(
    [node('Add', ['encoder_out', 'decoder_out'], ['sum']), node('MatMul', ['sum', 'W'], ['logit'])],
    [floats('W', [features, tokens.length], Array.from({ length: features * tokens.length }, random))],
    [value('encoder_out', 1, ['N', features]), value('decoder_out', 1, ['N', features])],
    [value('logit', 1, ['N', tokens.length])],
    { joiner_dim: String(features) },
  );
  for (const [name, bytes] of Object.entries({ encoder, decoder, joiner }))
    writeFileSync(join(folder, `${name}.onnx`), bytes);
  writeFileSync(
    join(folder, 'tokens.txt'),
    `${tokens.map((token, index) => `${token} ${index}`).join('\n')}\n`,
  );
}

// ONNX is protobuf: onnx/onnx.proto has the numbers of these fields.

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 128 : 0));
    if (rest < 128) return Buffer.from(bytes);
  }
}

function number(id: number, value: number): Buffer {
  return Buffer.concat([varint(id * 8), varint(value)]);
}

function field(id: number, content: string | Buffer | Buffer[]): Buffer {
  const bytes = Array.isArray(content) ? Buffer.concat(content) : Buffer.from(content);
  return Buffer.concat([varint(id * 8 + 2), varint(bytes.length), bytes]);
}

function node(operator: string, inputs: string[], outputs: string[], ...attributes: Buffer[]): Buffer {
  return field(1, [
    ...inputs.map((name) => field(1, name)),
    ...outputs.map((name) => field(2, name)),
    field(4, operator),
    ...attributes,
  ]);
}

function value(name: string, type: number, dims: (string | number)[]): Buffer {
  const shape = dims.map((dim) => field(1, [typeof dim === 'number' ? number(1, dim) : field(2, dim)]));
  return Buffer.concat([field(1, name), field(2, [field(1, [number(1, type), field(2, shape)])])]);
}

function model(
  nodes: Buffer[],
  weights: Buffer[],
  inputs: Buffer[],
  outputs: Buffer[],
  about: Record<string, string>,
): Buffer {
  const graph = [
    ...nodes,
    field(2, 'graph'),
    ...weights,
    ...inputs.map((input) => field(11, input)),
    ...outputs.map((output) => field(12, output)),
  ];
  const notes = Object.entries(about).map(([key, text]) => field(14, [field(1, key), field(2, text)]));
  return Buffer.concat([number(1, 8), field(7, graph), field(8, [number(2, 13)]), ...notes]);
}
