import { LinkifyIt } from 'linkify-it';
import { LRUCache } from 'lru-cache';
import type { AccountStore } from '../accounts/store.ts';
import type { Group } from '../groups/store.ts';
import { asHtml, type Views } from '../http/views.ts';
import type { Stretch } from './history.ts';
import type { Message } from './store.ts';

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
  /** A stretch with its day separators. @param firstUnread the seq above which "New" is drawn, if any */
  list(group: Group, stretch: Stretch, firstUnread?: number): Promise<Buffer>;
};

export function createMessagePresenter(views: Views, accounts: AccountStore): MessagePresenter {
  const fragments = new LRUCache<string, string>({ maxSize: CACHED_FRAGMENTS, sizeCalculation: sizeOf });
  const avatars = new LRUCache<number, ReturnType<typeof asHtml>>({ max: CACHED_AVATARS });
  const lists = new LRUCache<string, Buffer>({ maxSize: CACHED_LISTS, sizeCalculation: sizeOf });

  async function fragment(message: Message, previous: Message | undefined): Promise<string> {
    const isContinued = continues(message, previous);
    const key = `${message.groupId}/${message.seq}/${message.change}/${isContinued}`;
    const known = fragments.get(key);
    if (known !== undefined) return known;
    const author = await authorOf(message.authorId);
    const html = views
      .render('messages/_message.njk', {
        message,
        author,
        avatar: avatarOf(author),
        body: asHtml(bodyHtml(message.content)),
        time: timeOf(message.createdAt),
        isContinued,
      })
      .trim();
    fragments.set(key, html);
    return html;
  }

  async function authorOf(id: number): Promise<{ id: number; username: string }> {
    const account = await accounts.byId(id);
    return { id, username: account?.username ?? 'Somebody who left' };
  }

  function avatarOf(person: { id: number; username: string }): ReturnType<typeof asHtml> {
    const known = avatars.get(person.id) ?? asHtml(views.render('http/_avatar.njk', { person }).trim());
    avatars.set(person.id, known);
    return known;
  }

  async function render(
    { messages, previous: before }: Stretch,
    firstUnread: number | undefined,
  ): Promise<string> {
    let html = '';
    let previous = before;
    let day = '';
    for (const message of messages) {
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
    async json(message) {
      return JSON.stringify({
        type: 'message',
        id: message.id,
        groupId: message.groupId,
        seq: message.seq,
        change: message.change,
        author: await authorOf(message.authorId),
        content: message.content,
        createdAt: new Date(message.createdAt).toISOString(),
        editedAt: message.editedAt === null ? null : new Date(message.editedAt).toISOString(),
        removed: message.removedAt !== null,
      });
    },
    async list(group, stretch, firstUnread) {
      const key = `${group.id}/${group.lastChange}/${stretch.messages[0]?.seq}/${stretch.messages.at(-1)?.seq}/${firstUnread}`;
      const known = lists.get(key);
      if (known !== undefined) return known;
      const html = Buffer.from(await render(stretch, firstUnread));
      lists.set(key, html);
      return html;
    },
  };
}

function sizeOf(html: string | Buffer): number {
  return html.length || 1;
}

/**
 * A time as templates take it: ISO for machines and scripts, and in the server's zone until a script knows better.
 * `minutes` is HH:MM and `seconds` the :SS that follows it.
 */
function timeOf(milliseconds: number): { iso: string; minutes: string; seconds: string; full: string } {
  const date = new Date(milliseconds);
  const clock = date.toTimeString().slice(0, 8);
  return {
    iso: date.toISOString(),
    minutes: clock.slice(0, 5),
    seconds: clock.slice(5),
    full: `${dayOf(date).words} at ${clock}`,
  };
}

const DAY = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
let lastDay = { key: '', words: '' };

/** The day a time is in. Writing it in words takes longer than all the rest, and neighbours share theirs. */
function dayOf(date: Date): { key: string; words: string } {
  const key = date.toDateString();
  if (key !== lastDay.key) lastDay = { key, words: DAY.format(date) };
  return lastDay;
}

function continues(message: Message, previous: Message | undefined): boolean {
  return previous?.authorId === message.authorId && message.createdAt - previous.createdAt < GROUPING_MS;
}

const linkify = new LinkifyIt({ fuzzyLink: true, fuzzyEmail: false });
const LINKED = /^(?:https?|mailto):/i;

/** Escapes everything; addresses become links that tell the other site nothing. */
function bodyHtml(content: string): string {
  let html = '';
  let at = 0;
  for (const match of linkify.match(content) ?? []) {
    if (!LINKED.test(match.url)) continue;
    html += escapeHtml(content.slice(at, match.index));
    html += `<a href="${escapeHtml(match.url)}" target="_blank" rel="noopener noreferrer nofollow">${escapeHtml(match.raw)}</a>`;
    at = match.lastIndex;
  }
  return html + escapeHtml(content.slice(at));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
