import { type Request, Router } from 'express';
import { z } from 'zod';
import { accountOf } from '../accounts/access.ts';
import type { Account } from '../accounts/store.ts';
import type { Publish } from '../events.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupPage } from '../groups/page.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import { numberInPath, seeOther, wantsFragment } from '../http/request.ts';
import { asHtml, type Context, type Html } from '../http/views.ts';
import { parseInput } from '../operations/define.ts';
import type { PresencePresenter } from '../presence/present.ts';
import { markThreadRead, threadOf } from './follow.ts';
import type { MessagePage } from './history.ts';
import type { MessagePresenter } from './present.ts';
import type { MessageStore } from './store.ts';
import type { ThreadStore } from './thread-store.ts';

const THREAD_PAGE = 200;

export type ThreadDependencies = {
  page: GroupPage;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  messages: MessageStore;
  presenter: MessagePresenter;
  presence: PresencePresenter;
  threads: ThreadStore;
  rate: RateLimit;
  publish: Publish;
  seesAddresses(account: Account): boolean;
};

/** Renders the first message of a thread, those that answer it, and a composer that answers too. */
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
        aside: asHtml(await presence.aside(group, seesAddresses(account))),
        ...composer,
      },
      { openGroupId: group.id, parts: { messages: await presenter.list(group, messagePage) } },
    );
  };
}

const upTo = z.object({
  seq: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
});

/** What is done with a thread as a whole. */
export function threadRoutes(dependencies: ThreadDependencies): Router {
  const { groups } = dependencies;
  return Router().post('/groups/:id/threads/:seq/read', async (request, response) => {
    const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
    const seq = numberInPath(request, 'seq');
    await markThreadRead(dependencies, open, seq, parseInput(upTo, request.body).seq);
    if (wantsFragment(request)) response.status(204).end();
    else seeOther(response, `/groups/${open.group.id}/threads/${seq}`);
  });
}
