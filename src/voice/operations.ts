import { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import { spokenLanguage } from '../engines/speech/languages.ts';
import { openRecording } from '../files/access.ts';
import { fileId } from '../files/operations.ts';
import type { GroupStore } from '../groups/store.ts';
import { SEND_RATE } from '../messages/send.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { type RetryDependencies, transcribeAgain } from './retry.ts';

export type VoiceOperationContext = RetryDependencies & { groups: GroupStore };

const whichRecording = z.object({
  fileId: fileId,
  language: spokenLanguage.default(null),
});

/** What an account does with a recording that it can play. */
export const voiceOperations: readonly Operation<VoiceOperationContext, SignedIn>[] = [
  defineOperation({
    name: 'transcribe',
    path: '/media/:fileId/transcribe',
    input: whichRecording,
    rate: SEND_RATE,
    policy: () => undefined,
    async run(context: VoiceOperationContext, { account }: SignedIn, { fileId, language }) {
      const recording = await openRecording(context, account, fileId);
      await transcribeAgain(context, recording, account, language);
      const { groupId, seq } = recording;
      return seq === null ? { groupId } : { groupId, seq };
    },
  }),
];
