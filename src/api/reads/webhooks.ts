import type { AccountStore } from '../../accounts/store.ts';
import type { DeliveryStore } from '../../bots/delivery-store.ts';
import type { WebhookStore } from '../../bots/webhook-store.ts';
import { openGroup } from '../../groups/access.ts';
import { refuseSettings } from '../../groups/policies.ts';
import type { GroupStore } from '../../groups/store.ts';
import { commandList, webhookList } from '../own-shapes.ts';
import { personOrNull, timeOf, timeOrNull } from '../present.ts';
import { defineRead, type Read } from '../read.ts';
import { inGroup } from './groups.ts';

export type WebhookReadContext = {
  accounts: AccountStore;
  groups: GroupStore;
  webhooks: WebhookStore;
  deliveries: DeliveryStore;
};

export const webhookReads: readonly Read<WebhookReadContext>[] = [
  defineRead({
    name: 'list-commands',
    path: '/groups/:groupId/commands',
    summary: 'The commands of a group, which its bots answer when a message begins with them',
    input: inGroup,
    answer: commandList,
    async run({ groups, webhooks }: WebhookReadContext, { account }, { groupId }) {
      await openGroup(groups, account, groupId);
      return { items: await webhooks.commandsOf(groupId), next: null };
    },
  }),
  defineRead({
    name: 'list-webhooks',
    path: '/groups/:groupId/webhooks',
    scope: 'write',
    summary: 'The webhooks of a group, with their secrets; for its owners',
    input: inGroup,
    answer: webhookList,
    async run({ accounts, groups, webhooks, deliveries }: WebhookReadContext, { account }, { groupId }) {
      const refusal = refuseSettings(await openGroup(groups, account, groupId));
      if (refusal) throw refusal;
      const items = (await webhooks.of(groupId)).map(async (webhook) => ({
        ...{ id: webhook.id, kind: webhook.kind, bot: await personOrNull(accounts, webhook.accountId) },
        ...{ secret: webhook.kind === 'incoming' ? `/hooks/${webhook.secret}` : webhook.secret },
        ...{ url: webhook.url ?? null, trigger: webhook.trigger ?? null, command: webhook.command ?? null },
        ...{ createdAt: timeOf(webhook.createdAt), usedAt: timeOrNull(webhook.usedAt) },
        ...{ failure: webhook.failure, failingSince: timeOrNull(webhook.failingSince) },
        ...{ isStopped: webhook.stoppedAt !== null, waiting: await deliveries.countOf(webhook.id) },
      }));
      return { items: await Promise.all(items), next: null };
    },
  }),
];
