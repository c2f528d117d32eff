import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { Account } from '../accounts/store.ts';
import type { SavedStore } from '../bookmarks/store.ts';
import { openGroup } from '../groups/access.ts';
import { refuseWriting } from '../groups/policies.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { numberInPath, numberInQuery } from '../http/request.ts';
import { type Context, type Html, sendHtml } from '../http/views.ts';
import { MAX_FOLLOWED } from '../threads/count-unread.ts';
import type { ThreadStore } from '../threads/store.ts';
import type { Message } from './message.ts';
import { MAX_PINS } from './pin.ts';
import type { MessagePresenter } from './present.ts';
import type { MessageStore } from './store.ts';

const SAVED_A_PAGE = 50;

type Dependencies = {
  page: SidebarPage;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  presenter: MessagePresenter;
  threads: ThreadStore;
  saved: SavedStore;
};

/** Pages that list messages outside their conversation: followed threads, saved messages, a group's pins. */
export function listRoutes(dependencies: Dependencies): Router {
  const pages = new ListPages(dependencies);
  return Router()
    .get('/threads', async (request, response) => {
      sendHtml(response, await pages.threads(request));
    })
    .get('/saved', async (request, response) => {
      sendHtml(response, await pages.saved(request));
    })
    .get('/groups/:id/pins', async (request, response) => {
      sendHtml(response, await pages.pins(request));
    });
}

class ListPages {
  readonly #page: SidebarPage;
  readonly #groups: GroupStore;
  readonly #groupPresenter: GroupPresenter;
  readonly #messages: MessageStore;
  readonly #presenter: MessagePresenter;
  readonly #threads: ThreadStore;
  readonly #saved: SavedStore;

  constructor({ page, groups, groupPresenter, messages, presenter, threads, saved }: Dependencies) {
    this.#page = page;
    this.#groups = groups;
    this.#groupPresenter = groupPresenter;
    this.#messages = messages;
    this.#presenter = presenter;
    this.#threads = threads;
    this.#saved = saved;
  }

  async threads(request: Request): Promise<Html> {
    const account = accountOf(request);
    const followed = await this.#threads.followedBy(account.id, MAX_FOLLOWED);
    const items = followed.map(async ({ groupId, seq, unread }) => {
      const first = await this.#messages.bySeq(groupId, seq);
      const replies = first?.replyCount ?? 0;
      // It goes on without its first message.
      const item = await this.#shown(account, first, replies > 0);
      const removed = first?.removedAt !== null && { excerpt: 'This message was removed.' };
      return (
        item && {
          ...item,
          ...removed,
          href: `/groups/${groupId}/threads/${seq}`,
          unread,
          replies,
          undo: null,
        }
      );
    });
    const about = {
      title: 'Threads',
      empty:
        'Threads that you answer, begin or follow are listed here, with those that have unread replies marked.',
      back: '/groups',
    };
    return this.#list(request, about, await Promise.all(items));
  }

  async saved(request: Request): Promise<Html> {
    const account = accountOf(request);
    const before = numberInQuery(request, 'before') ?? Number.MAX_SAFE_INTEGER;
    const bookmarks = await this.#saved.before(account.id, before, SAVED_A_PAGE);
    const items = bookmarks.map(async ({ groupId, seq }) => {
      const item = await this.#shown(account, await this.#messages.bySeq(groupId, seq));
      const address = `/groups/${groupId}/messages/${seq}/save`;
      const undo = { address, back: 'saved', words: 'Remove from saved' };
      return item && { ...item, href: placeOf(groupId, seq), unread: 0, replies: null, undo };
    });
    const last = bookmarks.length === SAVED_A_PAGE ? bookmarks.at(-1)?.savedAt : undefined;
    const about = {
      title: 'Saved',
      empty: 'Save a message from its “⋯” to find it here again. Nobody else sees what you save.',
      back: '/groups',
      ...(last !== undefined && { next: `/saved?before=${last}` }),
    };
    return this.#list(request, about, await Promise.all(items));
  }

  async pins(request: Request): Promise<Html> {
    const open = await openGroup(this.#groups, accountOf(request), numberInPath(request, 'id'));
    const { account, group } = open;
    const mayUnpin = refuseWriting(open) === undefined;
    const items = (await this.#messages.pinned(group.id, MAX_PINS)).map(async (message) => {
      const item = await this.#shown(account, message);
      const address = `/groups/${group.id}/messages/${message.seq}/pin`;
      const undo = mayUnpin ? { address, back: 'pins', words: 'Unpin' } : null;
      return item && { ...item, href: placeOf(group.id, message.seq), unread: 0, replies: null, undo };
    });
    const { name } = await this.#groupPresenter.named(group, account.id);
    const about = {
      title: `Pinned in ${name}`,
      empty: 'Pin a message from its “⋯”, and everybody finds it here.',
      back: `/groups/${group.id}`,
    };
    return this.#list(request, about, await Promise.all(items), group.id);
  }

  /** Undefined when the account is not a member of its group any more, or the message was removed and is not kept. */
  async #shown(account: Account, message: Message | undefined, isKept = false): Promise<Context | undefined> {
    if (!message || (message.removedAt !== null && !isKept)) return undefined;
    const group = await this.#groups.byId(message.groupId);
    if (!group || !(await this.#groups.membershipsOf(account.id)).has(group.id)) return undefined;
    return {
      ...(await this.#presenter.summary(message)),
      group: await this.#groupPresenter.named(group, account.id),
    };
  }

  #list(
    request: Request,
    heading: { title: string; empty: string; back: string; next?: string },
    items: readonly (Context | undefined)[],
    openGroupId?: number,
  ): Promise<Html> {
    const there = items.filter((item): item is Context => item !== undefined);
    return this.#page(
      request,
      'messages/list.njk',
      { next: null, ...heading, items: there },
      openGroupId === undefined ? {} : { openGroupId },
    );
  }
}

function placeOf(groupId: number, seq: number): string {
  return `/groups/${groupId}?around=${seq}#message-${seq}`;
}
