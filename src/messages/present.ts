import { accountChanged } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import { type Caches, on } from '../cache/caches.ts';
import { spokenIn } from '../files/file.ts';
import { clock, shownFile } from '../files/present.ts';
import type { Group } from '../groups/store.ts';
import { asHtml, type Context, type Views } from '../http/views.ts';
import { excerptOf } from './excerpt.ts';
import type { MessagePage } from './history.ts';
import type { Message, Revision } from './message.ts';
import type { Drawn, TextRenderer } from './render.ts';
import type { MessageStore } from './store.ts';
import { dayOf, timeOf } from './times.ts';
import { isPlain, timedWords } from './transcript.ts';

/** Messages of one author closer together than this stand together. */
const GROUPING_MS = 5 * 60_000;
/** Kept in memory, in characters: bounded by size, since one message may have 8,000 characters. */
const CACHED_FRAGMENTS = 32_000_000;
const CACHED_AVATARS = 10_000;
const CACHED_LISTS = 32_000_000;

export type MessagePresenter = {
  /** The message as it stands on the page and as it is pushed. @param previous the one before it, if any */
  fragment(message: Message, previous: Message | undefined): Promise<string>;
  /** The message as wire.md has it. */
  json(message: Message): Promise<string>;
  /** What it said before, each as it was shown. */
  revisions(message: Message, revisions: readonly Revision[]): Promise<Context[]>;
  /** Its reactions, with the names of those who reacted. */
  reactions(message: Message): Promise<Context[]>;
  /** Its author, time and beginning, for lists. */
  summary(message: Message): Promise<Context>;
  /** Who it answers and the beginning of what that said, for a quote or a composer. */
  quote(groupId: number, seq: number): Promise<Quote | undefined>;
  /** A page of messages with its day separators. @param firstUnread the seq above which "New" is drawn, if any */
  list(group: Group, messagePage: MessagePage, firstUnread?: number): Promise<Buffer>;
};

const NO_BODY: Drawn = { html: '', isFinal: true };
/** Other people get their turn after so many milliseconds of drawing a page. */
const DRAWN_AT_ONCE_MS = 8;

type Person = { id: number; username: string; name: string; pictureVersion: number };

/** `change` is the quoted message's: a quote is drawn anew when that was edited or removed. */
export type Quote = { seq: number; change: number; author: string; excerpt: string };

type FragmentKey = { message: Message; isContinued: boolean; quoted: Quote | undefined };
type ListKey = { group: Group; messagePage: MessagePage; firstUnread: number | undefined };

/** Maximum number of names at a reaction. */
const MAX_NAMED = 20;

export function createMessagePresenter(
  views: Views,
  accounts: AccountStore,
  messages: MessageStore,
  texts: TextRenderer,
  { cached, memo }: Caches,
): MessagePresenter {
  // Faces are in every fragment, and change seldom.
  const dropOn = [on(accountChanged, (_payload, cache: { clear(): void }) => cache.clear())];
  const avatars = memo<Person, ReturnType<typeof asHtml>>({
    name: 'avatars',
    key: ({ id }) => id,
    max: CACHED_AVATARS,
    make: (person) => asHtml(views.render('http/_avatar.njk', { person }).trim()),
    dropOn,
  });
  // Their keys have the changes that they show: the next one has a key of its own.
  const fragments = cached<FragmentKey, Drawn>({
    name: 'message fragments',
    key: ({ message: { groupId, seq, change }, isContinued, quoted }) =>
      `${groupId}/${seq}/${change}/${isContinued}/${quoted?.change}`,
    maxSize: CACHED_FRAGMENTS,
    sizeOf: ({ html }) => html.length,
    load: draw,
    isKept: ({ isFinal }) => isFinal,
    dropOn,
  });
  const lists = cached<ListKey, Buffer>({
    name: 'message pages',
    // A thread may begin and end where a page of the conversation does: which one it is belongs to the key.
    key: ({ group, messagePage: { kind, messages }, firstUnread }) =>
      `${group.id}/${group.lastChange}/${kind}/${messages[0]?.seq}/${messages.at(-1)?.seq}/${firstUnread}`,
    maxSize: CACHED_LISTS,
    sizeOf: (html) => html.length,
    load: async ({ messagePage, firstUnread }) => Buffer.from(await render(messagePage, firstUnread)),
    dropOn,
  });

  async function fragment(message: Message, previous: Message | undefined): Promise<string> {
    const isContinued = continues(message, previous);
    const quoted = message.replyTo === null ? undefined : await quote(message.groupId, message.replyTo);
    return (await fragments.get({ message, isContinued, quoted })).html;
  }

  async function draw({ message, isContinued, quoted }: FragmentKey): Promise<Drawn> {
    const author = await authorOf(message.authorId);
    const spoken = spokenIn(message.files);
    const isTranscript = spoken !== undefined && isPlain(message.content);
    const reviewerId = spoken?.voice.reviewerId;
    const body = isTranscript ? NO_BODY : await bodyOf(message, message.content);
    const html = views.render('messages/_message.njk', {
      message,
      author,
      avatar: avatars(author),
      body: asHtml(body.html),
      spoken: spoken ? shownFile(spoken) : null,
      transcript: isTranscript ? timedWords(message.content, spoken.voice) : [],
      reviewer: reviewerId === undefined ? null : await authorOf(reviewerId),
      time: timeOf(message.createdAt),
      isContinued,
      quote: quoted ?? null,
      reactions: await Promise.all(message.reactions.map(shownReaction)),
      files: message.files.map(shownFile),
    });
    return { html: html.trim(), isFinal: body.isFinal };
  }

  async function bodyOf({ mentions, mentionsAll }: Message, content: string): Promise<Drawn> {
    const called = await Promise.all(mentions.map(authorOf));
    const names = new Map<string, number | undefined>(
      called.map(({ id, username }) => [username.toLowerCase(), id]),
    );
    if (mentionsAll) names.set('all', undefined);
    return texts.render(content, names);
  }

  async function quote(groupId: number, seq: number): Promise<Quote | undefined> {
    const message = await messages.bySeq(groupId, seq);
    if (!message) return undefined;
    const { name } = await authorOf(message.authorId);
    return { seq, change: message.change, author: name, excerpt: excerptOf(message) };
  }

  async function shownReaction({ emoji, accountIds }: Message['reactions'][number]): Promise<Context> {
    const people = await Promise.all(accountIds.slice(0, MAX_NAMED).map(authorOf));
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

  async function authorOf(id: number): Promise<Person> {
    const account = await accounts.byId(id);
    return {
      id,
      username: account?.username ?? 'Somebody who left',
      name: account?.name ?? 'Somebody who left',
      pictureVersion: account?.pictureVersion ?? 0,
    };
  }

  async function render(
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
      if (key !== day) html += views.render('messages/_day.njk', { iso: date.toISOString(), words }).trim();
      if (message.seq === firstUnread) html += views.render('messages/_new.njk', {}).trim();
      html += await fragment(message, previous);
      day = key;
      previous = message;
    }
    return html;
  }

  return {
    fragment,
    quote,
    async summary(message) {
      const author = await authorOf(message.authorId);
      const voice = spokenIn(message.files)?.voice;
      return {
        author,
        time: timeOf(message.createdAt),
        excerpt: excerptOf(message),
        voice: voice && message.content !== '' ? clock(voice.length) : null,
      };
    },
    reactions: (message) => Promise.all(message.reactions.map(shownReaction)),
    async revisions(message, revisions) {
      return Promise.all(
        revisions.map(async ({ content, writtenAt, writerId }) => ({
          body: asHtml((await bodyOf(message, content)).html),
          time: timeOf(writtenAt),
          writer: writerId === null ? null : writerId === 0 ? 'machine' : (await authorOf(writerId)).name,
        })),
      );
    },
    async json(message) {
      const { id, username, name } = await authorOf(message.authorId);
      return JSON.stringify({
        type: 'message',
        id: message.id,
        groupId: message.groupId,
        seq: message.seq,
        change: message.change,
        author: { id, username, name },
        content: message.content,
        createdAt: new Date(message.createdAt).toISOString(),
        editedAt: message.editedAt === null ? null : new Date(message.editedAt).toISOString(),
        removed: message.removedAt !== null,
        replyTo: message.replyTo,
        thread: message.thread,
        replies: message.replyCount,
        pinned: message.pinnedAt !== null,
        reactions: message.reactions,
        mentions: message.mentionsAll ? 'all' : message.mentions,
        files: message.files.map(({ voice, ...file }) => ({ ...file, url: `/media/${file.id}` })),
        voice: voiceJson(message),
      });
    },
    list: (group, messagePage, firstUnread) => lists.get({ group, messagePage, firstUnread }),
  };
}

/** What was spoken, for programs; the words themselves are the message's content. */
function voiceJson({ files, content }: Message) {
  const spoken = spokenIn(files);
  if (!spoken) return null;
  const { length, peaks, transcript } = spoken.voice;
  return { fileId: spoken.id, length, peaks, transcript, words: timedWords(content, spoken.voice) };
}

function continues(message: Message, previous: Message | undefined): boolean {
  return previous?.authorId === message.authorId && message.createdAt - previous.createdAt < GROUPING_MS;
}
