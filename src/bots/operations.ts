import type { z } from 'zod';
import type { OpenGroup } from '../groups/access.ts';
import { noteAdmin } from '../groups/note-admin.ts';
import { refuseSettings } from '../groups/policies.ts';
import { defineOperation, type Operation, type Outcome } from '../operations/define.ts';
import {
  addBot,
  addIncoming,
  addOutgoing,
  incomingForm,
  type ManageDependencies,
  outgoingForm,
  removeWebhook,
  renewWebhook,
  retryWebhook,
  whichBot,
  whichWebhook,
} from './manage.ts';

const WEBHOOKS = { name: 'webhooks', points: 30, seconds: 3_600, sentence: 'That is a lot at once.' };

export type BotOperation = Operation<ManageDependencies, OpenGroup>;

/** What owners do with the programs of a group. */
export const botOperations: readonly BotOperation[] = [
  byOwners('add-incoming-webhook', 'webhooks/add-incoming', incomingForm, addIncoming),
  // Its program is told what is written.
  {
    ...byOwners('add-outgoing-webhook', 'webhooks/add-outgoing', outgoingForm, addOutgoing),
    scope: 'read and write',
  },
  byOwners('renew-webhook', 'webhooks/:webhookId/renew', whichWebhook, renewWebhook),
  byOwners('retry-webhook', 'webhooks/:webhookId/retry', whichWebhook, retryWebhook),
  byOwners('remove-webhook', 'webhooks/:webhookId/remove', whichWebhook, removeWebhook),
  byOwners('add-bot', 'add-bot', whichBot, addBot),
];

function byOwners<Input>(
  name: string,
  path: string,
  input: z.ZodType<Input>,
  run: (context: ManageDependencies, open: OpenGroup, input: Input) => Promise<Outcome> | Promise<void>,
): BotOperation {
  return defineOperation({
    name,
    path,
    input,
    rate: WEBHOOKS,
    policy: refuseSettings,
    async run(context: ManageDependencies, open: OpenGroup, input: Input) {
      const outcome = (await run(context, open, input)) ?? {};
      await noteAdmin(context, open, name);
      return outcome;
    },
  });
}
