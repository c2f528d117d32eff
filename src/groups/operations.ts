import type { Publish } from '../bus/bus.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import type { OpenGroup } from './access.ts';
import { groupName } from './create.ts';
import { refuseSettings } from './policies.ts';
import { renameGroup } from './rename.ts';
import { notificationLevelForm, setNotificationLevel } from './set-notification-level.ts';
import { setVoice, voiceForm } from './set-voice.ts';
import type { GroupStore } from './store.ts';

export type GroupOperationContext = { groups: GroupStore; publish: Publish };

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
  defineOperation({
    name: 'rename',
    path: 'rename',
    input: groupName,
    policy: refuseSettings,
    run: (context: GroupOperationContext, open: OpenGroup, input) => renameGroup(context, open, input),
  }),
  defineOperation({
    name: 'voice-settings',
    path: 'voice-settings',
    input: voiceForm,
    policy: refuseSettings,
    run: (context: GroupOperationContext, open: OpenGroup, input) => setVoice(context, open, input),
  }),
];
