import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createAudioConverter } from '../../src/engines/audio/convert.ts';
import { chooseEngine } from '../../src/engines/speech/choose.ts';
import { temporaryFolder } from '../../tests/support/hearth.ts';
import { wav } from '../../tests/support/speech.ts';
import { offer } from './fanout.ts';
import { type Cleanup, pause, people, startOurs } from './processes.ts';
import { installPrompts, type Prompt, readPrompts, wordsOf } from './prompts.ts';
import { type Finding, finding, inTurns, percentile } from './report.ts';
import { openSockets } from './sockets.ts';

const TICKS_A_SECOND = 100;

const SOCKETS = 200;
const RATE = 40;
const SECONDS = 6;
const TIMES = 3;
const TRANSCRIPTIONS = 4;
const LONG_SECONDS = 75;

/** Accuracy and cost of the embedded engine on recorded sentences, and its effect on message delivery. */
export async function speech(cleanup: Cleanup): Promise<Finding[]> {
  installPrompts('en');
  const prompts = readPrompts(temporaryFolder(cleanup));
  return [...(await accuracy(cleanup, prompts)), await delivery(cleanup, prompts)];
}

/** As a recording goes: through the converter, and from its MP3 to words. */
async function accuracy(cleanup: Cleanup, prompts: readonly Prompt[]): Promise<Finding[]> {
  const converter = createAudioConverter(console.error);
  cleanup.after(() => converter.close());
  const { engine } = chooseEngine({
    engine: 'vosk',
    modelDir: undefined,
    bucket: undefined,
    language: 'en-US',
  });
  if (!engine) throw new Error('The packages of Vosk are not installed.');
  cleanup.after(() => engine.close());
  let errors = 0;
  let words = 0;
  let seconds = 0;
  let before = 0;
  for (const { name, words: expected, bytes } of prompts) {
    const converted = await converter.convert(bytes, 300);
    if (typeof converted === 'string') throw new Error(`${name} is ${converted}.`);
    const result = await engine.transcribe({ id: name, ...converted }, () => {});
    if (result === 'elsewhere') throw new Error('Vosk is here.');
    // What the start and the model take is not work on a recording.
    if (words === 0) before = speechProcess().seconds;
    else seconds += converted.length;
    const got = result.words.flatMap((word) => wordsOf(word.text));
    errors += distance(expected, got);
    words += expected.length;
    process.stderr.write(`\r  ${words} words, ${((100 * errors) / words).toFixed(1)} % errors `);
  }
  const { seconds: after, peakMiB } = speechProcess();
  process.stderr.write(`\n  ${prompts.length} prompts, ${seconds.toFixed(0)} s of speech\n`);
  return [
    finding('speech-errors', '% of words, limit', { hearth: (100 * errors) / words, floor: 16 }, 1, true),
    finding(
      'speech-work',
      's an audio second, limit',
      { hearth: (after - before) / seconds, floor: 0.25 },
      1,
      true,
    ),
    finding('speech-memory', 'MiB at peak, limit', { hearth: peakMiB, floor: 400 }, 1, true),
  ];
}

/** The slowest percent of deliveries, with four long recordings in the queue and with none. */
async function delivery(cleanup: Cleanup, prompts: readonly Prompt[]): Promise<Finding> {
  const ours = await startOurs(cleanup);
  const members = await people(ours.url, 10, 1);
  const sockets = await openSockets(
    ours.url,
    '/ws/chat/1',
    members.map((visitor) => visitor.cookie),
    SOCKETS,
  );
  const long = { name: 'long.wav', type: 'audio/wav', bytes: inARow(prompts, LONG_SECONDS) };
  const [sender] = members;
  if (!sender) throw new Error('There is nobody.');
  await sender.post('/groups/2/join');
  const slowest = async () => {
    const { latencies, lost } = await offer(sockets, RATE, SECONDS);
    if (lost > 0) throw new Error(`${lost} deliveries were lost.`);
    return percentile(latencies, 99) / 1_000;
  };
  await slowest();
  const found = await inTurns(TIMES, slowest, async () => {
    for (let count = 0; count < TRANSCRIPTIONS; count++)
      await sender.upload('/groups/2/voice', [long], { way: 'message' });
    await pause(1_500);
    const p99 = await slowest();
    const busy = await waiting(sender);
    if (busy < 2) throw new Error('The recordings were written down before the measurement ended.');
    while ((await waiting(sender)) > 0) await pause(500);
    return p99;
  });
  return finding('speech-delivery', 'ms p99, four in the queue', found, 1.5, true);
}

async function waiting(person: { get(path: string): Promise<{ body: string }> }): Promise<number> {
  return (await person.get('/groups/2')).body.split('Transcribing…').length - 1;
}

function inARow(prompts: readonly Prompt[], seconds: number): Buffer {
  const rate = 16_000;
  const samples = Buffer.concat(prompts.map(({ bytes }) => bytes.subarray(44))).subarray(
    0,
    seconds * rate * 2,
  );
  return wav(seconds, rate, (second) => samples.readInt16LE(Math.round(second * rate) * 2) / 32_768);
}

/** The one child that recognises: the processor time that it has taken, and its largest memory so far. */
function speechProcess(): { seconds: number; peakMiB: number } {
  const list = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  const pid = /^\s*(\d+) .*local-process/m.exec(list)?.[1];
  // man 5 proc: the 14th and 15th field, in clock ticks; the name before them may hold spaces.
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return {
    seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    peakMiB: Number(peak) / 1_024,
  };
}

/** Words put in, left out or taken for others (Levenshtein). */
function distance(wanted: readonly string[], got: readonly string[]): number {
  let row = Array.from({ length: got.length + 1 }, (_, index) => index);
  wanted.forEach((word, index) => {
    const next = [index + 1];
    got.forEach((other, at) => {
      const change = (row[at] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(change, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    });
    row = next;
  });
  return row.at(-1) ?? 0;
}
