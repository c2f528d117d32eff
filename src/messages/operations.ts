import { z } from 'zod';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import { saveMessage } from '../bookmarks/save.ts';
import type { SavedStore } from '../bookmarks/store.ts';
import type { Publish } from '../bus/bus.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { OpenGroup } from '../groups/access.ts';
import { noteAdmin } from '../groups/note-admin.ts';
import { refuseArchived, refuseWriting } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import { defineOperation, type Operation, type Outcome } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { markUnread } from '../receipts/mark-unread.ts';
import { recordPlayback } from '../receipts/playback.ts';
import type { PlaybackReceiptStore } from '../receipts/store.ts';
import { followThread, markThreadRead } from '../threads/follow.ts';
import type { ThreadStore } from '../threads/store.ts';
import { editable, editMessage } from './edit.ts';
import type { Message } from './message.ts';
import { pinMessage, wanted } from './pin.ts';
import { allowMembers, refuseEdit, refuseRemoval } from './policies.ts';
import { reactable, reactTo } from './react.ts';
import { removal, removeMessage } from './remove.ts';
import type { TextRenderer } from './render.ts';
import { SEND_RATE } from './send.ts';
import type { MessageStore } from './store.ts';
import type { MessageWriter } from './writer.ts';

export type MessageOperationContext = {
  accounts: AccountStore;
  audit: AuditStore;
  groups: GroupStore;
  messages: MessageStore;
  writer: MessageWriter;
  blobs: BlobStore;
  saved: SavedStore;
  threads: ThreadStore;
  playbackReceipts: PlaybackReceiptStore;
  texts: TextRenderer;
  publish: Publish;
  editLimitMs: number | undefined;
};

/** A message of a group that the account has open. `message` is undefined where there is none, or it was removed. */
export type MessageTarget = Readonly<{
  account: Account;
  open: OpenGroup;
  seq: number;
  message: Message | undefined;
}>;

export type MessageOperation = Operation<MessageOperationContext, MessageTarget>;

const nothing = z.unknown();

/** What can be done with one message, or with the thread that it belongs to. */
export const messageOperations: readonly MessageOperation[] = [
  defineOperation({
    name: 'edit',
    path: 'messages/:seq/edit',
    input: editable,
    policy: ({ open, message }, limits) => message && refuseEdit(open, message, limits),
    rate: SEND_RATE,
    run: async (context, { open, seq }, input) => changeOf(await editMessage(context, open, seq, input)),
  }),
  defineOperation({
    name: 'remove',
    path: 'messages/:seq/remove',
    input: removal,
    policy: ({ open, message }, limits) => message && refuseRemoval(open, message, limits),
    async run(context, { open, seq, message }, input) {
      const removed = await removeMessage(context, open, seq, input);
      const isOthers = message !== undefined && message.authorId !== open.account.id;
      if (isOthers) await noteAdmin(context, open, 'remove-message', { message: String(seq) });
      return changeOf(removed);
    },
  }),
  defineOperation({
    name: 'react',
    path: 'messages/:seq/reactions',
    input: reactable,
    policy: ({ open }) => refuseArchived(open),
    rate: SEND_RATE,
    run: async (context, { open, seq }, input) => changeOf(await reactTo(context, open, seq, input)),
  }),
  defineOperation({
    name: 'pin',
    path: 'messages/:seq/pin',
    input: wanted,
    policy: ({ open }) => refuseWriting(open),
    rate: SEND_RATE,
    run: async (context, { open, seq }, input) => changeOf(await pinMessage(context, open, seq, input)),
  }),
  defineOperation({
    name: 'save',
    path: 'messages/:seq/save',
    input: wanted,
    policy: allowMembers,
    rate: SEND_RATE,
    run: (context, { open, seq }, input) => saveMessage(context, open, seq, input),
  }),
  defineOperation({
    name: 'heard',
    path: 'messages/:seq/heard',
    input: nothing,
    policy: allowMembers,
    rate: SEND_RATE,
    run: (context, { open, seq }) => recordPlayback(context, open, seq),
  }),
  defineOperation({
    name: 'unread',
    path: 'messages/:seq/unread',
    input: nothing,
    policy: allowMembers,
    rate: SEND_RATE,
    run: (context, { open, seq }) => markUnread(context, open, seq),
  }),
  defineOperation({
    name: 'follow',
    path: 'threads/:seq/follow',
    input: wanted,
    policy: allowMembers,
    rate: SEND_RATE,
    run: (context, { open, seq }, input) => followThread(context, open, seq, input),
  }),
  defineOperation({
    name: 'read-thread',
    path: 'threads/:seq/read',
    input: z.object({ upTo: wholeNumber('"upTo" takes the number of a message.') }),
    isQuiet: true,
    policy: allowMembers,
    run: (context, { open, seq }, { upTo }) => markThreadRead(context, open, seq, upTo),
  }),
];

/** Loads the target of an operation, for forms and socket commands alike. */
export async function messageTarget(
  messages: MessageStore,
  open: OpenGroup,
  seq: number,
): Promise<MessageTarget> {
  const message = await messages.bySeq(open.group.id, seq);
  return { account: open.account, open, seq, message: message?.removedAt === null ? message : undefined };
}

function changeOf({ change }: Message): Outcome {
  return { change };
}
