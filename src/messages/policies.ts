import type { Account } from '../accounts/store.ts';
import { type ChatError, forbidden } from '../errors.ts';
import type { Group, Membership } from '../groups/group.ts';
import { isOwner, refuseArchived, refuseOnHold, refuseWriting } from '../groups/policies.ts';
import { spokenIn } from '../recordings/recording.ts';
import type { Message } from './message.ts';

// Who may do what with a message. Each returns undefined, or the refusal. Members may do what has no rule here.

/** Who asks, and where: a member of the group. */
export type Actor = Readonly<{ account: Account; group: Group; membership: Membership }>;

/** @property editLimitMs how long after it was sent a message may be changed; undefined is without limit */
export type Limits = Readonly<{ editLimitMs: number | undefined; now?: number }>;

/** Any member. */
export function allowMembers(): undefined {}

/** The author edits a message; any member edits a transcript where the group allows it; both within the time limit. */
export function refuseEdit(actor: Actor, message: Message, limits: Limits): ChatError | undefined {
  const { account, group } = actor;
  // An edit writes as a new message does.
  const refusal = refuseWriting(actor);
  if (refusal) return refusal;
  const voice = spokenIn(message.files)?.voice;
  const isSharedTranscript = voice !== undefined && !voice.isTyped && group.corrections === 'members';
  if (message.authorId !== account.id && !isSharedTranscript)
    return forbidden('Only its author can edit a message.');
  return isTooOld(message, limits) ? tooOld('edited') : undefined;
}

/**
 * The author removes a message within the time limit, and not in an archived group; owners of the group and
 * administrators in it remove it at any time. Nobody does in a group on hold.
 */
export function refuseRemoval(actor: Actor, message: Message, limits: Limits): ChatError | undefined {
  const { account } = actor;
  const onHold = refuseOnHold(actor.group);
  if (onHold) return onHold;
  if (account.isAdmin || isOwner(actor)) return undefined;
  if (message.authorId !== account.id)
    return forbidden('Only its author, an owner of the group or an administrator can remove a message.');
  return refuseArchived(actor) ?? (isTooOld(message, limits) ? tooOld('removed') : undefined);
}

function isTooOld({ createdAt }: Message, { editLimitMs, now = Date.now() }: Limits): boolean {
  return editLimitMs !== undefined && now - createdAt > editLimitMs;
}

function tooOld(act: 'edited' | 'removed'): ChatError {
  return forbidden(`This message is too old to be ${act}. Write a new one instead.`);
}
