import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { Subscribe } from '../bus/bus.ts';
import { type RecognitionResult, type SpeechEngine, SpeechError } from '../engines/speech/engine.ts';
import { type BlobStore, CONTENT } from '../files/blob-store.ts';
import { messagesSent } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import { transcriptProgressed } from './events.ts';
import type { Transcription } from './store.ts';
import { settleTranscript, type WriteDependencies, writeTranscript } from './write.ts';

const MAX_ATTEMPTS = 4;
/** Before the second try; each further one waits four times as long. */
const FIRST_RETRY_MS = 5_000;
/** A transcript from a function elsewhere has failed when it has not come by then. */
const CALLBACK_TIMEOUT_MS = 3_600_000;
/** Somebody else's machine may have been restarted for another reason; a second time it is the recording's fault. */
const MAX_INTERRUPTIONS = 1;
const LONGEST_TIMER_MS = 3_600_000;
/** A job that has not ended by then is begun again at the next start. */
const SHUTDOWN_TIMEOUT_MS = 2_000;

export type TranscriptionQueue = {
  /** Looks whether there is something to do. */
  wake(): void;
  /** Stops; what is under way begins anew at the next start. */
  stop(): Promise<void>;
};

type Dependencies = WriteDependencies & {
  engine: SpeechEngine | undefined;
  messages: MessageStore;
  blobs: BlobStore;
  subscribe: Subscribe;
  /** Hears of what failed in the background. */
  report(error: unknown): void;
};

/** Takes recordings from the durable queue, as many at a time as the engine likes, the oldest first. */
export function startTranscriptions(dependencies: Dependencies): TranscriptionQueue {
  const { engine, transcriptions, files, messages, blobs, publish, subscribe, forget, report } = dependencies;
  const underWay = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let looking = resume().then(look).catch(report);

  function wake(): void {
    if (isStopped) return;
    looking = looking.then(look).catch(report);
  }

  subscribe(messagesSent, ({ groupId, firstSeq, lastSeq }) => {
    settleSent(groupId, firstSeq, lastSeq).catch(report);
  });

  /** A recording that was text before it was sent, or became it while it was. */
  async function settleSent(groupId: number, firstSeq: number, lastSeq: number): Promise<void> {
    for (const message of await messages.between(groupId, firstSeq, lastSeq))
      for (const { id, voice } of message.files)
        if (voice && (await transcriptions.byId(id))?.state === 'done')
          await settleTranscript(dependencies, id);
  }

  /** What a crash has left: begun ones once more, written ones to their messages; without an engine, none of it. */
  async function resume(): Promise<void> {
    await each(await transcriptions.inState('working'), async ({ fileId, interruptions }) => {
      if (interruptions >= MAX_INTERRUPTIONS) await writeTranscript(dependencies, fileId, 'failed');
      else await transcriptions.change(fileId, { state: 'waiting', interruptions: interruptions + 1 });
    });
    await each(await transcriptions.inState('done'), async ({ fileId }) => {
      const isWritten = (await files.byId(fileId))?.voice?.transcript !== 'waiting';
      if (isWritten) await settleTranscript(dependencies, fileId);
      else await transcriptions.change(fileId, { state: 'waiting' });
    });
    if (engine) return;
    for (const state of ['waiting', 'elsewhere'] as const)
      await each(await transcriptions.inState(state), ({ fileId }) =>
        writeTranscript(dependencies, fileId, 'none'),
      );
  }

  /** One that fails holds up no other. */
  async function each(jobs: readonly Transcription[], work: (job: Transcription) => Promise<void>) {
    for (const job of jobs) await work(job).catch(report);
  }

  async function look(): Promise<void> {
    clearTimeout(timer);
    if (isStopped || !engine) return;
    const now = Date.now();
    await each(await transcriptions.strays(), async ({ fileId, state }) => {
      if (state === 'working') return;
      await transcriptions.remove(fileId);
      await forget(fileId);
    });
    await each(await transcriptions.overdue(now), ({ fileId }) =>
      writeTranscript(dependencies, fileId, 'failed'),
    );
    while (underWay.size < engine.parallel) {
      const next = await transcriptions.claim(now);
      if (!next) break;
      const { fileId } = next;
      const run = transcribe(engine, next)
        .catch(async (error: unknown) => {
          report(error);
          // It could not be written down where it belongs: the disk may have room later.
          await transcriptions.change(fileId, { state: 'waiting', dueAt: Date.now() + FIRST_RETRY_MS });
        })
        .catch(report)
        .finally(() => {
          underWay.delete(fileId);
          wake();
        });
      underWay.set(fileId, run);
    }
    if (underWay.size >= engine.parallel) return;
    const dueAt = (await transcriptions.nextDue()) ?? Number.POSITIVE_INFINITY;
    timer = setTimeout(wake, Math.min(LONGEST_TIMER_MS, Math.max(50, dueAt - Date.now())));
    timer.unref();
  }

  async function transcribe(engine: SpeechEngine, { fileId, attempts }: Transcription): Promise<void> {
    const file = await files.byId(fileId);
    if (!file?.voice) return transcriptions.remove(fileId);
    const { accountId, groupId, voice } = file;
    /** It may have been sent since. */
    const progressed = async (share: number) => {
      const seq = (await files.byId(fileId))?.seq ?? null;
      publish(transcriptProgressed, { fileId, accountId, groupId, seq, share });
    };
    let result: RecognitionResult;
    try {
      const audio = await buffer(blobs.read(fileId, CONTENT, file.key, file.size));
      if (isStopped) throw new Error('Hearth stops.');
      result = await engine.transcribe(
        { id: fileId, audio, length: voice.length, language: voice.language },
        (share) => {
          progressed(share).catch(report);
        },
      );
    } catch (error) {
      if (isStopped) return transcriptions.change(fileId, { state: 'waiting', attempts: attempts - 1 });
      report(error);
      if (error instanceof SpeechError || attempts >= MAX_ATTEMPTS)
        return writeTranscript(dependencies, fileId, 'failed');
      const dueAt = Date.now() + FIRST_RETRY_MS * 4 ** (attempts - 1);
      return transcriptions.change(fileId, { state: 'waiting', dueAt });
    }
    if (result !== 'elsewhere') return writeTranscript(dependencies, fileId, result);
    // The answer may have been faster than this.
    if ((await transcriptions.byId(fileId))?.state === 'working')
      await transcriptions.change(fileId, { state: 'elsewhere', dueAt: Date.now() + CALLBACK_TIMEOUT_MS });
  }

  return {
    wake,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await looking;
      await engine?.close();
      const ended = Promise.all(underWay.values());
      await Promise.race([ended, pause(SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}
