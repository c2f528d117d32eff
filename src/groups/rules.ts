import { z } from 'zod';
import type { AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError, invalid, notFound } from '../errors.ts';
import { wholeNumber, yesOrNo } from '../operations/fields.ts';
import { refuseOutdated, seenField } from '../operations/seen.ts';
import type { OpenGroup } from './access.ts';
import { CONTROL_CHARACTERS } from './create.ts';
import {
  groupAccessChanged,
  groupSettingsChanged,
  joinRequestsChanged,
  memberLeft,
  membershipsChanged,
  ownersChanged,
} from './events.ts';
import { addMember } from './join.ts';
import type { JoinRequestStore } from './join-request-store.ts';
import { refuseLettingIn } from './policies.ts';
import type { GroupStore } from './store.ts';

const TOPIC_RULE = 'A topic has at most 250 characters.';

export const rulesForm = z.object({
  access: z.enum(['open', 'closed'], 'Choose whether the group is open or closed.'),
  posting: z.enum(['members', 'owners'], 'Choose whether members or owners write.'),
  ...seenField,
});

/** Choices of the waiting time between two messages, in seconds. */
export const SLOW_SECONDS = ['0', '10', '30', '60', '300', '900', '3600'] as const;

export const slowForm = z.object({
  seconds: z
    .union(
      [z.enum(SLOW_SECONDS), z.int().transform(String).pipe(z.enum(SLOW_SECONDS))],
      'Choose how long members wait.',
    )
    .transform(Number),
});

/** One line; empty is no topic. */
export const topicForm = z.object({
  topic: z
    .string(TOPIC_RULE)
    .transform((topic) => topic.normalize('NFC').replace(/\s+/g, ' ').trim())
    .refine((topic) => [...topic].length <= 250, TOPIC_RULE)
    .refine((topic) => !CONTROL_CHARACTERS.test(topic), 'A topic has no control characters.'),
});

export const archiveForm = z.object({ on: yesOrNo('Choose yes or no.') });

const accountId = wholeNumber('"accountId" takes the number of an account.');
export const memberForm = z.object({ accountId });
export const answerForm = z.object({ accountId, accept: yesOrNo('Choose yes or no.') });

export type RuleDependencies = {
  groups: GroupStore;
  accounts: AccountStore;
  joinRequests: JoinRequestStore;
  publish: Publish;
};

/** Who sees and joins the group, and who writes in it. A group that is closed vanishes from other people's lists. */
export async function setRules(
  { groups, publish }: RuleDependencies,
  { group }: OpenGroup,
  { seen, ...rules }: z.infer<typeof rulesForm>,
): Promise<void> {
  refuseOutdated(seen, group.access, group.posting);
  await groups.change(group.id, rules);
  publish(groupSettingsChanged, { groupId: group.id });
  if (rules.access !== group.access) publish(groupAccessChanged, { groupId: group.id });
}

export async function setTopic(
  { groups, publish }: RuleDependencies,
  { group }: OpenGroup,
  { topic }: z.infer<typeof topicForm>,
): Promise<void> {
  await groups.change(group.id, { topic });
  publish(groupSettingsChanged, { groupId: group.id });
}

/** How long members wait between two messages. */
export async function setSlowMode(
  { groups, publish }: RuleDependencies,
  { group }: OpenGroup,
  { seconds }: z.output<typeof slowForm>,
): Promise<void> {
  await groups.change(group.id, { slowSeconds: seconds });
  publish(groupSettingsChanged, { groupId: group.id });
}

/** An archived group is left as it is: it can be read by its members, and by nobody else. */
export async function setArchived(
  { groups, publish }: RuleDependencies,
  { group }: OpenGroup,
  { on }: z.infer<typeof archiveForm>,
  now = Date.now(),
): Promise<void> {
  await groups.change(group.id, { archivedAt: on ? (group.archivedAt ?? now) : null });
  publish(groupSettingsChanged, { groupId: group.id });
  publish(groupAccessChanged, { groupId: group.id });
}

/** @throws ChatError 400 for a bot or somebody suspended, 404 for somebody who is no member */
export async function makeOwner(
  { groups, accounts, publish }: RuleDependencies,
  { group }: OpenGroup,
  { accountId }: z.infer<typeof memberForm>,
): Promise<void> {
  const account = await accounts.byId(accountId);
  if (account?.isBot) throw invalid('accountId', 'A bot owns no group. Choose a person.');
  if (account && account.suspendedAt !== null)
    throw invalid('accountId', 'This person is suspended. Choose somebody else.');
  if (!(await groups.makeOwner(accountId, group.id))) throw noMember();
  tellOwner(publish, group.id, accountId);
}

/** Makes somebody an owner in one's place. @throws ChatError 400 for oneself, 404 for somebody who is no member */
export async function transferOwnership(
  dependencies: RuleDependencies,
  open: OpenGroup,
  { accountId }: z.infer<typeof memberForm>,
): Promise<void> {
  const { groups, publish } = dependencies;
  const { account, group } = open;
  if (accountId === account.id) throw invalid('accountId', 'Choose somebody else to hand the group over to.');
  await makeOwner(dependencies, open, { accountId });
  if (await groups.removeOwner(account.id, group.id)) tellOwner(publish, group.id, account.id);
}

/** @throws ChatError 404 for somebody who is no owner, 409 for the last one */
export async function removeOwner(
  dependencies: RuleDependencies,
  { group }: OpenGroup,
  { accountId }: z.infer<typeof memberForm>,
): Promise<void> {
  const { groups, publish } = dependencies;
  if (!(await groups.owners(group.id)).includes(accountId)) throw noMember();
  await refuseWithoutOwner(dependencies, group.id, accountId);
  if (!(await groups.removeOwner(accountId, group.id))) throw lastOwner();
  tellOwner(publish, group.id, accountId);
}

/** @throws ChatError 409 where nobody is left who owns it and is not suspended */
export async function refuseWithoutOwner(
  { groups, accounts }: Pick<RuleDependencies, 'groups' | 'accounts'>,
  groupId: number,
  leavingId: number,
): Promise<void> {
  const owners = await groups.owners(groupId);
  const others = await Promise.all(owners.filter((id) => id !== leavingId).map((id) => accounts.byId(id)));
  if (others.length < owners.length && others.length > 0 && others.every((one) => one?.suspendedAt !== null))
    throw lastOwner();
}

function tellOwner(publish: Publish, groupId: number, accountId: number): void {
  publish(membershipsChanged, { groupId, accountIds: [accountId] });
  publish(ownersChanged, { groupId, accountId });
}

/** Ends somebody's membership, and their sockets at once. @throws ChatError 404 for no member, 409 for an owner */
export async function removeMember(
  { groups, joinRequests, publish }: RuleDependencies,
  { group }: OpenGroup,
  { accountId }: z.infer<typeof memberForm>,
): Promise<void> {
  if (!(await groups.leave(accountId, group.id, false))) {
    if (!(await groups.membership(accountId, group.id))) throw noMember();
    throw new ChatError('is_owner', 409, 'Owners are not removed. Make them a member first.');
  }
  await joinRequests.noteRemoved(group.id, accountId);
  publish(memberLeft, { groupId: group.id, accountId });
}

/**
 * Lets somebody in who asked, or not.
 * @throws ChatError 403 for an archived group, 404 for somebody who has not asked, 409 for somebody suspended
 */
export async function answerRequest(
  dependencies: RuleDependencies,
  { group }: OpenGroup,
  { accountId, accept }: z.infer<typeof answerForm>,
): Promise<void> {
  const { accounts, joinRequests, publish } = dependencies;
  const account = await accounts.byId(accountId);
  const refusal = accept ? refuseLettingIn(group, account) : undefined;
  if (refusal) throw refusal;
  if (!(await joinRequests.remove(group.id, accountId)))
    throw notFound('This person does not ask to join, or was answered already.');
  if (accept) await joinRequests.clearRemoval(group.id, accountId);
  if (accept && account) await addMember(dependencies, account, group);
  publish(joinRequestsChanged, { groupId: group.id });
}

export function lastOwner(): ChatError {
  return new ChatError('last_owner', 409, 'This is the last owner. Make somebody else one first.');
}

function noMember(): ChatError {
  return notFound('There is no such person in this group.');
}
