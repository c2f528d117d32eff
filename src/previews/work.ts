import type { AccountStore } from '../accounts/store.ts';
import type { Subscribe } from '../bus/bus.ts';
import { ChatError } from '../errors.ts';
import { messageRemoved, messagesChanged } from '../messages/events.ts';
import type { Message } from '../messages/message.ts';
import type { TextRenderer } from '../messages/render.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import { allowedAddresses } from '../site-settings/outgoing.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { fetchPreview } from './fetch-preview.ts';
import type { LinkImageStore } from './store.ts';

/** Messages that are written within this time are looked at together. */
const COALESCE_MS = 200;
/** Sites that are asked at the same time. */
const PARALLEL = 4;
/** Links beyond these get no preview: that is a flood, and not worth a queue. */
const MAX_WAITING = 200;
const MAX_WAITING_OF_ONE = 20;
/** A message that was written or edited before this time got its preview, or gets none. */
const FRESH_MS = 60_000;
const HAS_LINK = /https?:|www\.|\.\w/i;
/** In what Hearth drew itself: links of people lead away from it. */
const LINK = /<a [^>]*href="(https?:\/\/[^"]+)"/;

export type PreviewDependencies = {
  accounts: AccountStore;
  messages: MessageStore;
  linkImages: LinkImageStore;
  siteSettings: SiteSettingsStore;
  writer: MessageWriter;
  texts: TextRenderer;
  subscribeOwn: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

/** In the place of an account. */
const ALL_BOTS = 0;

type Seen = { groupId: number; seq: number };

/** Gives messages with a link the preview of the first one, a little later. What a stop interrupts gets none. */
export class PreviewWork {
  readonly #dependencies: PreviewDependencies;
  readonly #seen = new Map<string, Seen>();
  readonly #waiting: { message: Message; owner: number }[] = [];
  #timer: NodeJS.Timeout | undefined;
  /**
   * Whose links are asked for: one of each person at a time, and of all bots together, so that slow sites of one hold up
   * nobody else: an owner may have several bots.
   */
  readonly #underWay = new Set<number>();

  constructor(dependencies: PreviewDependencies) {
    this.#dependencies = dependencies;
    const { subscribeOwn, linkImages } = dependencies;
    subscribeOwn(messagesChanged, ({ groupId, messages }) => {
      for (const { seq } of messages) this.#seen.set(`${groupId}/${seq}`, { groupId, seq });
      this.#timer ??= setTimeout(() => this.#look(), COALESCE_MS).unref();
    });
    subscribeOwn(messageRemoved, ({ groupId, seq }) => linkImages.remove(groupId, seq));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    const { messages, siteSettings, report } = this.#dependencies;
    const seen = [...this.#seen.values()];
    this.#seen.clear();
    try {
      if ((await siteSettings.read()).linkPreviews === 'no') return;
      for (const { groupId, seq } of seen) {
        const message = await messages.bySeq(groupId, seq);
        if (!message || !isDue(message)) continue;
        const author = await this.#dependencies.accounts.byId(message.authorId);
        const owner = author?.isBot ? ALL_BOTS : author?.id;
        if (author?.hasPreviews && owner !== undefined && this.#hasRoom(owner))
          this.#waiting.push({ message, owner });
      }
      this.#next();
    } catch (error) {
      report(error);
    }
  }

  #hasRoom(owner: number): boolean {
    const own = this.#waiting.filter((other) => other.owner === owner);
    return this.#waiting.length < MAX_WAITING && own.length < MAX_WAITING_OF_ONE;
  }

  #next(): void {
    while (this.#underWay.size < PARALLEL) {
      const index = this.#waiting.findIndex(({ owner }) => !this.#underWay.has(owner));
      const [next] = index < 0 ? [] : this.#waiting.splice(index, 1);
      if (!next) return;
      const { message, owner } = next;
      this.#underWay.add(owner);
      this.#add(message)
        .catch(this.#dependencies.report)
        .finally(() => {
          this.#underWay.delete(owner);
          this.#next();
        });
    }
  }

  async #add({ groupId, seq, content }: Message): Promise<void> {
    const { texts, writer, linkImages, siteSettings } = this.#dependencies;
    const link = LINK.exec((await texts.render(content, new Map())).html)?.[1]?.replaceAll('&amp;', '&');
    if (link === undefined || !URL.canParse(link)) return;
    const fetched = await fetchPreview(link, await allowedAddresses(siteSettings));
    if (!fetched) return;
    if (fetched.image) await linkImages.set(groupId, seq, fetched.image);
    let isShown = false;
    try {
      const amended = await writer.amend({
        groupId,
        seq,
        // Somebody may have edited or removed it meanwhile.
        amend: (now) =>
          now.content === content && now.removedAt === null ? { ...now, preview: fetched.preview } : now,
      });
      isShown = amended.preview?.url === link;
    } catch (error) {
      // The group was deleted meanwhile, or the message is no longer kept.
      if (!(error instanceof ChatError && error.status === 404)) throw error;
    } finally {
      if (fetched.image && !isShown) await linkImages.remove(groupId, seq);
    }
  }
}

function isDue({ content, preview, removedAt, editedAt, createdAt }: Message): boolean {
  const isFresh = (editedAt ?? createdAt) > Date.now() - FRESH_MS;
  return preview === null && removedAt === null && isFresh && HAS_LINK.test(content);
}
