import type { z } from 'zod';
import type { AuditStore } from '../audit/store.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import type { OpenGroup } from './access.ts';
import { groupName } from './create.ts';
import { deleteConfirmedGroup, deletionForm } from './delete.ts';
import { noteAdmin } from './note-admin.ts';
import { refuseSettings } from './policies.ts';
import { renameGroup } from './rename.ts';
import {
  answerForm,
  answerRequest,
  archiveForm,
  makeOwner,
  memberForm,
  type RuleDependencies,
  removeMember,
  removeOwner,
  rulesForm,
  setArchived,
  setRules,
  setSlowMode,
  setTopic,
  slowForm,
  topicForm,
  transferOwnership,
} from './rules.ts';
import { notificationLevelForm, setNotificationLevel } from './set-notification-level.ts';
import { setVoice, voiceForm } from './set-voice.ts';

export type GroupOperationContext = RuleDependencies & { audit: AuditStore };

export type GroupOperation = Operation<GroupOperationContext, OpenGroup>;

/** What a member can do with a group as a whole. */
export const groupOperations: readonly GroupOperation[] = [
  defineOperation({
    name: 'notification-level',
    path: 'bell',
    input: notificationLevelForm,
    policy: () => undefined,
    run: (context: GroupOperationContext, open: OpenGroup, input) =>
      setNotificationLevel(context, open, input),
  }),
  byOwners('rename', groupName, renameGroup),
  byOwners('voice-settings', voiceForm, setVoice),
  byOwners('rules', rulesForm, setRules),
  byOwners('slow-mode', slowForm, setSlowMode),
  byOwners('topic', topicForm, setTopic),
  byOwners('archive', archiveForm, setArchived),
  byOwners('make-owner', memberForm, makeOwner),
  byOwners('transfer-ownership', memberForm, transferOwnership),
  byOwners('remove-owner', memberForm, removeOwner),
  byOwners('remove-member', memberForm, removeMember),
  byOwners('answer-request', answerForm, answerRequest),
  byOwners('delete-group', deletionForm, deleteConfirmedGroup),
];

function byOwners<Input>(
  name: string,
  input: z.ZodType<Input>,
  run: (context: GroupOperationContext, open: OpenGroup, input: Input) => Promise<void>,
): GroupOperation {
  return defineOperation({
    name,
    path: name,
    input,
    policy: refuseSettings,
    async run(context: GroupOperationContext, open: OpenGroup, input: Input) {
      await run(context, open, input);
      await noteAdmin(context, open, name);
    },
  });
}
