import { GONE_NAME } from '../accounts/account.ts';
import { accountChanged } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import { type Cached, type Caches, on } from '../cache/caches.ts';
import { shownFile } from '../files/present.ts';
import { messagesPurged } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { asHtml, type Context, type Views } from '../http/views.ts';
import { clock } from '../recordings/present.ts';
import { spokenIn } from '../recordings/recording.ts';
import { isPlain, timedWords } from '../recordings/transcript.ts';
import { excerptOf } from './excerpt.ts';
import type { MessagePage } from './history.ts';
import { messageJson } from './json.ts';
import type { Mentioned } from './markdown.ts';
import type { Message, Revision } from './message.ts';
import type { Drawn, TextRenderer } from './render.ts';
import type { MessageStore } from './store.ts';
import { dayOf, timeOf } from './times.ts';

/** Consecutive messages of one author are grouped if they are less than this apart. */
const GROUPING_MS = 5 * 60_000;
/** Cache limit in characters, not in entries, since one message may have 8,000 characters. */
const CACHED_FRAGMENTS = 32_000_000;
const CACHED_AVATARS = 10_000;
const CACHED_LISTS = 32_000_000;

const NO_BODY: Drawn = { html: '', isFinal: true };
/** Rendering a page yields to the event loop after this many milliseconds. */
const DRAWN_AT_ONCE_MS = 8;

type Person = {
  id: number;
  username: string;
  name: string;
  pictureVersion: number;
  isGone: boolean;
  isBot: boolean;
};

/** `change` is that of the quoted message, so that the quote is rendered again after an edit or removal. */
export type Quote = { seq: number; change: number; authorId: number; author: string; excerpt: string };

type FragmentKey = { message: Message; isContinued: boolean; quoted: Quote | undefined };
type ListKey = { group: Group; messagePage: MessagePage; firstUnread: number | undefined };

/** Maximum number of names at a reaction. */
const MAX_NAMED = 20;

/** How messages are shown, on pages and as they are pushed. */
export class MessagePresenter {
  readonly #views: Views;
  readonly #accounts: AccountStore;
  readonly #messages: MessageStore;
  readonly #texts: TextRenderer;
  readonly #avatars: (person: Person) => ReturnType<typeof asHtml>;
  readonly #fragments: Cached<FragmentKey, Drawn>;
  readonly #lists: Cached<ListKey, Buffer>;

  constructor(
    views: Views,
    accounts: AccountStore,
    messages: MessageStore,
    texts: TextRenderer,
    { cached, memo }: Caches,
  ) {
    this.#views = views;
    this.#accounts = accounts;
    this.#messages = messages;
    this.#texts = texts;
    const clear = (_payload: unknown, cache: { clear(): void }) => cache.clear();
    // Faces are in every fragment, and change seldom.
    const dropOn = [on(accountChanged, clear)];
    // What is no longer kept may be quoted, or counted as a reply, by messages that do not change with it.
    const dropWithMessages = [...dropOn, on(messagesPurged, clear)];
    this.#avatars = memo({
      name: 'avatars',
      key: ({ id }) => id,
      max: CACHED_AVATARS,
      make: (person) => asHtml(views.render('http/_avatar.njk', { person }).trim()),
      dropOn,
    });
    // The keys contain `change`: a changed message gets a new entry, and the old one needs no invalidation.
    this.#fragments = cached<FragmentKey, Drawn>({
      name: 'message fragments',
      key: ({ message: { groupId, seq, change }, isContinued, quoted }) =>
        `${groupId}/${seq}/${change}/${isContinued}/${quoted?.change}`,
      maxSize: CACHED_FRAGMENTS,
      sizeOf: ({ html }) => html.length,
      load: (key) => this.#draw(key),
      isKept: ({ isFinal }) => isFinal,
      dropOn: dropWithMessages,
    });
    this.#lists = cached<ListKey, Buffer>({
      name: 'message pages',
      // The key contains `kind`, since a thread and a conversation page may have the same first and last message.
      key: ({ group, messagePage: { kind, messages }, firstUnread }) =>
        `${group.id}/${group.lastChange}/${kind}/${messages[0]?.seq}/${messages.at(-1)?.seq}/${firstUnread}`,
      maxSize: CACHED_LISTS,
      sizeOf: (html) => html.length,
      load: async ({ messagePage, firstUnread }) => Buffer.from(await this.#render(messagePage, firstUnread)),
      dropOn: dropWithMessages,
    });
  }

  /** The message as it stands on the page and as it is pushed. @param previous the one before it, if any */
  async fragment(message: Message, previous: Message | undefined): Promise<string> {
    const isContinued = continues(message, previous);
    const quoted = message.replyTo === null ? undefined : await this.quote(message.groupId, message.replyTo);
    return (await this.#fragments.get({ message, isContinued, quoted })).html;
  }

  /** A page of messages with its day separators. @param firstUnread the seq above which "New" is drawn, if any */
  list(group: Group, messagePage: MessagePage, firstUnread?: number): Promise<Buffer> {
    return this.#lists.get({ group, messagePage, firstUnread });
  }

  /** The author and excerpt of a message, to quote it above a reply or in the composer. */
  async quote(groupId: number, seq: number): Promise<Quote | undefined> {
    const message = await this.#messages.bySeq(groupId, seq);
    if (!message) return undefined;
    const { name } = await this.#authorOf(message.authorId);
    const { change, authorId } = message;
    return { seq, change, authorId, author: name, excerpt: excerptOf(message) };
  }

  /** Its author, time and beginning, for lists. */
  async summary(message: Message): Promise<Context> {
    const author = await this.#authorOf(message.authorId);
    const voice = spokenIn(message.files)?.voice;
    return {
      author,
      time: timeOf(message.createdAt),
      excerpt: excerptOf(message),
      voice: voice && message.content !== '' ? clock(voice.length) : null,
    };
  }

  /** Its reactions, with the names of those who reacted. */
  reactions(message: Message): Promise<Context[]> {
    return Promise.all(message.reactions.map((reaction) => this.#shownReaction(reaction)));
  }

  /** The earlier versions of a message, rendered. */
  revisions(message: Message, revisions: readonly Revision[]): Promise<Context[]> {
    return Promise.all(
      revisions.map(async ({ content, writtenAt, writerId }) => ({
        body: asHtml((await this.#bodyOf(message, content)).html),
        time: timeOf(writtenAt),
        writer: writerId === null ? null : writerId === 0 ? 'machine' : (await this.#authorOf(writerId)).name,
      })),
    );
  }

  /** The message as wire.md has it. */
  async json(message: Message): Promise<string> {
    return messageJson(message, await this.#authorOf(message.authorId));
  }

  async #draw({ message, isContinued, quoted }: FragmentKey): Promise<Drawn> {
    const author = await this.#authorOf(message.authorId);
    const spoken = spokenIn(message.files);
    const isTranscript = spoken !== undefined && isPlain(message.content);
    const reviewerId = spoken?.voice.reviewerId;
    const body = isTranscript ? NO_BODY : await this.#bodyOf(message, message.content);
    const html = this.#views.render('messages/_message.njk', {
      message,
      author,
      avatar: this.#avatars(author),
      body: asHtml(body.html),
      spoken: spoken ? shownFile(spoken) : null,
      transcript: isTranscript ? timedWords(message.content, spoken.voice) : [],
      reviewer: reviewerId === undefined ? null : await this.#authorOf(reviewerId),
      time: timeOf(message.createdAt),
      isContinued,
      quote: quoted ?? null,
      reactions: await Promise.all(message.reactions.map((reaction) => this.#shownReaction(reaction))),
      files: message.files.map(shownFile),
    });
    return { html: html.trim(), isFinal: body.isFinal };
  }

  async #bodyOf({ mentions, mentionsAll }: Message, content: string): Promise<Drawn> {
    const names = new Map<string, Mentioned>(mentionsAll ? [['all', { id: 'all' }]] : []);
    for (const id of mentions) {
      const account = await this.#accounts.byId(id);
      if (!account) continue;
      names.set(account.username.toLowerCase(), { id });
      const former = account.renamedAt === null ? [] : await this.#accounts.formerNames(id);
      for (const name of former) names.set(name.toLowerCase(), { id, name: account.username });
    }
    return this.#texts.render(content, names);
  }

  async #shownReaction({ emoji, accountIds }: Message['reactions'][number]): Promise<Context> {
    const people = await Promise.all(accountIds.slice(0, MAX_NAMED).map((id) => this.#authorOf(id)));
    const names = people.map((person) => person.name);
    const more = accountIds.length - names.length;
    if (more > 0) names.push(`${more} more`);
    return {
      emoji,
      count: accountIds.length,
      ids: accountIds.join(' '),
      names: new Intl.ListFormat('en').format(names),
    };
  }

  async #authorOf(id: number): Promise<Person> {
    const account = await this.#accounts.byId(id);
    return {
      id,
      username: account?.username ?? GONE_NAME,
      name: account?.name ?? GONE_NAME,
      pictureVersion: account?.pictureVersion ?? 0,
      isGone: account === undefined,
      isBot: account?.isBot ?? false,
    };
  }

  async #render(
    { messages, previous: before }: MessagePage,
    firstUnread: number | undefined,
  ): Promise<string> {
    let html = '';
    let previous = before;
    let day = '';
    let since = performance.now();
    for (const message of messages) {
      if (performance.now() - since > DRAWN_AT_ONCE_MS) {
        await new Promise(setImmediate);
        since = performance.now();
      }
      const date = new Date(message.createdAt);
      const { key, words } = dayOf(date);
      if (key !== day)
        html += this.#views.render('messages/_day.njk', { iso: date.toISOString(), words }).trim();
      if (message.seq === firstUnread) html += this.#views.render('messages/_new.njk', {}).trim();
      html += await this.fragment(message, previous);
      day = key;
      previous = message;
    }
    return html;
  }
}

function continues(message: Message, previous: Message | undefined): boolean {
  return previous?.authorId === message.authorId && message.createdAt - previous.createdAt < GROUPING_MS;
}
