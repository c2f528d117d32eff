import { existsSync } from 'node:fs';
import { Piscina } from 'piscina';
import type { Databases } from '../database/open.ts';
import { backupsIn, lastOf } from './back-up.ts';
import { lackInWords } from './in-words.ts';
import { type BackupSettings, filesOf, type Trouble } from './run.ts';

/** How often the schedule looks whether a backup is due. */
const LOOK_EVERY_MS = 60_000;
/** A backup that failed is tried again after this time, or when the next is due, whichever is sooner. */
const RETRY_MS = 3_600_000;

export type ScheduleOptions = {
  databases: Pick<Databases, 'inTurn'>;
  settings: BackupSettings;
  everyMs: number;
  /** Called when something is wrong that was not, and with undefined when one is good again. */
  onChange(trouble: Trouble | undefined): unknown;
  /** Called after each backup, good or not. */
  onEnd(): void;
  report(error: unknown): void;
};

/**
 * Takes backups while Hearth runs. When one is due follows from the newest of the folder, so that a restart neither
 * skips one nor takes one too many, and several processes take turns.
 */
export class BackupSchedule {
  readonly #options: ScheduleOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #pool: Piscina;
  #running: Promise<unknown> | undefined;
  #isStopped = false;
  #trouble: Trouble | undefined;
  #failedAt = 0;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#trouble = troubleOfLast(options.settings);
    this.#pool = new Piscina({
      filename: new URL('./backup-worker.ts', import.meta.url).href,
      ...{ minThreads: 0, maxThreads: 1, idleTimeout: 1_000 },
      // Without a listener, an `error` event would end the process.
    }).on('error', options.report);
    this.#timer = setInterval(() => this.#begin(), LOOK_EVERY_MS).unref();
    setImmediate(() => this.#begin());
  }

  get trouble(): Trouble | undefined {
    return this.#trouble;
  }

  /** When the newest backup was taken, in milliseconds; undefined where there is none. */
  newest(): number | undefined {
    const { target } = this.#options.settings;
    try {
      // A backup dated in the future comes from a wrong clock.
      const times = (existsSync(target) ? backupsIn(target) : []).map(timeOf);
      return times.find((time) => time <= Date.now());
    } catch {
      // A disk that is gone: taking a backup says so.
      return undefined;
    }
  }

  /** Takes a backup now and removes all others with their keys, once what is under way is done. */
  async renew(): Promise<void> {
    await this.#running;
    if (this.#isStopped) return;
    const { settings, databases, report } = this.#options;
    const only = { ...settings, keep: { days: 0, weeks: 0 } };
    this.#running = databases
      .inTurn('backup', () => this.#take(only), true)
      .catch(report)
      .finally(() => {
        this.#running = undefined;
      });
    await this.#running;
  }

  /** What is under way is broken off; the next backup removes what is left of it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#pool.destroy();
    await this.#running;
  }

  #begin(): void {
    // Another process has taken a good one since.
    if (this.#trouble?.kind === 'failed' && (this.newest() ?? 0) > this.#failedAt)
      this.#note(troubleOfLast(this.#options.settings)).catch(this.#options.report);
    if (this.#running || this.#isStopped || !this.#isDue()) return;
    const { databases, report } = this.#options;
    this.#running = databases
      // Another process may have taken it while this one waited for its turn.
      .inTurn('backup', async () => this.#isDue() && this.#take(this.#options.settings))
      .catch((error) => {
        report(error);
        return this.#note({ kind: 'failed', why: 'the database does not answer.' });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  #isDue(now = Date.now()): boolean {
    const { everyMs } = this.#options;
    if (this.#trouble && now < this.#failedAt + Math.min(RETRY_MS, everyMs)) return false;
    const newest = this.newest();
    return newest === undefined || now >= newest + everyMs;
  }

  async #take(settings: BackupSettings): Promise<void> {
    const trouble: Trouble | undefined = await this.#pool.run(settings).catch((error) => {
      if (!this.#isStopped) this.#options.report(error);
      return { kind: 'failed', why: 'something unexpected went wrong; the log of the server says what.' };
    });
    await this.#note(trouble);
  }

  async #note(trouble: Trouble | undefined): Promise<void> {
    if (this.#isStopped) return;
    // Each try may fail in other words.
    const isChange =
      trouble?.kind !== this.#trouble?.kind ||
      (trouble?.kind === 'incomplete' && trouble.why !== this.#trouble?.why);
    this.#trouble = trouble;
    this.#failedAt = Date.now();
    if (isChange) await this.#options.onChange(trouble);
    this.#options.onEnd();
  }
}

/** A restart does not make a backup whole that lacks files. */
function troubleOfLast(settings: BackupSettings): Trouble | undefined {
  const { target } = settings;
  try {
    const last = existsSync(target) ? lastOf(target) : undefined;
    const why = last && lackInWords(last, filesOf(settings), target);
    return why === undefined ? undefined : { kind: 'incomplete', why };
  } catch {
    // The next one says what is wrong.
    return undefined;
  }
}

/** @param name such as 2026-01-31T04-00-00 */
function timeOf(name: string): number {
  return Date.parse(`${name.slice(0, 10)}T${name.slice(11).replaceAll('-', ':')}Z`);
}
