import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { accountChanged, sessionsEnded } from '../accounts/events.ts';
import { areConfusable, username } from '../accounts/names.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import { nameTaken } from '../accounts/register.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Publish } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import { ChatError, invalid, notFound } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import { memberLeft } from '../groups/events.ts';
import { addMember } from '../groups/join.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import type { GroupStore } from '../groups/store.ts';
import { optional, wholeNumber } from '../operations/fields.ts';
import type { DeliveryStore } from './delivery-store.ts';
import { COMMAND, TRIGGERS, type Webhook, type WebhookDetails } from './webhook.ts';
import type { WebhookStore } from './webhook-store.ts';

const SECRET_BYTES = 32;
/** As Standard Webhooks writes the secrets of signatures. */
const SIGNING_PREFIX = 'whsec_';
const MAX_WEBHOOKS = 20;
const COMMAND_RULE = 'A command is one word, such as /deploy: letters, digits and "-".';
/** No password has this hash: nobody signs in with the account of a bot. */
const NO_PASSWORD = '';

export const incomingForm = z.object({ name: username });

export const outgoingForm = z
  .object({
    name: username,
    url: z
      .string('Enter the address of the program.')
      .trim()
      .max(2_000, 'An address has at most 2,000 characters.')
      .refine(isWebAddress, 'Enter an address that begins with https:// or http://.'),
    trigger: z.enum(TRIGGERS, 'Choose what the program is told of.'),
    command: optional(
      z
        .string(COMMAND_RULE)
        .trim()
        .transform((word) => `/${word.replace(/^\//, '').toLowerCase()}`)
        .refine((word) => COMMAND.exec(word)?.[0] === word, COMMAND_RULE),
    ),
    hint: optional(z.string().trim().max(100, 'A description has at most 100 characters.')),
  })
  .superRefine(({ trigger, command }, context) => {
    if (trigger === 'command' && command === undefined)
      context.addIssue({ code: 'custom', path: ['command'], message: COMMAND_RULE });
  });

export const whichWebhook = z.object({
  webhookId: wholeNumber('"webhookId" takes the number of a webhook.'),
});
export const whichBot = z.object({ accountId: wholeNumber('Choose a bot.') });

export type ManageDependencies = {
  accounts: AccountStore;
  peopleStore: PeopleStore;
  groups: GroupStore;
  joinRequests: JoinRequestStore;
  webhooks: WebhookStore;
  deliveries: DeliveryStore;
  audit: AuditStore;
  publish: Publish;
  /** Looks for deliveries that are due. */
  wake(groupId?: number): void;
  config: Pick<Config, 'adminUsername'>;
};

/** Makes the account of a program: a guest, who sees only the groups that it is in. @throws ChatError 409 */
export async function createBot(
  { accounts, config }: Pick<ManageDependencies, 'accounts' | 'config'>,
  name: string,
  now = Date.now(),
): Promise<Account> {
  // Whoever has that name becomes an administrator.
  if (config.adminUsername !== undefined && areConfusable(config.adminUsername, name))
    throw nameTaken('taken', 'name');
  const values = { username: name, passwordHash: NO_PASSWORD, isAdmin: false, isGuest: true, isBot: true };
  const bot = await accounts.add({ ...values, now });
  if (bot === 'taken' || bot === 'confusable') throw nameTaken(bot, 'name');
  return bot;
}

/** Makes an address at which a program posts in the group, by a bot of its own. @throws ChatError 409 */
export function addIncoming(
  dependencies: ManageDependencies,
  open: OpenGroup,
  { name }: z.output<typeof incomingForm>,
): Promise<{ webhookId: number }> {
  return add(dependencies, open, name, 'incoming', { secret: randomSecret() });
}

/** Has a program told of messages of the group from now on; what it answers is written by a bot. @throws ChatError 409 */
export async function addOutgoing(
  dependencies: ManageDependencies,
  open: OpenGroup,
  { name, url, trigger, command, hint }: z.output<typeof outgoingForm>,
): Promise<{ webhookId: number }> {
  const word = trigger === 'command' ? command?.slice(1) : undefined;
  const others = await dependencies.webhooks.of(open.group.id);
  if (word !== undefined && others.some((other) => other.command === word))
    throw invalid('command', `There is a command /${word} in this group already. Choose another.`, 'taken');
  const secret = SIGNING_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
  const details = { secret, url, trigger, ...(word && { command: word, ...(hint && { hint }) }) };
  return add(dependencies, open, name, 'outgoing', details);
}

async function add(
  dependencies: ManageDependencies,
  { group, account }: OpenGroup,
  name: string,
  kind: Webhook['kind'],
  details: WebhookDetails,
  now = Date.now(),
): Promise<{ webhookId: number }> {
  const { webhooks, groups } = dependencies;
  if ((await webhooks.countOf(group.id)) >= MAX_WEBHOOKS)
    throw new ChatError('too_many', 409, `A group has at most ${MAX_WEBHOOKS} webhooks. Remove one first.`);
  const bot = await createBot(dependencies, name, now);
  await addMember(dependencies, bot, group, now);
  const { lastSeq } = (await groups.byId(group.id)) ?? group;
  const about = { groupId: group.id, accountId: bot.id, creatorId: account.id, kind, seq: lastSeq };
  return { webhookId: await webhooks.add({ ...about, createdAt: now, details }) };
}

/** Gives it a new secret; the one before is void. */
export async function renewWebhook(
  { webhooks }: ManageDependencies,
  open: OpenGroup,
  { webhookId }: z.output<typeof whichWebhook>,
): Promise<void> {
  const { url, trigger, command, hint, kind } = await webhookOf(webhooks, open, webhookId);
  const secret =
    kind === 'incoming' ? randomSecret() : SIGNING_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
  const details = { secret, ...(url && { url }), ...(trigger && { trigger }) };
  await webhooks.setDetails(webhookId, { ...details, ...(command && { command }), ...(hint && { hint }) });
}

/** Tries every delivery that failed again, also where its program wanted no more. */
export async function retryWebhook(
  { webhooks, deliveries, wake }: ManageDependencies,
  open: OpenGroup,
  { webhookId }: z.output<typeof whichWebhook>,
  now = Date.now(),
): Promise<void> {
  await webhookOf(webhooks, open, webhookId);
  await webhooks.note(webhookId, { stoppedAt: null });
  await deliveries.retry(webhookId, now);
  wake(open.group.id);
}

/** Removes a webhook. Its bot leaves and can do nothing any more; what it wrote stays under its name. */
export async function removeWebhook(
  dependencies: ManageDependencies,
  open: OpenGroup,
  { webhookId }: z.output<typeof whichWebhook>,
): Promise<void> {
  await remove(dependencies, await webhookOf(dependencies.webhooks, open, webhookId));
}

async function remove(
  { webhooks, peopleStore, groups, publish }: ManageDependencies,
  { id, accountId, groupId }: Webhook,
  now = Date.now(),
): Promise<void> {
  await webhooks.remove(id);
  if (await groups.leave(accountId, groupId)) publish(memberLeft, { groupId, accountId });
  await peopleStore.suspend(accountId, now);
  publish(sessionsEnded, { accountId });
  publish(accountChanged, { accountId });
}

/** Removes the webhook of a bot that is no member any more. */
export async function removeWebhookOf(
  dependencies: ManageDependencies,
  { groupId, accountId }: { groupId: number; accountId: number },
): Promise<void> {
  const webhook = await dependencies.webhooks.byBot(accountId);
  if (webhook?.groupId === groupId) await remove(dependencies, webhook);
}

/** Removes the webhooks of a group that was deleted. */
export async function removeWebhooksOf(dependencies: ManageDependencies, groupId: number): Promise<void> {
  for (const webhook of await dependencies.webhooks.of(groupId)) await remove(dependencies, webhook);
}

/** Makes a bot a member of the group. @throws ChatError 404 where there is no such bot */
export async function addBot(
  dependencies: ManageDependencies,
  { group }: OpenGroup,
  { accountId }: z.output<typeof whichBot>,
): Promise<void> {
  const { accounts, webhooks } = dependencies;
  const bot = await accounts.byId(accountId);
  // Those of webhooks are in one group only.
  if (!bot?.isBot || bot.suspendedAt !== null || (await webhooks.byBot(bot.id)))
    throw notFound('There is no such bot.');
  await addMember(dependencies, bot, group);
}

async function webhookOf(webhooks: WebhookStore, { group }: OpenGroup, webhookId: number): Promise<Webhook> {
  const webhook = await webhooks.byId(webhookId);
  if (webhook?.groupId !== group.id) throw notFound('There is no such webhook in this group.');
  return webhook;
}

function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function isWebAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.hostname !== '';
}
