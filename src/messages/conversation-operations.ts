import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import { deleteSentDraft } from '../drafts/delete.ts';
import { DRAFT_RATE, draftForm, keepDraft } from '../drafts/keep.ts';
import type { DraftStore } from '../drafts/store.ts';
import type { OpenGroup } from '../groups/access.ts';
import { refuseWriting } from '../groups/policies.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { markRead, type ReadMarks } from '../receipts/mark-read.ts';
import { typed } from './events.ts';
import type { Message } from './message.ts';
import { allowMembers } from './policies.ts';
import { SEND_RATE, type SendDependencies, sendable, sendMessage } from './send.ts';

export type ConversationOperationContext = SendDependencies & {
  drafts: DraftStore;
  marks: ReadMarks;
  publish: Publish;
};

export type ConversationOperation = Operation<ConversationOperationContext, OpenGroup>;

const outcomeOf = ({ id, seq, change }: Message) => ({ id, seq, change });

/** Operations of a member on a conversation; those on a single message are in `operations.ts`. */
export const conversationOperations: readonly ConversationOperation[] = [
  defineOperation({
    name: 'send',
    path: 'messages',
    input: sendable,
    rate: SEND_RATE,
    policy: refuseWriting,
    async run(context: ConversationOperationContext, open: OpenGroup, input) {
      const message = await sendMessage(context, open, input);
      await deleteSentDraft(context, open, message);
      return outcomeOf(message);
    },
    async repeated({ messages }: ConversationOperationContext, { group, account }: OpenGroup, { id }) {
      const sent = id === undefined ? undefined : await messages.byId(id);
      return sent?.groupId === group.id && sent.authorId === account.id ? outcomeOf(sent) : undefined;
    },
  }),
  defineOperation({
    name: 'read',
    path: 'read',
    input: z.object({ seq: wholeNumber('"seq" takes the number of a message.') }),
    isQuiet: true,
    policy: allowMembers,
    run: (context: ConversationOperationContext, open: OpenGroup, { seq }) => markRead(context, open, seq),
  }),
  defineOperation({
    name: 'typing',
    path: 'typing',
    input: z.unknown(),
    isQuiet: true,
    policy: refuseWriting,
    async run({ publish }: ConversationOperationContext, { group, account }: OpenGroup) {
      publish(typed, { groupId: group.id, accountId: account.id });
    },
  }),
  defineOperation({
    name: 'draft',
    path: 'draft',
    input: draftForm,
    rate: DRAFT_RATE,
    policy: allowMembers,
    run: (context: ConversationOperationContext, open: OpenGroup, input) => keepDraft(context, open, input),
  }),
];
