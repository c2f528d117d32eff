import { z } from 'zod';
import type { SavedStore } from '../../bookmarks/store.ts';
import { notFound } from '../../errors.ts';
import { openRecording } from '../../files/access.ts';
import type { FileStore } from '../../files/store.ts';
import { openGroup, openMemberships } from '../../groups/access.ts';
import type { GroupStore } from '../../groups/store.ts';
import { readHistory } from '../../messages/history.ts';
import { MAX_PINS } from '../../messages/pin.ts';
import type { MessagePresenter } from '../../messages/present.ts';
import type { MessageStore } from '../../messages/store.ts';
import { wholeNumber } from '../../operations/fields.ts';
import { transcriptText } from '../../recordings/recording.ts';
import { MAX_FOLLOWED } from '../../threads/count-unread.ts';
import { threadOf } from '../../threads/follow.ts';
import type { ThreadStore } from '../../threads/store.ts';
import { messagesOf } from '../present.ts';
import { defineRead, type Read } from '../read.ts';
import {
  changesShape,
  followedList,
  historyShape,
  messageList,
  messageShape,
  threadShape,
  transcriptShape,
  versionList,
} from '../shapes.ts';
import { inGroup } from './groups.ts';

const CHANGES_A_PAGE = 200;
const REPLIES = 200;
const SAVED_A_PAGE = 50;

export type MessageReadContext = {
  groups: GroupStore;
  messages: MessageStore;
  presenter: MessagePresenter;
  threads: ThreadStore;
  saved: SavedStore;
  files: FileStore;
};

const ofMessage = inGroup.extend({ seq: wholeNumber('"seq" takes the number of a message.') });
const seqIfSet = (name: string) => wholeNumber(`"${name}" takes the number of a message.`).optional();

export const messageReads: readonly Read<MessageReadContext>[] = [
  defineRead({
    name: 'list-messages',
    path: '/groups/:groupId/messages',
    summary: 'The newest 50 messages of a group, the 50 before one, or the 50 around one, in order',
    input: inGroup.extend({ before: seqIfSet('before'), around: seqIfSet('around') }),
    answer: historyShape,
    async run({ groups, messages, presenter }: MessageReadContext, { account }, { groupId, before, around }) {
      const open = await openGroup(groups, account, groupId);
      const page = await readHistory(messages, open, { before, around });
      return {
        items: await messagesOf(presenter, page.messages),
        before: page.hasOlder ? (page.messages[0]?.seq ?? null) : null,
        hasNewer: page.hasNewer,
      };
    },
  }),
  defineRead({
    name: 'list-changes',
    path: '/groups/:groupId/changes',
    summary: 'Messages that were written, edited, removed or reacted to after a change, as they are now',
    input: inGroup.extend({ after: wholeNumber('"after" takes the number of a change.').default(0) }),
    answer: changesShape,
    async run({ groups, messages, presenter }: MessageReadContext, { account }, { groupId, after }) {
      const { group } = await openGroup(groups, account, groupId);
      const changed = await messages.changedAfter(group.id, after, CHANGES_A_PAGE);
      return {
        items: await messagesOf(presenter, changed),
        change: changed.at(-1)?.change ?? after,
        isComplete: changed.length < CHANGES_A_PAGE,
      };
    },
  }),
  defineRead({
    name: 'get-message',
    path: '/groups/:groupId/messages/:seq',
    summary: 'One message',
    input: ofMessage,
    answer: messageShape,
    async run({ groups, messages, presenter }: MessageReadContext, { account }, { groupId, seq }) {
      const { group } = await openGroup(groups, account, groupId);
      const message = await messages.bySeq(group.id, seq);
      const [shown] = message ? await messagesOf(presenter, [message]) : [];
      if (!shown) throw notFound('There is no such message.');
      return shown;
    },
  }),
  defineRead({
    name: 'list-versions',
    path: '/groups/:groupId/messages/:seq/versions',
    summary: 'What an edited message said before, the oldest version first',
    input: ofMessage,
    answer: versionList,
    async run({ groups, messages }: MessageReadContext, { account }, { groupId, seq }) {
      const { group } = await openGroup(groups, account, groupId);
      const message = await messages.bySeq(group.id, seq);
      if (!message) throw notFound('There is no such message.');
      const versions = await messages.revisions(message);
      const items = versions.map(({ content, writtenAt, writerId }) => ({
        ...{ content, writerId },
        writtenAt: new Date(writtenAt).toISOString(),
      }));
      return { items, next: null };
    },
  }),
  defineRead({
    name: 'get-thread',
    path: '/groups/:groupId/threads/:seq',
    summary: 'A thread: its first message and the newest 200 replies, or the 200 before one, in order',
    input: ofMessage.extend({ before: seqIfSet('before') }),
    answer: threadShape,
    async run({ groups, messages, presenter }: MessageReadContext, { account }, { groupId, seq, before }) {
      const open = await openGroup(groups, account, groupId);
      const start = await threadOf(messages, open, seq);
      const [first] = await messagesOf(presenter, [start]);
      if (!first) throw notFound('There is no such message.');
      const replies = await messages.inThread(open.group.id, start.seq, REPLIES, before);
      return {
        first,
        replies: await messagesOf(presenter, replies),
        before: replies.length === REPLIES ? (replies[0]?.seq ?? null) : null,
      };
    },
  }),
  defineRead({
    name: 'list-pins',
    path: '/groups/:groupId/pins',
    summary: 'The pinned messages of a group',
    input: inGroup,
    answer: messageList,
    async run({ groups, messages, presenter }: MessageReadContext, { account }, { groupId }) {
      const { group } = await openGroup(groups, account, groupId);
      return { items: await messagesOf(presenter, await messages.pinned(group.id, MAX_PINS)), next: null };
    },
  }),
  defineRead({
    name: 'list-threads',
    path: '/threads',
    summary: 'The threads that you follow, those with the newest replies first',
    input: z.object({}),
    answer: followedList,
    async run({ groups, messages, presenter, threads }: MessageReadContext, { account }) {
      // With INBOX_ONLY, only the store of groups knows which of them are there.
      const memberships = await openMemberships(groups, account);
      const all = await threads.followedBy(account.id, MAX_FOLLOWED);
      const followed = all.filter(({ groupId }) => memberships.has(groupId));
      const items = followed.map(async ({ groupId, seq, unread }) => {
        const message = await messages.bySeq(groupId, seq);
        const [first] = message ? await messagesOf(presenter, [message]) : [];
        return first ? [{ groupId, seq, unread, first }] : [];
      });
      return { items: (await Promise.all(items)).flat(), next: null };
    },
  }),
  defineRead({
    name: 'list-saved',
    path: '/saved',
    summary: 'The messages that you saved, the last saved first',
    input: z.object({
      before: wholeNumber('"before" takes the "next" of a page.').default(Number.MAX_SAFE_INTEGER),
    }),
    answer: messageList,
    async run({ groups, messages, presenter, saved }: MessageReadContext, { account }, { before }) {
      const bookmarks = await saved.before(account.id, before, SAVED_A_PAGE);
      const memberships = await openMemberships(groups, account);
      const found = bookmarks
        .filter(({ groupId }) => memberships.has(groupId))
        .map(({ groupId, seq }) => messages.bySeq(groupId, seq));
      const there = (await Promise.all(found)).filter((message) => message?.removedAt === null);
      return {
        items: await messagesOf(
          presenter,
          there.filter((message) => message !== undefined),
        ),
        next: bookmarks.length === SAVED_A_PAGE ? (bookmarks.at(-1)?.savedAt ?? null) : null,
      };
    },
  }),
  defineRead({
    name: 'get-transcript',
    path: '/files/:fileId/transcript',
    summary: 'The text of a voice message',
    input: z.object({ fileId: z.guid('"fileId" takes the id of a file.') }),
    answer: transcriptShape,
    async run(context: MessageReadContext, { account }, { fileId }) {
      const { voice } = await openRecording(context, account, fileId.toLowerCase());
      return { transcript: voice.transcript, length: voice.length, text: transcriptText(voice) };
    },
  }),
];
