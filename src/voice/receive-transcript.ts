import { z } from 'zod';
import type { Word } from '../engines/speech/engine.ts';
import { ChatError, notFound } from '../errors.ts';
import { type WriteDependencies, writeTranscript } from './write.ts';

const MAX_TEXT = 20_000;

/** What a function elsewhere sends: the words with their times, or the text alone, or that there is none. */
export const transcriptBody = z.object({
  id: z.guid('"id" takes the name of the recording.').toLowerCase(),
  text: z.string().max(MAX_TEXT, `"text" has at most ${MAX_TEXT} characters.`).optional(),
  words: z
    .array(
      z.object({ text: z.string().min(1).max(200), start: z.number().min(0), end: z.number().min(0) }),
      '"words" takes a list of {"text", "start", "end"}, in seconds.',
    )
    .max(MAX_TEXT / 2)
    .optional(),
  failed: z.boolean().optional(),
});

/** Accepts transcripts from an external function, once per recording. */
export function createTranscriptReceiver(dependencies: WriteDependencies) {
  const { files, transcriptions, forget } = dependencies;
  /** Recordings whose transcript is being stored; a second one at the same time is refused. */
  const arriving = new Set<string>();

  /** @throws ChatError 404 where there is no such recording (any more), 409 where its words have come already */
  return async ({ id, text, words, failed }: z.infer<typeof transcriptBody>): Promise<void> => {
    const file = await files.byId(id);
    const asked = await transcriptions.byId(id);
    if (!file?.voice) {
      await forget(id);
      throw notFound('There is no such recording.');
    }
    const isAsked = asked?.state === 'elsewhere' || asked?.state === 'working';
    if (!isAsked || arriving.has(id))
      throw new ChatError('not_waiting', 409, 'This recording waits for no transcript.');
    arriving.add(id);
    try {
      const timedWords = words ?? spread(text ?? '', file.voice.length);
      await writeTranscript(dependencies, id, failed ? 'failed' : { words: timedWords, certainty: 'text' });
    } finally {
      arriving.delete(id);
    }
  };
}

/** Estimates the times of words in proportion to their lengths. */
function spread(text: string, seconds: number): Word[] {
  const words = text.split(/\s+/).filter(Boolean);
  const whole = words.join('').length;
  let characters = 0;
  return words.map((word) => {
    const start = (seconds * characters) / whole;
    characters += word.length;
    return { text: word, start, end: (seconds * characters) / whole };
  });
}
