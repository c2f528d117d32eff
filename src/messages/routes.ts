import { type Request, type Response, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import { type ChatError, invalid } from '../errors.ts';
import { unsentFiles } from '../files/access.ts';
import { MAX_FILES, type StoredFile, transcriptText } from '../files/file.ts';
import { shownFile } from '../files/present.ts';
import type { FileLimits } from '../files/receive.ts';
import type { ReadUpload } from '../files/upload.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { unreadOf } from '../groups/present.ts';
import { notificationLevelOf } from '../groups/store.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { isScripted, numberInPath, numberInQuery, seeOther, wantsFragment } from '../http/request.ts';
import { allowOwnFrame } from '../http/security.ts';
import { asHtml, type Context, type Html, sendHtml } from '../http/views.ts';
import { bindOperations, operationNamed } from '../operations/define.ts';
import { messageOf } from './access.ts';
import { type ConversationOperationContext, conversationOperations } from './conversation-operations.ts';
import { markThreadRead, threadOf } from './follow.ts';
import { type MessagePage, PAGE_MESSAGES, readHistory, seqAt, UNREAD_ON_NEWEST } from './history.ts';
import { deleteDraft } from './keep-draft.ts';
import { markRead } from './mark-read.ts';
import { type ActionDependencies, actionRoutes } from './message-routes.ts';
import type { Quote } from './present.ts';
import type { Seen } from './seen.ts';
import { createThreadPage, type ThreadDependencies } from './thread-page.ts';

const FRAGMENTS = 200;

/** What the composer of a page shows: what was typed, what is answered, and why it was refused. */
type Composer = { error: ChatError | null; typed: string; reply: Quote | null; chosen: readonly Context[] };

type Dependencies = ActionDependencies &
  ConversationOperationContext &
  ThreadDependencies & {
    seen: Seen;
    readUpload: ReadUpload;
    fileLimits: FileLimits;
    /** Whether speech becomes text here. */
    hasSpeech: boolean;
  };

const EMPTY: Composer = { error: null, typed: '', reply: null, chosen: [] };

function draftPlace({ account, group }: OpenGroup, thread: number) {
  return { accountId: account.id, groupId: group.id, thread };
}

/** The first unread message of another author. */
function firstUnread({ messages }: MessagePage, { account, membership }: OpenGroup): number | undefined {
  return messages.find((message) => message.seq > membership.readSeq && message.authorId !== account.id)?.seq;
}

/** The beginning of the day that a form without a script names, in the server's zone. @throws ChatError 400 */
function dayInQuery(request: Request): number | undefined {
  const { day } = request.query;
  if (day === undefined || day === '') return undefined;
  const time = new Date(`${day}T00:00`).getTime();
  if (typeof day === 'string' && /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(time)) return time;
  throw invalid('day', 'Choose a day such as 2026-11-21.');
}

/** The conversation, its fragments, and the form that sends. */
export function messageRoutes(dependencies: Dependencies): Router {
  const { views, page, groups, groupPresenter, messages, presenter, presence, seesAddresses } = dependencies;

  /** The page of a conversation; with `error`, the composer again as it was sent. */
  async function conversation(
    request: Request,
    open: OpenGroup,
    messagePage: MessagePage,
    composer: Composer,
  ): Promise<Html> {
    const { account } = open;
    const group = await groupPresenter.named(open.group, account.id);
    return page(
      request,
      'messages/conversation.njk',
      {
        group,
        members: await groups.countMembers(group.id),
        thread: null,
        headcount: asHtml(await presence.headcount(group)),
        aside: asHtml(await presence.aside(group, seesAddresses(account))),
        older: messagePage.hasOlder ? (messagePage.messages[0]?.seq ?? null) : null,
        newer: messagePage.hasNewer ? (messagePage.messages.at(-1)?.seq ?? 0) + PAGE_MESSAGES / 2 : null,
        readSeq: open.membership.readSeq,
        unread: unreadOf(group, open.membership),
        firstUnread: firstUnread(messagePage, open) ?? null,
        lastShown: messagePage.messages.at(-1)?.seq ?? 0,
        fileLimit: dependencies.fileLimits.file,
        hasSpeech: dependencies.hasSpeech,
        notificationLevel: notificationLevelOf(open.group, open.membership),
        pins: await messages.countPinned(group.id),
        seen: asHtml(
          account.showsReceipts && !messagePage.hasNewer ? await dependencies.seen.line(group) : '',
        ),
        ...composer,
      },
      {
        openGroupId: group.id,
        parts: { messages: await presenter.list(group, messagePage, firstUnread(messagePage, open)) },
      },
    );
  }

  /** A member sees the conversation; anybody else is offered to join. */
  async function openOrOffer(request: Request, response: Response): Promise<OpenGroup> {
    const account = accountOf(request);
    const groupId = numberInPath(request, 'id');
    const group = await groups.byId(groupId);
    if (group?.kind === 'group') {
      onRefusal(response, async (error) => {
        const members = await groups.countMembers(groupId);
        return page(request, 'groups/join.njk', { group, error, members }, { openGroupId: groupId });
      });
    }
    const open = await openGroup(groups, account, groupId);
    response.locals.retry = undefined;
    return open;
  }

  const threadPage = createThreadPage(dependencies);
  // Sending reads uploads first, and shows the composer again.
  const operations = bindOperations(conversationOperations, dependencies, dependencies.limits);
  const send = operationNamed(operations, 'send');

  return Router()
    .get('/chat/:id', (request, response) => {
      response.redirect(308, `/groups/${numberInPath(request, 'id')}`);
    })
    .get('/groups/:id', async (request, response) => {
      const open = await openOrOffer(request, response);
      const messagePage = await readHistory(messages, open, await placeAsked(request, open));
      // First, so that the list at the side counts it as read; what was new is known from `open`. A script says itself what
      // was in view, and what a service worker keeps for later is not read by anybody yet.
      const isLookedAt = !isScripted(request) && request.get('hearth-keep') === undefined;
      if (!messagePage.hasNewer && isLookedAt) await markRead(dependencies, open, open.group.lastSeq);
      const replyTo = numberInQuery(request, 'reply');
      const reply = replyTo === undefined ? null : ((await presenter.quote(open.group.id, replyTo)) ?? null);
      const composer = await composerOf(request, open, 0);
      sendHtml(response, await conversation(request, open, messagePage, { ...EMPTY, reply, ...composer }));
    })
    .get('/groups/:id/threads/:seq', async (request, response) => {
      const open = await openOrOffer(request, response);
      const seq = numberInPath(request, 'seq');
      const first = await threadOf(messages, open, seq);
      await markThreadRead(dependencies, open, first.seq, open.group.lastSeq);
      const composer = await composerOf(request, open, first.seq);
      if (request.query.beside !== undefined) allowOwnFrame(response);
      sendHtml(response, await threadPage(request, open, first.seq, shown({ ...EMPTY, ...composer })));
    })
    .get('/groups/:id/messages', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const after = numberInQuery(request, 'after');
      sendHtml(
        response,
        after === undefined ? await older(request, open) : await changedAfter(open.group.id, after),
      );
    })
    .post('/groups/:id/messages', async (request, response) => {
      const open = await openOrOffer(request, response);
      let uploaded: StoredFile[] = [];
      onRefusal(response, async (error) => {
        const typed: unknown = request.body?.content;
        const composer = {
          error,
          typed: typeof typed === 'string' ? typed : '',
          reply: await answered(open, request),
          chosen: [...(await chosenBefore(open, request)), ...uploaded].map(shownFile),
        };
        const thread = Number(request.body?.thread);
        if (thread > 0) return threadPage(request, open, thread, shown(composer));
        return conversation(request, open, await readHistory(messages, open), composer);
      });
      uploaded = await dependencies.readUpload(request, response, open);
      // An empty field is no id of a file.
      const before = [request.body?.fileIds ?? []].flat().filter(Boolean);
      const files = [...before, ...uploaded.map((file) => file.id)];
      const { seq = 0 } = await send.run(open, { ...request.body, files });
      const sent = await messageOf(messages, open, seq);
      if (!wantsFragment(request)) {
        // Scripts keep drafts themselves: what their outbox sends may have been written long ago.
        const isOfThread = Number(request.body?.thread) > 0;
        await deleteDraft(dependencies, open, isOfThread ? (sent.thread ?? 0) : 0);
        return seeOther(response, `/groups/${open.group.id}#message-${seq}`);
      }
      sendHtml(response, await presenter.fragment(sent, await messages.bySeq(open.group.id, seq - 1)));
    })
    .use(
      formsOf(
        operations.filter((operation) => operation !== send),
        {
          prefix: '/groups/:id/',
          targetOf: (request) => openGroup(groups, accountOf(request), numberInPath(request, 'id')),
          next: (_request, { group }, { name }) => (name === 'read' ? `/groups/${group.id}` : undefined),
        },
      ),
    )
    .use(actionRoutes(dependencies));

  /**
   * Where in its history a conversation is opened: at a message, on a day, or, where a script can say what has been read,
   * at the first of many unread messages.
   */
  async function placeAsked(
    request: Request,
    open: OpenGroup,
  ): Promise<{ before?: number; around?: number }> {
    const before = numberInQuery(request, 'before');
    const around = numberInQuery(request, 'around');
    const since = numberInQuery(request, 'since') ?? dayInQuery(request);
    if (before !== undefined) return { before };
    if (around !== undefined) return { around };
    if (since !== undefined) return { around: await seqAt(messages, open, since) };
    const isAtNewest = request.query.newest !== undefined || !isScripted(request);
    const unread = unreadOf(open.group, open.membership);
    return isAtNewest || unread <= UNREAD_ON_NEWEST ? {} : { around: open.membership.readSeq + 1 };
  }

  /** What a composer needs beside what it shows. */
  function shown(composer: Composer): Context {
    const { fileLimits, hasSpeech } = dependencies;
    return { fileLimit: fileLimits.file, hasSpeech, ...composer };
  }

  /** What was being written here, and the recording, named in the address, whose words go on from there. */
  async function composerOf(request: Request, open: OpenGroup, thread: number) {
    const typed = await dependencies.drafts.read(draftPlace(open, thread));
    const { voice: id } = request.query;
    if (typeof id !== 'string') return { typed };
    // It may have been sent or discarded since: then the address names nothing any more.
    const [file] = await chosenFiles(open, [id.toLowerCase()]);
    const spoken = file?.voice ? transcriptText(file.voice) : '';
    const isThere = typed.includes(spoken);
    return {
      typed: isThere ? typed : [typed, spoken].filter(Boolean).join(' '),
      // A page that stands at the address already is not asked for again.
      chosen: file ? [{ ...shownFile(file), again: Date.now() }] : [],
    };
  }

  /** What a refused form had uploaded, by an earlier try or a script. */
  async function chosenBefore(open: OpenGroup, request: Request): Promise<StoredFile[]> {
    // A recording stays, whether it was to be sent or not.
    const ids = [...new Set<unknown>([request.body?.fileIds ?? [], request.body?.voice ?? []].flat())];
    return chosenFiles(open, ids.slice(0, MAX_FILES).map(String));
  }

  /** Those of these files that wait for a message here. */
  async function chosenFiles(open: OpenGroup, ids: readonly string[]): Promise<StoredFile[]> {
    const settled = await Promise.allSettled(ids.map((id) => unsentFiles(dependencies.files, open, [id])));
    return settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  /** What a refused form was an answer to. */
  async function answered({ group }: OpenGroup, request: Request): Promise<Quote | null> {
    const seq = Number(request.body?.replyTo);
    return seq > 0 ? ((await presenter.quote(group.id, seq)) ?? null) : null;
  }

  /** The messages before one, with the link to those before them on top. */
  async function older(request: Request, open: OpenGroup): Promise<Html> {
    const messagePage = await readHistory(messages, open, { before: numberInQuery(request, 'before') });
    const first = messagePage.hasOlder ? (messagePage.messages[0]?.seq ?? null) : null;
    const link = views.render('messages/_older.njk', { group: open.group, older: first });
    return [Buffer.from(link), await presenter.list(open.group, messagePage)];
  }

  /** What a page without a socket has missed: each message as it is now, in the order of change. */
  async function changedAfter(groupId: number, change: number): Promise<Html> {
    const changed = await messages.changedAfter(groupId, change, FRAGMENTS);
    const fragments = changed.map(async (message) => {
      return presenter.fragment(message, await messages.bySeq(groupId, message.seq - 1));
    });
    return [Buffer.from((await Promise.all(fragments)).join(''))];
  }
}
