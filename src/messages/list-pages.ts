import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { Account } from '../accounts/store.ts';
import type { SavedStore } from '../bookmarks/store.ts';
import { openGroup } from '../groups/access.ts';
import type { GroupPage } from '../groups/page.ts';
import type { GroupPresenter } from '../groups/present.ts';
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
  page: GroupPage;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  presenter: MessagePresenter;
  threads: ThreadStore;
  saved: SavedStore;
};

/** Messages out of their place: threads that one follows, what one saved, what a group pinned. */
export function listRoutes(dependencies: Dependencies): Router {
  const { page, groups, groupPresenter, messages, presenter, threads, saved } = dependencies;

  /** Undefined where it may not be read any more. */
  async function shown(account: Account, message: Message | undefined): Promise<Context | undefined> {
    if (!message || message.removedAt !== null) return undefined;
    const group = await groups.byId(message.groupId);
    if (!group || !(await groups.membershipsOf(account.id)).has(group.id)) return undefined;
    return { ...(await presenter.summary(message)), group: await groupPresenter.named(group, account.id) };
  }

  async function list(
    request: Request,
    about: { title: string; empty: string; back: string; next?: string },
    items: readonly (Context | undefined)[],
    openGroupId?: number,
  ): Promise<Html> {
    const there = items.filter((item): item is Context => item !== undefined);
    return page(
      request,
      'messages/list.njk',
      { next: null, ...about, items: there },
      openGroupId === undefined ? {} : { openGroupId },
    );
  }

  return Router()
    .get('/threads', async (request, response) => {
      const account = accountOf(request);
      const followed = await threads.followedBy(account.id, MAX_FOLLOWED);
      const items = followed.map(async ({ groupId, seq, unread }) => {
        const first = await messages.bySeq(groupId, seq);
        const item = await shown(account, first);
        const replies = first?.replyCount ?? 0;
        return item && { ...item, href: `/groups/${groupId}/threads/${seq}`, unread, replies, undo: null };
      });
      const about = {
        title: 'Threads',
        empty:
          'Threads that you answer, begin or follow are listed here, with those that have unread replies marked.',
        back: '/groups',
      };
      sendHtml(response, await list(request, about, await Promise.all(items)));
    })
    .get('/saved', async (request, response) => {
      const account = accountOf(request);
      const before = numberInQuery(request, 'before') ?? Number.MAX_SAFE_INTEGER;
      const bookmarks = await saved.before(account.id, before, SAVED_A_PAGE);
      const items = bookmarks.map(async ({ groupId, seq }) => {
        const item = await shown(account, await messages.bySeq(groupId, seq));
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
      sendHtml(response, await list(request, about, await Promise.all(items)));
    })
    .get('/groups/:id/pins', async (request, response) => {
      const { account, group } = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const items = (await messages.pinned(group.id, MAX_PINS)).map(async (message) => {
        const item = await shown(account, message);
        const address = `/groups/${group.id}/messages/${message.seq}/pin`;
        const undo = { address, back: 'pins', words: 'Unpin' };
        return item && { ...item, href: placeOf(group.id, message.seq), unread: 0, replies: null, undo };
      });
      const { name } = await groupPresenter.named(group, account.id);
      const about = {
        title: `Pinned in ${name}`,
        empty: 'Pin a message from its “⋯”, and everybody finds it here.',
        back: `/groups/${group.id}`,
      };
      sendHtml(response, await list(request, about, await Promise.all(items), group.id));
    });
}

function placeOf(groupId: number, seq: number): string {
  return `/groups/${groupId}?around=${seq}#message-${seq}`;
}
