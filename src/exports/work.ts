import { randomBytes, randomUUID } from 'node:crypto';
import { pipeline, Transform } from 'node:stream';
import type { Account } from '../accounts/store.ts';
import type { Databases } from '../database/open.ts';
import { CONTENT } from '../files/blob-store.ts';
import type { Jobs } from '../jobs.ts';
import { type ArchiveDependencies, createArchive } from './archive.ts';
import type { AccountExport, ExportStore } from './store.ts';

/** How long an archive can be downloaded. */
export const KEPT_MS = 24 * 3_600_000;
const SWEEP_INTERVAL_MS = 3_600_000;
const LOOK_EVERY_MS = 60_000;
const KEY_BYTES = 32;

type Dependencies = ArchiveDependencies & {
  databases: Pick<Databases, 'inTurn'>;
  exports: ExportStore;
  jobs: Pick<Jobs, 'onDue'>;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** Makes archives one after another; those that a stopped process did not finish are made anew by the next. */
export class ExportWork {
  readonly #dependencies: Dependencies;
  readonly #sweep = setInterval(() => this.#removeOld().catch(this.#dependencies.report), SWEEP_INTERVAL_MS);
  /** For what another process began and did not finish. */
  readonly #look = setInterval(() => this.#lookAgain(), LOOK_EVERY_MS);
  #running: Promise<unknown>;
  #isStopped = false;
  /** Says that another process may have begun the same. */
  #lost: AbortSignal | undefined;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    this.#sweep.unref();
    dependencies.jobs.onDue('exports', () => this.#lookAgain());
    this.#running = this.#resume().catch(dependencies.report);
    this.#look.unref();
  }

  /** Replaces the archive before; while one is being made, nothing changes. */
  async begin(account: Account, now = Date.now()): Promise<void> {
    const { exports, blobs } = this.#dependencies;
    const before = await exports.of(account.id);
    const blobId = randomUUID();
    if (!(await exports.begin(account.id, blobId, randomBytes(KEY_BYTES), now))) return;
    if (before) await blobs.remove(before.blobId);
    this.#running = this.#running
      .then(() => this.#inTurn(() => this.#make(account.id)))
      .catch(this.#dependencies.report);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#sweep);
    clearInterval(this.#look);
    await this.#running;
  }

  #lookAgain(): void {
    this.#running = this.#running.then(() => this.#resume()).catch(this.#dependencies.report);
  }

  async #resume(): Promise<void> {
    await this.#removeOld();
    await this.#inTurn(async () => {
      for (const { accountId } of await this.#dependencies.exports.running()) await this.#make(accountId);
    });
  }

  get #isOver(): boolean {
    return this.#isStopped || this.#lost?.aborted === true;
  }

  #inTurn(work: () => Promise<void>): Promise<unknown> {
    return this.#dependencies.databases.inTurn('exports', (lost) => {
      this.#lost = lost;
      return work();
    });
  }

  async #make(accountId: number): Promise<void> {
    const { exports, accounts, report } = this.#dependencies;
    const wanted = await exports.of(accountId);
    const account = await accounts.byId(accountId);
    if (wanted?.state !== 'running' || !account || this.#isOver) return;
    try {
      const size = await this.#write(account, wanted);
      await exports.change(wanted, { state: 'ready', size });
    } catch (error) {
      // What a stop broke off is made by the next process.
      if (this.#isOver) return;
      report(error);
      await exports.change(wanted, { state: 'failed' });
    }
  }

  /** @returns its size in bytes */
  async #write(account: Account, wanted: AccountExport): Promise<number> {
    const { exports, blobs } = this.#dependencies;
    let size = 0;
    const counted = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        size += chunk.length;
        done(this.#isOver ? new Error('It is broken off.') : null, chunk);
      },
    });
    const archive = await createArchive(this.#dependencies, account, (done, total) =>
      exports.change(wanted, { done, total }),
    );
    // Whichever of them ends with an error, the other one does, too; writing fails by it.
    pipeline(archive, counted, () => {});
    // What a killed process left of it is in the way.
    await blobs.remove(wanted.blobId);
    await blobs.write(wanted.blobId, CONTENT, wanted.key, counted);
    return size;
  }

  async #removeOld(now = Date.now()): Promise<void> {
    const { exports, blobs } = this.#dependencies;
    for (const old of await exports.before(now - KEPT_MS)) {
      await exports.remove(old);
      await blobs.remove(old.blobId);
    }
  }
}
