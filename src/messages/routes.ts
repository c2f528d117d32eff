import { type Request, type Response, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import { deleteDraft } from '../drafts/delete.ts';
import { diskFull, notFound } from '../errors.ts';
import type { StoredFile } from '../files/file.ts';
import type { ReadUpload } from '../files/upload.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import { isListed } from '../groups/policies.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import {
  acceptsEncoding,
  isScripted,
  numberInField,
  numberInPath,
  numberInQuery,
  seeOther,
  wantsFragment,
} from '../http/request.ts';
import { allowOwnFrame } from '../http/security.ts';
import { type Context, type Html, sendHtml, sendPacked } from '../http/views.ts';
import { type BoundOperation, bindOperations, operationNamed } from '../operations/define.ts';
import { markRead } from '../receipts/mark-read.ts';
import { markThreadRead, threadOf } from '../threads/follow.ts';
import { createThreadPage, type ThreadDependencies, type ThreadPage } from '../threads/page.ts';
import { type Composer, composerOf, refusedComposer } from './composer.ts';
import { type ConversationOperationContext, conversationOperations } from './conversation-operations.ts';
import { ConversationPage, type ConversationPageDependencies } from './conversation-page.ts';
import { readHistory } from './history.ts';
import { type ActionDependencies, actionRoutes } from './message-page.ts';

const FRAGMENTS = 200;

type Dependencies = ActionDependencies &
  ConversationPageDependencies &
  ConversationOperationContext &
  ThreadDependencies & { readUpload: ReadUpload; joinRequests: JoinRequestStore };

/** The conversation, its fragments, and the form that sends. */
export function messageRoutes(dependencies: Dependencies): Router {
  const { groups, limits } = dependencies;
  const conversation = new ConversationPage(dependencies);
  const threadPage = createThreadPage(dependencies);
  const operations = bindOperations(conversationOperations, dependencies, limits);
  // `send` has a route of its own: it reads uploads first, and a refusal shows the composer again.
  const send = operationNamed(operations, 'send');
  const forms = formsOf(
    operations.filter((operation) => operation !== send),
    {
      prefix: '/groups/:id/',
      targetOf: (request) => openGroup(groups, accountOf(request), numberInPath(request, 'id')),
      next: (_request, { group }, { name }) => (name === 'read' ? `/groups/${group.id}` : undefined),
    },
  );
  const router = Router();
  addPages(router, dependencies, conversation, threadPage);
  addSending(router, dependencies, conversation, threadPage, send);
  return router.use(forms).use(actionRoutes(dependencies));
}

// All pages are on one router: Express leaves a router without a match only in a later turn of the event loop.
function addPages(
  router: Router,
  dependencies: Dependencies,
  conversation: ConversationPage,
  threadPage: ThreadPage,
): void {
  const { groups, messages } = dependencies;
  router
    .get('/chat/:id', (request, response) => {
      response.redirect(308, `/groups/${numberInPath(request, 'id')}`);
    })
    .get('/groups/:id', async (request, response) => {
      const open = await openOrOffer(dependencies, request, response);
      // Scripts report the read position themselves.
      const isLookedAt = !isScripted(request) && !isKept(request);
      const isRead = open.membership.readSeq >= open.group.lastSeq;
      if ((isRead || !isLookedAt) && !request.url.includes('?') && acceptsEncoding(request, 'gzip'))
        return sendPacked(response, await conversation.kept(request, open));
      const first = await conversation.firstAsked(request, open);
      if (first !== undefined)
        return seeOther(response, `/groups/${open.group.id}?around=${first}#message-${first}`);
      const messagePage = await conversation.readAsked(request, open);
      // Mark as read before rendering, so that the sidebar is up to date; `open` still holds the previous read mark.
      if (!messagePage.hasNewer && isLookedAt)
        await whereRoom(markRead(dependencies, open, open.group.lastSeq));
      const composer = await composerOf(dependencies, request, open, 0);
      sendHtml(response, await conversation.render(request, open, messagePage, composer));
    })
    .get('/groups/:id/threads/:seq', async (request, response) => {
      const open = await openOrOffer(dependencies, request, response);
      const seq = numberInPath(request, 'seq');
      const first = await threadOf(messages, open, seq);
      if (!isKept(request))
        await whereRoom(markThreadRead(dependencies, open, first.seq, open.group.lastSeq));
      const composer = await composerOf(dependencies, request, open, first.seq);
      if (request.query.beside !== undefined) allowOwnFrame(response);
      sendHtml(response, await threadPage(request, open, first.seq, shown(dependencies, composer)));
    })
    .get('/groups/:id/messages', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const after = numberInQuery(request, 'after');
      sendHtml(
        response,
        after === undefined
          ? await older(dependencies, request, open)
          : await changedAfter(dependencies, open.group.id, after),
      );
    });
}

/** Whether a script fetches the page, to keep or compare it: nobody looks at it. */
function isKept(request: Request): boolean {
  return request.get('hearth-keep') !== undefined;
}

/** Waits for what a page notes of its reader; on a full disk it is shown without that. */
async function whereRoom(note: Promise<unknown>): Promise<void> {
  await note.catch((error) => {
    if (!diskFull(error)) throw error;
  });
}

function addSending(
  router: Router,
  dependencies: Dependencies,
  conversation: ConversationPage,
  threadPage: ThreadPage,
  send: BoundOperation<OpenGroup>,
): void {
  const { messages, presenter } = dependencies;
  router.post('/groups/:id/messages', async (request, response) => {
    const open = await openOrOffer(dependencies, request, response);
    let uploaded: StoredFile[] = [];
    onRefusal(response, async (error) => {
      const composer = await refusedComposer(dependencies, request, open, error, uploaded);
      const thread = numberInField(request, 'thread');
      if (thread) return threadPage(request, open, thread, shown(dependencies, composer));
      return conversation.render(request, open, await readHistory(messages, open), composer);
    });
    uploaded = await dependencies.readUpload(request, response, open);
    // Leave out empty fields: they are not file ids.
    const before = [request.body?.fileIds ?? [], request.body?.files ?? []].flat().filter(Boolean);
    const files = [...before, ...uploaded.map((file) => file.id)];
    const { seq = 0 } = await send.run(open, { ...request.body, files });
    // Sent again, it may have been removed since.
    const sent = await messages.bySeq(open.group.id, seq);
    if (!sent) throw notFound('There is no such message.');
    if (!wantsFragment(request)) {
      // Scripts manage drafts themselves: a message from their outbox may be older than the current draft.
      const isOfThread = Number(request.body?.thread) > 0;
      await deleteDraft(dependencies, open, isOfThread ? (sent.thread ?? 0) : 0);
      const thread = isOfThread && sent.thread ? `/threads/${sent.thread}` : '';
      return seeOther(response, `/groups/${open.group.id}${thread}#message-${seq}`);
    }
    sendHtml(response, await presenter.fragment(sent, await messages.bySeq(open.group.id, seq - 1)));
  });
}

/** Opens the group for a member; for anybody else the refusal shows the page to join it. */
async function openOrOffer(
  { groups, page, joinRequests }: Dependencies,
  request: Request,
  response: Response,
): Promise<OpenGroup> {
  const account = accountOf(request);
  const groupId = numberInPath(request, 'id');
  const group = await groups.byId(groupId);
  if (group?.kind === 'group') {
    onRefusal(response, async (error) => {
      const membership = await groups.membership(account.id, groupId);
      const isOffered = isListed(group, membership, account);
      const context = {
        // Nobody learns the name of a group that is not in their lists.
        group: { id: group.id, name: isOffered ? group.name : 'A closed group', isOffered },
        members: isOffered ? await groups.countMembers(groupId) : null,
        wasRemoved: await joinRequests.wasRemoved(groupId, account.id),
        isArchived: group.archivedAt !== null,
        hasAsked: await joinRequests.has(groupId, account.id),
        error,
      };
      return page(request, 'groups/join.njk', context, { openGroupId: groupId });
    });
  }
  const open = await openGroup(groups, account, groupId);
  response.locals.retry = undefined;
  return open;
}

/** Adds the settings that the composer's template needs. */
function shown({ fileLimits, hasSpeech }: Dependencies, composer: Composer): Context {
  return { fileLimit: fileLimits.file, hasSpeech, ...composer };
}

/** The messages before one, with the link to those before them on top. */
async function older(
  { views, messages, presenter }: Dependencies,
  request: Request,
  open: OpenGroup,
): Promise<Html> {
  const messagePage = await readHistory(messages, open, { before: numberInQuery(request, 'before') });
  const first = messagePage.hasOlder ? (messagePage.messages[0]?.seq ?? null) : null;
  const link = views.render('messages/_older.njk', { group: open.group, older: first });
  return [Buffer.from(link), await presenter.list(open.group, messagePage)];
}

/** Messages that changed after `change`, as they are now, in order of change; for pages without a socket. */
async function changedAfter(
  { messages, presenter }: Dependencies,
  groupId: number,
  change: number,
): Promise<Html> {
  const changed = await messages.changedAfter(groupId, change, FRAGMENTS);
  const fragments = changed.map(async (message) => {
    return presenter.fragment(message, await messages.bySeq(groupId, message.seq - 1));
  });
  return [Buffer.from((await Promise.all(fragments)).join(''))];
}
