// The child process for speech recognition, so that failures of its libraries do not affect the server.
import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { decodeAudio, inspectAudio } from '../audio/decode.ts';
import { SpeechError } from './engine.ts';
import type { Order, Recogniser, Report } from './recogniser.ts';

/**
 * The lowest: recognising waits for everything else. With 10, the slowest percent of deliveries took 69 ms instead of 9
 * while four recordings were in the queue (`npm run bench -- speech`); with 19, as long as without them.
 */
const LOWEST_PRIORITY = 19;
const GRACE_SECONDS = 5;

const recognisers = new Map<string, Promise<Recogniser>>();

waitForEverybodyElse();
process.on('disconnect', () => process.exit());
process.on('message', (order: Order) => {
  serve(order).then(say, (error: unknown) => {
    const failed = error instanceof Error ? error.message : String(error);
    say({ job: order.job, failed, isFinal: error instanceof SpeechError });
  });
});

async function serve({ job, kind, modelDir, language, audio, length }: Order): Promise<Report> {
  const inspected = await inspectAudio(audio, length + GRACE_SECONDS);
  const sound =
    typeof inspected === 'string' ? inspected : await decodeAudio(audio, inspected, length + GRACE_SECONDS);
  if (typeof sound === 'string') throw new SpeechError(`The recording could not be decoded: ${sound}.`);
  const opened = recognisers.get(kind) ?? open(kind, modelDir, language);
  recognisers.set(kind, opened);
  // The folder may be there the next time.
  opened.catch(() => recognisers.delete(kind));
  let told = 0;
  const recognised = await (await opened).recognise(sound, (progress) => {
    if (Date.now() - told < 200) return;
    told = Date.now();
    say({ job, progress });
  });
  return { job, ...recognised };
}

async function open(
  kind: Order['kind'],
  modelDir: string | undefined,
  language: string,
): Promise<Recogniser> {
  if (kind === 'vosk') return (await import('./vosk.ts')).openVosk(modelDir);
  return (await import('./sherpa.ts')).openSherpa(modelDir ?? '', language);
}

/** On Linux priority is set per thread: set it for every existing thread; threads that these start inherit it. */
function waitForEverybodyElse(): void {
  const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [0];
  for (const thread of threads) setPriority(thread, LOWEST_PRIORITY);
}

function say(report: Report): void {
  if (process.connected) process.send?.(report);
}
