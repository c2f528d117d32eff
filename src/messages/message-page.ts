import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { ChatError } from '../errors.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import { refuseArchived, refuseWriting } from '../groups/policies.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath, wantsFragment } from '../http/request.ts';
import { asHtml, type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { bindOperations } from '../operations/define.ts';
import { listenersOf } from '../receipts/playback.ts';
import { readersOf } from '../receipts/readers.ts';
import { spokenIn } from '../recordings/recording.ts';
import { messageOf } from './access.ts';
import type { Message } from './message.ts';
import { type MessageOperationContext, messageOperations, messageTarget } from './operations.ts';
import { refuseEdit, refuseRemoval } from './policies.ts';
import type { MessagePresenter } from './present.ts';

/** Offered in one press; every other emoji is in the picker or the field beside them. */
const QUICK_EMOJI = ['👍', '❤️', '😄', '🎉', '🙏', '👀'];

export type ActionDependencies = MessageOperationContext & {
  views: Views;
  page: SidebarPage;
  groupPresenter: GroupPresenter;
  presenter: MessagePresenter;
  limits: Limits;
};

/** Routes of one message: its page, the same as a fragment for scripts (the sheet), and a form for each operation. */
export function actionRoutes(dependencies: ActionDependencies): Router {
  const { views, groups, messages } = dependencies;

  const forms = formsOf(bindOperations(messageOperations, dependencies, dependencies.limits), {
    prefix: '/groups/:id/',
    async targetOf(request) {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      return messageTarget(messages, open, numberInPath(request, 'seq'));
    },
    // A missing or removed message has no page on which to show the error.
    pageOfRefusal: (request, { open, seq, message }) =>
      message &&
      ((error) => {
        return renderMessage(dependencies, request, open, seq, error);
      }),
    next: (request, { open, seq }, { name }) => pageAfter(name, open.group.id, seq, request.body ?? {}),
  });

  return Router()
    .get('/groups/:id/messages/:seq', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const seq = numberInPath(request, 'seq');
      if (!wantsFragment(request))
        return sendHtml(response, await renderMessage(dependencies, request, open, seq));
      sendHtml(response, views.render('messages/_sheet.njk', await sheet(dependencies, open, seq)));
    })
    .use(forms);
}

/** Template context of the page and the sheet: permitted operations, reactions, receipts and earlier versions. */
async function sheet(
  dependencies: ActionDependencies,
  open: OpenGroup,
  seq: number,
  error?: ChatError,
  typed: { content?: unknown; emoji?: unknown } = {},
) {
  const { groupPresenter, messages, presenter, saved } = dependencies;
  const { account } = open;
  const group = await groupPresenter.named(open.group, account.id);
  const message = await messageOf(messages, open, seq);
  return {
    group,
    message,
    address: `/groups/${group.id}/messages/${seq}`,
    quickEmoji: QUICK_EMOJI,
    isOwn: message.authorId === account.id,
    mayEdit: refuseEdit(open, message, dependencies) === undefined,
    spoken: spokenIn(message.files) ?? null,
    mayReact: refuseArchived(open) === undefined,
    mayWrite: refuseWriting(open) === undefined,
    mayRemove: refuseRemoval(open, message, dependencies) === undefined,
    reactions: await presenter.reactions(message),
    isPinned: message.pinnedAt !== null,
    isSaved: await saved.isSaved(account.id, group.id, seq),
    seenBy: account.showsReceipts ? await othersWhoSaw(dependencies, open, message) : null,
    playedBy: account.showsReceipts ? await othersWhoPlayed(dependencies, open, message) : null,
    versions: await presenter.revisions(message, await messages.revisions(message)),
    error: error ?? null,
    typed: typeof typed.content === 'string' ? typed.content : message.content,
    typedEmoji: typeof typed.emoji === 'string' ? typed.emoji.slice(0, 40) : '',
  };
}

async function othersWhoSaw(
  dependencies: ActionDependencies,
  { group, account }: OpenGroup,
  message: Message,
) {
  const readers = await readersOf(dependencies, group, message);
  return readers?.filter((reader) => reader.id !== account.id) ?? null;
}

async function othersWhoPlayed(dependencies: ActionDependencies, open: OpenGroup, { seq, files }: Message) {
  if (!spokenIn(files)) return null;
  const listeners = await listenersOf(dependencies, open, seq);
  return listeners?.filter((listener) => listener.id !== open.account.id) ?? null;
}

async function renderMessage(
  dependencies: ActionDependencies,
  request: Request,
  open: OpenGroup,
  seq: number,
  error?: ChatError,
): Promise<Html> {
  const { page, presenter } = dependencies;
  const context = await sheet(dependencies, open, seq, error, request.body ?? {});
  const shown = asHtml(await presenter.fragment(context.message, undefined));
  return page(request, 'messages/message.njk', { ...context, shown }, { openGroupId: open.group.id });
}

/** Where a form redirects to: the message, or the list that the form was on. */
function pageAfter(
  operation: string,
  groupId: number,
  seq: number,
  { back, beside }: { back?: unknown; beside?: unknown },
): string {
  // Opening the group's page would mark the message as read again.
  if (operation === 'unread') return '/groups';
  if (operation === 'follow' || operation === 'read-thread')
    return `/groups/${groupId}/threads/${seq}${beside ? '?beside=' : ''}`;
  if (operation === 'pin' && back === 'pins') return `/groups/${groupId}/pins`;
  if (operation === 'save' && back === 'saved') return '/saved';
  return backToMessage(groupId, seq);
}

function backToMessage(groupId: number, seq: number): string {
  return `/groups/${groupId}?around=${seq}#message-${seq}`;
}
