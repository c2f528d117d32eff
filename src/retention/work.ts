import type { AuditStore } from '../audit/store.ts';
import type { Publish, Subscribe } from '../bus/bus.ts';
import type { Databases } from '../database/open.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { groupCreated, groupSettingsChanged, memberJoined } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Jobs } from '../jobs.ts';
import type { MessageWriter } from '../messages/writer.ts';
import { heldSince, type SiteSettings, type SiteSettingsStore } from '../site-settings/store.ts';
import { oldestKept, purgeGroup, type Removed } from './purge.ts';
import { removeOldest } from './remove-oldest.ts';
import type { RetentionStore } from './store.ts';

const MEGABYTE = 1024 * 1024;
const LOOK_EVERY_MS = 3_600_000;

export type RetentionDependencies = {
  databases: Pick<Databases, 'inTurn'>;
  retention: RetentionStore;
  siteSettings: SiteSettingsStore;
  audit: AuditStore;
  groups: GroupStore;
  blobs: BlobStore;
  writer: MessageWriter;
  publish: Publish;
  jobs: Pick<Jobs, 'onDue'>;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/**
 * Removes what is older than groups keep it, and the oldest files where they take more than they may: every hour, and
 * when it is asked to. Groups on hold are left as they are.
 */
export class RetentionWork {
  readonly #dependencies: RetentionDependencies;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(dependencies: RetentionDependencies) {
    this.#dependencies = dependencies;
    this.#timer = setInterval(() => void this.run(), LOOK_EVERY_MS).unref();
    dependencies.subscribeOwn(groupCreated, () => this.holdNew());
    // Of direct conversations and private lines nothing else is told.
    dependencies.subscribeOwn(memberJoined, () => this.holdNew());
    dependencies.jobs.onDue('retention', () => void this.run());
    void this.run();
  }

  /**
   * Removes what is to go.
   * @param waits whether it waits for another process that is at it
   * @returns whether all of it is gone
   */
  run(now = Date.now(), waits = false): Promise<boolean> {
    const { databases, report } = this.#dependencies;
    const done = this.#running
      .then(() => databases.inTurn('retention', () => this.#look(now), waits))
      .then(
        (isDone) => isDone === true,
        (error) => {
          report(error);
          return false;
        },
      );
    this.#running = done;
    return done;
  }

  /** Puts groups on hold that have come since all of them were. */
  async holdNew(): Promise<void> {
    const { siteSettings, retention, publish } = this.#dependencies;
    const overall = heldSince(await siteSettings.read());
    if (overall === 0) return;
    for (const groupId of await retention.holdAll(overall)) publish(groupSettingsChanged, { groupId });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  /** @returns whether nothing failed */
  async #look(now: number): Promise<boolean> {
    const { siteSettings, groups, audit, report } = this.#dependencies;
    if (this.#isStopped) return false;
    await this.holdNew();
    const settings = await siteSettings.read();
    const removed = { messages: 0, files: 0 };
    let isDone = true;
    for (const group of await groups.everyKind()) {
      if (this.#isStopped) break;
      await this.#lookAt(group, settings, now, removed).catch((error) => {
        isDone = false;
        report(error);
      });
    }
    const limit = Number(settings.keepMegabytes ?? 0) * MEGABYTE;
    if (limit > 0) await this.#keepWithin(limit, undefined, removed);
    if (removed.messages > 0) {
      const details = { why: `messages: ${removed.messages}, files: ${removed.files}` };
      await audit.add({ at: now, actorId: null, action: 'retention', details });
    }
    return isDone && !this.#isStopped;
  }

  async #lookAt(group: Group, settings: SiteSettings, now: number, removed: Removed): Promise<void> {
    if (group.heldAt !== null) return;
    const before = oldestKept(group, settings, now);
    if (before !== undefined)
      add(removed, await purgeGroup(this.#dependencies, group, before, () => this.#isStopped));
    if (group.keepMegabytes) await this.#keepWithin(group.keepMegabytes * MEGABYTE, group.id, removed);
  }

  /** Counts only files that may be removed: removing more of them would not make room for the others. */
  async #keepWithin(limit: number, groupId: number | undefined, removed: Removed): Promise<void> {
    const bytes = (await this.#dependencies.retention.bytesThatMayGo(groupId)) - limit;
    add(removed, await removeOldest(this.#dependencies, bytes, groupId, () => this.#isStopped));
  }
}

function add(sum: Removed, { messages, files }: Removed): void {
  sum.messages += messages;
  sum.files += files;
}
