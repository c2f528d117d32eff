// The child process for speech recognition, so that failures of its libraries do not affect the server.
import { decodeAudio, inspectAudio } from '../audio/decode.ts';
import { lowerPriority } from '../process/priority.ts';
import { serveJobs } from '../process/serve-jobs.ts';
import { type Recognition, SpeechError } from './engine.ts';
import type { Outcome, Recogniser, Work } from './recogniser.ts';

/**
 * The lowest: recognising waits for everything else. With 10, the slowest percent of deliveries took 69 ms instead of 9
 * while four recordings were in the queue (`npm run bench -- speech`); with 19, as long as without them.
 */
const LOWEST_PRIORITY = 19;
const GRACE_SECONDS = 5;

const recognisers = new Map<string, Promise<Recogniser>>();

lowerPriority(LOWEST_PRIORITY);
serveJobs(async (work: Work, onProgress): Promise<Outcome> => {
  try {
    return await recognise(work, onProgress);
  } catch (error) {
    if (error instanceof SpeechError) return { impossible: error.message };
    throw error;
  }
});

async function recognise(
  { kind, modelDir, language, audio, length }: Work,
  onProgress: (share: number) => void,
): Promise<Recognition> {
  const inspected = await inspectAudio(audio, length + GRACE_SECONDS);
  const sound =
    typeof inspected === 'string' ? inspected : await decodeAudio(audio, inspected, length + GRACE_SECONDS);
  if (typeof sound === 'string') throw new SpeechError(`The recording could not be decoded: ${sound}.`);
  const opened = recognisers.get(kind) ?? open(kind, modelDir, language);
  recognisers.set(kind, opened);
  // The folder may be there the next time.
  opened.catch(() => recognisers.delete(kind));
  return (await opened).recognise(sound, onProgress);
}

async function open(kind: Work['kind'], modelDir: string | undefined, language: string): Promise<Recogniser> {
  if (kind === 'vosk') return (await import('./vosk.ts')).openVosk(modelDir);
  return (await import('./sherpa.ts')).openSherpa(modelDir ?? '', language);
}
