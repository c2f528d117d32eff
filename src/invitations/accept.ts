import type { Account, AccountStore } from '../accounts/store.ts';
import { ChatError } from '../errors.ts';
import type { Group } from '../groups/group.ts';
import { type JoinDependencies, joinInvitedGroup } from '../groups/join.ts';
import { removedByOwner } from '../groups/policies.ts';
import type { GroupStore } from '../groups/store.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { readCode } from './codes.ts';
import { refuseInvite } from './policies.ts';
import type { Invitation, InvitationStore } from './store.ts';

export type AcceptDependencies = JoinDependencies & {
  invitations: InvitationStore;
  accounts: AccountStore;
  siteSettings: SiteSettingsStore;
};

type UseDependencies = Pick<AcceptDependencies, 'invitations' | 'accounts' | 'siteSettings'>;

/** The same for a code that never was, so that nobody learns which ones were. */
export function notUsable(): ChatError {
  return new ChatError(
    'invitation_used',
    404,
    'This invitation is not valid, or not any more. Ask for a new one.',
    'code',
  );
}

/**
 * The invitation with a code, without using it.
 * @param account who asks, if they have an account: whoever used it before may open it again
 * @throws ChatError 404 where it cannot be used
 */
export async function usableInvitation(
  { invitations, accounts, siteSettings }: UseDependencies,
  code: string,
  account: Account | undefined,
  now = Date.now(),
): Promise<Invitation> {
  const invitation = await invitations.byCode(readCode(code));
  if (!invitation || invitation.revokedAt !== null) throw notUsable();
  const creator = await accounts.byId(invitation.creatorId);
  if (creator?.suspendedAt !== null || refuseInvite(creator, await siteSettings.read())) throw notUsable();
  const { expiresAt, maxUses, uses } = invitation;
  if (expiresAt !== null && expiresAt <= now) throw notUsable();
  if (account && (await invitations.isUsedBy(invitation.id, account.id))) return invitation;
  if (maxUses !== null && uses >= maxUses) throw notUsable();
  return invitation;
}

/**
 * Uses an invitation for an account that there is, once however often it is accepted.
 * @returns the first group that it opens
 * @throws ChatError 404 where it cannot be used
 */
export async function acceptInvitation(
  dependencies: AcceptDependencies,
  account: Account,
  code: string,
  now = Date.now(),
): Promise<number | undefined> {
  const invitation = await usableInvitation(dependencies, code, account, now);
  const opened = await openedFor(dependencies, invitation, account);
  if (!(await dependencies.invitations.spend(invitation.id, account.id, now))) throw notUsable();
  await joinInvited(dependencies, invitation, account);
  return opened[0];
}

/**
 * Declines an invitation that was sent by e-mail: its link is all that it takes, with or without an account.
 * @throws ChatError 404 where it cannot be used, or is a link for many
 */
export async function declineInvitation(
  dependencies: UseDependencies,
  code: string,
  now = Date.now(),
): Promise<void> {
  const invitation = await usableInvitation(dependencies, code, undefined, now);
  if (!(await dependencies.invitations.decline(invitation.id, now))) throw notUsable();
}

/**
 * The groups that it opens to somebody, also those that they are in. It takes no use where that are none of several.
 * @throws ChatError 403 where owners removed them, 404 where its groups are archived, or whoever made it has left them
 */
async function openedFor(
  { groups, joinRequests }: AcceptDependencies,
  invitation: Invitation,
  { id: accountId }: Account,
): Promise<number[]> {
  const opening = new Set((await groupsOpenedBy(groups, invitation)).map(({ id }) => id));
  const opened: number[] = [];
  let isRemoved = false;
  for (const id of invitation.groupIds) {
    const wasRemoved = await joinRequests.wasRemoved(id, accountId);
    isRemoved ||= wasRemoved;
    if ((opening.has(id) && !wasRemoved) || (await groups.membership(accountId, id))) opened.push(id);
  }
  if (invitation.groupIds.length > 0 && opened.length === 0) throw isRemoved ? removedByOwner() : notUsable();
  return opened;
}

/** Whether it lets people into a group now. */
export async function opensAny(groups: GroupStore, invitation: Invitation): Promise<boolean> {
  return (await groupsOpenedBy(groups, invitation)).length > 0;
}

/** Joins the groups of an invitation that whoever made it is still in. */
export async function joinInvited(
  dependencies: JoinDependencies,
  invitation: Invitation,
  account: Account,
): Promise<void> {
  const now = Date.now();
  // The group that was last read is the one that is shown first: the first of them.
  for (const [index, group] of (await groupsOpenedBy(dependencies.groups, invitation)).entries())
    await joinInvitedGroup(dependencies, account, group, now - index);
}

/** The groups of an invitation into which it lets people now. */
export async function groupsOpenedBy(
  groups: GroupStore,
  { groupIds, creatorId }: Pick<Invitation, 'groupIds' | 'creatorId'>,
): Promise<Group[]> {
  const opened: Group[] = [];
  for (const group of (await groups.byIds(groupIds)).values())
    if (group.archivedAt === null && (await groups.membership(creatorId, group.id))) opened.push(group);
  return opened;
}
