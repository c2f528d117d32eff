import { type Request, type Response, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { ChatError } from '../errors.ts';
import type { Publish } from '../events.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { spokenIn } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupPage } from '../groups/page.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import { onRefusal } from '../http/failures.ts';
import type { RateLimit } from '../http/rate-limit.ts';
import { numberInPath, parseForm, seeOther, wantsFragment } from '../http/request.ts';
import { asHtml, type Html, sendHtml, type Views } from '../http/views.ts';
import { messageOf } from './access.ts';
import { editable, editMessage, isTooLate, mayEdit } from './edit.ts';
import { markUnread } from './mark-unread.ts';
import type { Message } from './message.ts';
import { pinMessage, wanted } from './pin.ts';
import { listenersOf, recordPlayback } from './playback.ts';
import type { PlaybackReceiptStore } from './playback-store.ts';
import type { MessagePresenter } from './present.ts';
import { reactable, reactTo } from './react.ts';
import { readersOf } from './readers.ts';
import { removeMessage } from './remove.ts';
import type { TextRenderer } from './render.ts';
import { saveMessage } from './save.ts';
import type { SavedStore } from './saved-store.ts';
import type { MessageStore } from './store.ts';
import type { MessageWriter } from './writer.ts';

/** Offered in one press; every other emoji is in the picker or the field beside them. */
const QUICK_EMOJI = ['👍', '❤️', '😄', '🎉', '🙏', '👀'];

export type ActionDependencies = {
  views: Views;
  page: GroupPage;
  groupPresenter: GroupPresenter;
  accounts: AccountStore;
  groups: GroupStore;
  messages: MessageStore;
  presenter: MessagePresenter;
  writer: MessageWriter;
  rate: RateLimit;
  files: FileStore;
  blobs: BlobStore;
  saved: SavedStore;
  playbackReceipts: PlaybackReceiptStore;
  texts: TextRenderer;
  publish: Publish;
  editLimitMs: number | undefined;
};

/** What is done with one message: a page of its own, a sheet for scripts, and a form for each act. */
export function actionRoutes(dependencies: ActionDependencies): Router {
  const { views, page, groups, groupPresenter, messages, presenter, saved, editLimitMs } = dependencies;

  async function sheet(open: OpenGroup, seq: number, error?: ChatError, typed?: string) {
    const { account } = open;
    const group = await groupPresenter.named(open.group, account.id);
    const message = await messageOf(messages, open, seq);
    const isMine = message.authorId === account.id;
    const isOpenToChange = account.isAdmin || !isTooLate(message, editLimitMs, Date.now());
    return {
      group,
      message,
      address: `/groups/${group.id}/messages/${seq}`,
      quickEmoji: QUICK_EMOJI,
      mayEdit: mayEdit(open, message) && !isTooLate(message, editLimitMs, Date.now()),
      spoken: spokenIn(message.files) ?? null,
      mayRemove: (isMine || account.isAdmin) && isOpenToChange,
      reactions: await presenter.reactions(message),
      isPinned: message.pinnedAt !== null,
      isSaved: await saved.isSaved(account.id, group.id, seq),
      seenBy: account.showsReceipts ? await othersWhoSaw(open, message) : null,
      playedBy: account.showsReceipts ? await othersWhoPlayed(open, message) : null,
      versions: await presenter.revisions(message, await messages.revisions(message)),
      error: error ?? null,
      typed: typed ?? message.content,
    };
  }

  async function othersWhoSaw({ group, account }: OpenGroup, message: Message) {
    const readers = await readersOf(dependencies, group, message);
    return readers?.filter((reader) => reader.id !== account.id) ?? null;
  }

  async function othersWhoPlayed(open: OpenGroup, { seq, files }: Message) {
    if (!spokenIn(files)) return null;
    const listeners = await listenersOf(dependencies, open, seq);
    return listeners?.filter((listener) => listener.id !== open.account.id) ?? null;
  }

  async function renderMessage(
    request: Request,
    open: OpenGroup,
    seq: number,
    error?: ChatError,
    typed?: string,
  ): Promise<Html> {
    const context = await sheet(open, seq, error, typed);
    const shown = asHtml(await presenter.fragment(context.message, undefined));
    return page(request, 'messages/message.njk', { ...context, shown }, { openGroupId: open.group.id });
  }

  /** An act on the message that the path names. Scripts hear only that it is done: the message itself is pushed. */
  const act =
    (
      perform: (open: OpenGroup, seq: number, request: Request) => Promise<unknown>,
      to: (groupId: number, seq: number, request: Request) => string = backToMessage,
    ) =>
    async (request: Request, response: Response): Promise<void> => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const seq = numberInPath(request, 'seq');
      const message = await messages.bySeq(open.group.id, seq);
      // One that is not there, or not any more, has no page to come back to.
      if (message?.removedAt === null) {
        onRefusal(response, async (error) => {
          const typed: unknown = request.body?.content;
          return renderMessage(request, open, seq, error, typeof typed === 'string' ? typed : undefined);
        });
      }
      await perform(open, seq, request);
      if (wantsFragment(request)) response.status(204).end();
      else seeOther(response, to(open.group.id, seq, request));
    };

  return Router()
    .get('/groups/:id/messages/:seq', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const seq = numberInPath(request, 'seq');
      if (!wantsFragment(request)) return sendHtml(response, await renderMessage(request, open, seq));
      sendHtml(response, views.render('messages/_sheet.njk', await sheet(open, seq)));
    })
    .post(
      '/groups/:id/messages/:seq/edit',
      act((open, seq, { body }) => editMessage(dependencies, open, seq, parseForm(editable, body))),
    )
    .post(
      '/groups/:id/messages/:seq/remove',
      act((open, seq) => removeMessage(dependencies, open, seq)),
    )
    .post(
      '/groups/:id/messages/:seq/reactions',
      act((open, seq, { body }) => reactTo(dependencies, open, seq, parseForm(reactable, body))),
    )
    .post(
      '/groups/:id/messages/:seq/pin',
      act(
        (open, seq, { body }) => pinMessage(dependencies, open, seq, parseForm(wanted, body)),
        (groupId, seq, { body }) =>
          body?.back === 'pins' ? `/groups/${groupId}/pins` : backToMessage(groupId, seq),
      ),
    )
    .post(
      '/groups/:id/messages/:seq/save',
      act(
        (open, seq, { body }) => saveMessage(dependencies, open, seq, parseForm(wanted, body)),
        (groupId, seq, { body }) => (body?.back === 'saved' ? '/saved' : backToMessage(groupId, seq)),
      ),
    )
    .post(
      '/groups/:id/messages/:seq/heard',
      act((open, seq) => recordPlayback(dependencies, open, seq)),
    )
    .post(
      '/groups/:id/messages/:seq/unread',
      // Its page would be read again at once.
      act(
        (open, seq) => markUnread(dependencies, open, seq),
        () => '/groups',
      ),
    );
}

function backToMessage(groupId: number, seq: number): string {
  return `/groups/${groupId}?around=${seq}#message-${seq}`;
}
