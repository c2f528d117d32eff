import type { Request } from 'express';
import { GONE_NAME } from '../accounts/account.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { ChatError } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import { refuseSettings } from '../groups/policies.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Context, Html } from '../http/views.ts';
import { apiBots } from './api-bots.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { Trigger, Webhook } from './webhook.ts';
import { type BlockReasonDependencies, blockReason } from './webhook-block.ts';
import type { WebhookStore } from './webhook-store.ts';

export type GroupBotsDependencies = BlockReasonDependencies & {
  page: SidebarPage;
  peopleStore: PeopleStore;
  groups: GroupStore;
  webhooks: WebhookStore;
  deliveries: DeliveryStore;
};

/** A form that was refused, by the name of its operation. */
type Refused = { error?: ChatError; refused?: string };

/** The bots and webhooks of a group. @throws ChatError 403 for anybody but its owners */
export async function groupBotsPage(
  dependencies: GroupBotsDependencies,
  request: Request,
  open: OpenGroup,
  { error, refused = '' }: Refused = {},
): Promise<Html> {
  const { page, groups, webhooks } = dependencies;
  const { id: groupId } = open.group;
  const refusal = refuseSettings(open);
  if (refusal) throw refusal;
  const { isSecure, host } = request.arrival;
  const address = `${isSecure ? 'https' : 'http'}://${host}`;
  const shown = (await webhooks.of(groupId)).map((webhook) => shownWebhook(dependencies, webhook, address));
  const bots = (await apiBots(dependencies)).map(async (bot) => ({
    bot,
    isMember: (await groups.membership(bot.id, groupId)) !== undefined,
  }));
  const context = {
    group: open.group,
    webhooks: await Promise.all(shown),
    bots: await Promise.all(bots),
    incoming: { isRefused: refused === 'add-incoming-webhook', ...typed(request, refused, 'incoming') },
    outgoing: { isRefused: refused === 'add-outgoing-webhook', ...typed(request, refused, 'outgoing') },
    made: Number(request.query.made ?? 0),
    isSaved: request.query.saved !== undefined,
    error: error ?? null,
  };
  return page(request, 'bots/group.njk', context, { openGroupId: groupId });
}

const TRIGGER_WORDS: Readonly<Record<Trigger, string>> = {
  mention: 'messages that call it',
  command: 'its command',
  message: 'every message',
};

async function shownWebhook(
  dependencies: GroupBotsDependencies,
  webhook: Webhook,
  address: string,
): Promise<Context> {
  const { accounts, deliveries } = dependencies;
  const { id, kind, secret, url, trigger, command, hint, usedAt, failingSince, failure, stoppedAt } = webhook;
  return {
    ...{ id, kind, url, command, hint },
    bot: await accounts.byId(webhook.accountId),
    creator: (await accounts.byId(webhook.creatorId))?.name ?? GONE_NAME,
    secret: kind === 'incoming' ? `${address}/hooks/${secret}` : secret,
    told: trigger && TRIGGER_WORDS[trigger],
    used: usedAt === null ? '' : new Date(usedAt).toISOString(),
    waiting: kind === 'outgoing' ? await deliveries.countOf(id) : 0,
    failingSince: failingSince === null ? '' : new Date(failingSince).toISOString(),
    failure: failure === null ? '' : failureWords(failure),
    isStopped: stoppedAt !== null,
    blockReason: (await blockReason(dependencies, webhook)) ?? '',
  };
}

function failureWords(failure: string): string {
  if (failure === 'private')
    return 'Its address is a private one. An administrator can allow it under Administration.';
  if (failure === 'timeout') return 'It did not answer in 20 seconds.';
  if (failure === 'unreachable') return 'It could not be reached.';
  if (failure === '410') return 'It said that it wants no more messages (410).';
  return `It answered with the status ${failure}.`;
}

/** What was typed into the form that was refused; the other one is empty. */
function typed(request: Request, refused: string, kind: Webhook['kind']) {
  const body: Record<string, unknown> = refused === `add-${kind}-webhook` ? (request.body ?? {}) : {};
  const text = (field: string) => (typeof body[field] === 'string' ? body[field].slice(0, 2_000) : '');
  return {
    ...{ name: text('name'), url: text('url'), command: text('command'), hint: text('hint') },
    trigger: text('trigger') || 'mention',
  };
}
