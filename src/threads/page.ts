import type { Request } from 'express';
import type { Account } from '../accounts/store.ts';
import type { OpenGroup } from '../groups/access.ts';
import { refuseWriting } from '../groups/policies.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { asHtml, type Context, type Html } from '../http/views.ts';
import type { MessagePage } from '../messages/history.ts';
import type { MessagePresenter } from '../messages/present.ts';
import type { MessageStore } from '../messages/store.ts';
import type { PresencePresenter } from '../presence/present.ts';
import { threadOf } from './follow.ts';
import type { ThreadStore } from './store.ts';

const THREAD_PAGE = 200;

export type ThreadDependencies = {
  page: SidebarPage;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  presenter: MessagePresenter;
  presence: PresencePresenter;
  threads: ThreadStore;
  seesAddresses(account: Account): boolean;
};

/** Renders the first message of a thread, its replies, and a composer for another reply. */
export type ThreadPage = (request: Request, open: OpenGroup, seq: number, composer: Context) => Promise<Html>;

export function createThreadPage({
  page,
  groups,
  groupPresenter,
  messages,
  presenter,
  presence,
  threads,
  seesAddresses,
}: ThreadDependencies): ThreadPage {
  return async (request, open, seq, composer) => {
    const { account } = open;
    const group = await groupPresenter.named(open.group, account.id);
    const first = await threadOf(messages, open, seq);
    const replies = await messages.inThread(group.id, first.seq, THREAD_PAGE);
    const messagePage: MessagePage = {
      kind: 'thread',
      messages: [first, ...replies],
      previous: undefined,
      hasOlder: false,
      hasNewer: false,
    };
    return page(
      request,
      'messages/thread.njk',
      {
        group,
        members: await groups.countMembers(group.id),
        thread: first.seq,
        isBeside: request.query.beside !== undefined,
        isFollowing: await threads.isFollowing(account.id, group.id, first.seq),
        more: first.replyCount > replies.length ? first.replyCount : 0,
        shownReplies: replies.length,
        readOnly: refuseWriting(open)?.message ?? null,
        aside: asHtml(await presence.aside(group, seesAddresses(account), account)),
        ...composer,
      },
      { openGroupId: group.id, parts: { messages: await presenter.list(group, messagePage) } },
    );
  };
}
