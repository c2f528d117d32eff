import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { eventsMissed, type Subscribe } from '../bus/bus.ts';
import type { Databases } from '../database/open.ts';
import { type RecognitionResult, type SpeechEngine, SpeechError } from '../engines/speech/engine.ts';
import { type BlobStore, CONTENT } from '../files/blob-store.ts';
import type { StoredFile } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import type { Jobs } from '../jobs.ts';
import { messagesSent } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import type { Voice } from '../recordings/recording.ts';
import { transcriptProgressed } from './events.ts';
import type { Transcription, TranscriptionStore } from './store.ts';
import { settleTranscript, type WriteDependencies, writeTranscript } from './write.ts';

const MAX_ATTEMPTS = 4;
/** Delay before the second attempt; each further one waits four times as long. */
const FIRST_RETRY_MS = 5_000;
/** A transcript from an external function has failed when it has not arrived after this time. */
const CALLBACK_TIMEOUT_MS = 3_600_000;
/** A first interruption may be a restart for another reason; a second one is taken as the recording's fault. */
const MAX_INTERRUPTIONS = 1;
const LONGEST_TIMER_MS = 3_600_000;
/** A job belongs to the process that claimed it for this long, and again each time that it says so. */
const LEASE_MS = 60_000;
const SHORTEST_TIMER_MS = 50;
/** A job that has not ended by then is begun again at the next start. */
const SHUTDOWN_TIMEOUT_MS = 2_000;

type Dependencies = WriteDependencies & {
  databases: Pick<Databases, 'isFirst'>;
  engine: SpeechEngine | undefined;
  messages: MessageStore;
  blobs: BlobStore;
  jobs: Jobs;
  subscribe: Subscribe;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** Transcribes recordings from the durable queue, oldest first, up to `engine.parallel` at a time. */
export class TranscriptionQueue {
  readonly #dependencies: Dependencies;
  readonly #engine: SpeechEngine | undefined;
  readonly #transcriptions: TranscriptionStore;
  readonly #files: FileStore;
  readonly #messages: MessageStore;
  readonly #report: (error: unknown) => void;
  readonly #underWay = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  readonly #renewal: NodeJS.Timeout;
  #isStopped = false;
  #looking: Promise<void>;

  constructor(dependencies: Dependencies) {
    const { engine, transcriptions, files, messages, subscribe, subscribeOwn, report } = dependencies;
    this.#dependencies = dependencies;
    this.#engine = engine;
    this.#transcriptions = transcriptions;
    this.#files = files;
    this.#messages = messages;
    this.#report = report;
    this.#looking = dependencies.jobs.areHere
      ? this.#resume()
          .then(() => this.#look())
          .catch(report)
      : Promise.resolve();
    dependencies.jobs.onDue('recordings', () => this.wake());
    this.#renewal = setInterval(() => this.#renew().catch(report), LEASE_MS / 3).unref();
    // A process that was killed leaves messages without the text that it had.
    subscribe(eventsMissed, () => this.#settleAll());
    subscribeOwn(messagesSent, ({ groupId, firstSeq, lastSeq }) => {
      this.#settleSent(groupId, firstSeq, lastSeq).catch(report);
    });
  }

  /** Looks whether there is something to do. */
  wake(): void {
    if (this.#isStopped) return;
    const { jobs } = this.#dependencies;
    if (!jobs.areHere) return jobs.tell('recordings');
    this.#looking = this.#looking.then(() => this.#look()).catch(this.#report);
  }

  /** Stops; what is under way begins anew at the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#renewal);
    await this.#looking;
    await this.#engine?.close();
    const ended = Promise.all(this.#underWay.values());
    await Promise.race([ended, pause(SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })]);
  }

  /** Says that the jobs under way still are, and takes up what a process that ended has left. */
  async #renew(): Promise<void> {
    const until = Date.now() + LEASE_MS;
    for (const fileId of this.#underWay.keys()) await this.#transcriptions.renew(fileId, until);
    if (this.#dependencies.jobs.areHere) this.wake();
  }

  /** Copies transcripts into messages whose recording was transcribed before or while they were sent. */
  async #settleSent(groupId: number, firstSeq: number, lastSeq: number): Promise<void> {
    for (const message of await this.#messages.between(groupId, firstSeq, lastSeq))
      for (const { id, voice } of message.files)
        if (voice && (await this.#transcriptions.byId(id))?.state === 'done')
          await settleTranscript(this.#dependencies, id);
  }

  /**
   * Recovers from a crash: interrupted jobs are queued again, and finished transcripts copied into their messages.
   * Without an engine, the remaining jobs end without a transcript.
   */
  async #resume(): Promise<void> {
    // Others may be at work; what they leave is found by its lease.
    if (!this.#dependencies.databases.isFirst) return;
    await this.#each(await this.#transcriptions.inState('working'), (job) => this.#takeBack(job));
    await this.#each(await this.#transcriptions.inState('done'), async ({ fileId }) => {
      const isWritten = (await this.#files.byId(fileId))?.voice?.transcript !== 'waiting';
      if (isWritten) await settleTranscript(this.#dependencies, fileId);
      else await this.#transcriptions.change(fileId, { state: 'waiting' });
    });
    if (this.#engine) return;
    for (const state of ['waiting', 'elsewhere'] as const)
      await this.#each(await this.#transcriptions.inState(state), ({ fileId }) =>
        writeTranscript(this.#dependencies, fileId, 'none'),
      );
  }

  /** The same for every message whose recording is transcribed. */
  async #settleAll(): Promise<void> {
    await this.#each(await this.#transcriptions.inState('done'), async ({ fileId }) => {
      const file = await this.#files.byId(fileId);
      if (file?.seq != null && file.voice?.transcript !== 'waiting')
        await settleTranscript(this.#dependencies, fileId);
    });
  }

  /** A job whose process has ended. */
  async #takeBack({ fileId, interruptions }: Transcription): Promise<void> {
    if (interruptions >= MAX_INTERRUPTIONS) await writeTranscript(this.#dependencies, fileId, 'failed');
    else
      await this.#transcriptions.change(fileId, {
        state: 'waiting',
        interruptions: interruptions + 1,
        dueAt: Date.now(),
      });
  }

  /** A job that fails is reported and does not stop the others. */
  async #each(jobs: readonly Transcription[], work: (job: Transcription) => Promise<void>) {
    for (const job of jobs) await work(job).catch(this.#report);
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isStopped || !this.#engine) return;
    const now = Date.now();
    await this.#each(await this.#transcriptions.strays(), async ({ fileId, state }) => {
      if (state === 'working') return;
      await this.#transcriptions.remove(fileId);
      await this.#dependencies.forget(fileId);
    });
    await this.#each(await this.#transcriptions.abandoned(now), (job) => this.#takeBack(job));
    await this.#each(await this.#transcriptions.overdue(now), ({ fileId }) =>
      writeTranscript(this.#dependencies, fileId, 'failed'),
    );
    while (this.#underWay.size < this.#engine.parallel) {
      const next = await this.#transcriptions.claim(now, now + LEASE_MS);
      if (!next) break;
      this.#underWay.set(next.fileId, this.#run(this.#engine, next));
    }
    if (this.#underWay.size >= this.#engine.parallel) return;
    const dueAt = (await this.#transcriptions.nextDue()) ?? Number.POSITIVE_INFINITY;
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(SHORTEST_TIMER_MS, dueAt - Date.now()));
    this.#timer = setTimeout(() => this.wake(), wait).unref();
  }

  async #run(engine: SpeechEngine, job: Transcription): Promise<void> {
    const { fileId } = job;
    try {
      await this.#transcribe(engine, job);
    } catch (error) {
      this.#report(error);
      // The result could not be stored, perhaps because the disk is full: try again later.
      const later = { state: 'waiting', dueAt: Date.now() + FIRST_RETRY_MS } as const;
      await this.#transcriptions.change(fileId, later).catch(this.#report);
    } finally {
      this.#underWay.delete(fileId);
      this.wake();
    }
  }

  async #transcribe(engine: SpeechEngine, { fileId, attempts }: Transcription): Promise<void> {
    const file = await this.#files.byId(fileId);
    if (!file?.voice) return this.#transcriptions.remove(fileId);
    let result: RecognitionResult;
    try {
      result = await this.#recognise(engine, file, file.voice);
    } catch (error) {
      if (this.#isStopped)
        return this.#transcriptions.change(fileId, {
          state: 'waiting',
          attempts: attempts - 1,
          dueAt: Date.now(),
        });
      this.#report(error);
      if (error instanceof SpeechError || attempts >= MAX_ATTEMPTS)
        return writeTranscript(this.#dependencies, fileId, 'failed');
      // At different times: one that ends the engine's process takes those beside it along.
      const pause = FIRST_RETRY_MS * 4 ** (attempts - 1) * (0.5 + Math.random());
      const dueAt = Math.round(Date.now() + pause);
      return this.#transcriptions.change(fileId, { state: 'waiting', dueAt });
    }
    if (result !== 'elsewhere') return writeTranscript(this.#dependencies, fileId, result);
    // The callback may have arrived already.
    if ((await this.#transcriptions.byId(fileId))?.state === 'working')
      await this.#transcriptions.change(fileId, {
        state: 'elsewhere',
        dueAt: Date.now() + CALLBACK_TIMEOUT_MS,
      });
  }

  async #recognise(engine: SpeechEngine, file: StoredFile, voice: Voice): Promise<RecognitionResult> {
    const { id, key, size } = file;
    const audio = await buffer(this.#dependencies.blobs.read(id, CONTENT, key, size));
    if (this.#isStopped) throw new Error('Hearth stops.');
    return engine.transcribe({ id, audio, length: voice.length, language: voice.language }, (share) => {
      this.#tellProgress(file, share).catch(this.#report);
    });
  }

  async #tellProgress({ id: fileId, accountId, groupId }: StoredFile, share: number): Promise<void> {
    // It may have been sent since.
    const seq = (await this.#files.byId(fileId))?.seq ?? null;
    this.#dependencies.publish(transcriptProgressed, { fileId, accountId, groupId, seq, share });
  }
}
