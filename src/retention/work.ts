import type { AuditStore } from '../audit/store.ts';
import type { Publish, Subscribe } from '../bus/bus.ts';
import type { Databases } from '../database/open.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { FileStore } from '../files/store.ts';
import { groupCreated, groupSettingsChanged } from '../groups/events.ts';
import type { GroupStore } from '../groups/store.ts';
import type { OnJobsDue } from '../jobs.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { purgeGroup, type Removed } from './purge.ts';
import { removeOldest } from './remove-oldest.ts';
import type { RetentionStore } from './store.ts';

const DAY_MS = 86_400_000;
const MEGABYTE = 1024 * 1024;
const LOOK_EVERY_MS = 3_600_000;

export type RetentionDependencies = {
  databases: Pick<Databases, 'inTurn'>;
  retention: RetentionStore;
  siteSettings: SiteSettingsStore;
  audit: AuditStore;
  groups: GroupStore;
  messages: MessageStore;
  files: FileStore;
  blobs: BlobStore;
  writer: MessageWriter;
  publish: Publish;
  onJobsDue: OnJobsDue;
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
    dependencies.onJobsDue(() => void this.run());
    void this.run();
  }

  /** Resolves when what is to go is gone. Where another process is at it, it resolves at once. */
  run(now = Date.now()): Promise<void> {
    const { databases, report } = this.#dependencies;
    const done = this.#running
      .then(() => databases.inTurn('retention', () => this.#look(now)))
      .then(() => {}, report);
    this.#running = done;
    return done;
  }

  /** Puts groups on hold that have come since all of them were. */
  async holdNew(): Promise<void> {
    const { siteSettings, retention, publish } = this.#dependencies;
    if ((await siteSettings.read()).hold !== 'yes') return;
    for (const groupId of await retention.setHeld(Date.now())) publish(groupSettingsChanged, { groupId });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }

  async #look(now: number): Promise<void> {
    const { siteSettings, groups, files, audit } = this.#dependencies;
    await this.holdNew();
    const settings = await siteSettings.read();
    const removed = { messages: 0, files: 0 };
    const isStopped = () => this.#isStopped;
    for (const group of await groups.everyKind()) {
      if (this.#isStopped) return;
      if (group.heldAt !== null) continue;
      const days = group.keepDays ?? Number(settings.keepDays ?? 0);
      if (days > 0) add(removed, await purgeGroup(this.#dependencies, group, now - days * DAY_MS, isStopped));
      if (group.keepMegabytes) {
        const bytes = (await files.bytesByGroup()).get(group.id) ?? 0;
        const over = bytes - group.keepMegabytes * MEGABYTE;
        add(removed, await removeOldest(this.#dependencies, over, group.id, isStopped));
      }
    }
    const limit = Number(settings.keepMegabytes ?? 0) * MEGABYTE;
    if (limit > 0) {
      const over = (await files.bytes()) - limit;
      add(removed, await removeOldest(this.#dependencies, over, undefined, isStopped));
    }
    if (removed.messages === 0) return;
    const details = { why: `messages: ${removed.messages}, files: ${removed.files}` };
    await audit.add({ at: now, actorId: null, action: 'retention', details });
  }
}

function add(sum: Removed, { messages, files }: Removed): void {
  sum.messages += messages;
  sum.files += files;
}
