import type { Account } from '../accounts/store.ts';
import { ChatError, forbidden } from '../errors.ts';
import type { Group, Membership } from './group.ts';

// Who may do what with a group. Each refusal is undefined where it is allowed.

/** Who asks, in a group that they have opened; every OpenGroup is one. */
type Member = Readonly<{ group: Group; account: Account; membership: Membership }>;

/** Owners, and administrators who are members. A direct conversation has no owner. */
export function isOwner({ group, account, membership }: Member): boolean {
  return group.kind === 'group' && (membership.isOwner || account.isAdmin);
}

/** Whether somebody finds a group in lists: its members, and everybody but guests while it is open and in use. */
export function isListed(
  { access, archivedAt }: Pick<Group, 'access' | 'archivedAt'>,
  membership: Membership | undefined,
  { isGuest }: Pick<Account, 'isGuest'>,
): boolean {
  return membership !== undefined || (!isGuest && access === 'open' && archivedAt === null);
}

/** Owners and administrators change a group for everybody; a direct conversation has nothing to change. */
export function refuseSettings(open: Member): ChatError | undefined {
  return isOwner(open)
    ? undefined
    : forbidden('Only owners of this group, and administrators in it, can change that.');
}

/** An archived group is read only: nothing is sent, edited or reacted to. */
export function refuseArchived({ group }: { group: Pick<Group, 'archivedAt'> }): ChatError | undefined {
  return group.archivedAt === null ? undefined : forbidden('This group is archived: it can only be read.');
}

/** Nothing is removed while a group is on hold, whoever asks. */
export function refuseOnHold({ heldAt }: Pick<Group, 'heldAt'>): ChatError | undefined {
  return heldAt === null ? undefined : onHold();
}

export function onHold(): ChatError {
  return new ChatError(
    'on_hold',
    409,
    'This conversation is on hold: nothing in it can be removed until an administrator ends that.',
  );
}

/** Who sends messages and files. */
export function refuseWriting(open: Member): ChatError | undefined {
  const refusal = refuseArchived(open);
  if (refusal) return refusal;
  // An owner let the bot in, so that it writes here.
  if (open.group.posting === 'members' || isOwner(open) || open.account.isBot) return undefined;
  return forbidden('Only owners write in this group.');
}

/** Anybody joins an open group by themselves, unless an owner removed them from it. */
export function refuseJoining({ access, archivedAt }: Group, wasRemoved: boolean): ChatError | undefined {
  if (archivedAt !== null) return archived();
  if (wasRemoved) return removedByOwner();
  return access === 'open' ? undefined : closedGroup();
}

/** Owners let in who asks, while anybody can join and the person can be there. */
export function refuseLettingIn(
  { archivedAt }: Pick<Group, 'archivedAt'>,
  account: Pick<Account, 'suspendedAt'> | undefined,
): ChatError | undefined {
  if (archivedAt !== null) return archived();
  return account && account.suspendedAt !== null
    ? new ChatError('suspended', 409, 'This person is suspended. The request waits until that ends.')
    : undefined;
}

export function removedByOwner(): ChatError {
  return forbidden('An owner removed you from this group. Ask to join, and they will answer.');
}

/**
 * Whether it is the private line of somebody else, which administrators read, and their tokens with the scope `admin`.
 */
export function isLineOfOther({ lineOf }: Group, { id, isAdmin }: Pick<Account, 'id' | 'isAdmin'>): boolean {
  return lineOf !== null && lineOf !== id && !isAdmin;
}

function archived(): ChatError {
  return forbidden('This group is archived. Nobody joins it any more.');
}

export function closedGroup(): ChatError {
  return forbidden('This group is closed. Ask to join it, or ask one of its members for an invitation.');
}
