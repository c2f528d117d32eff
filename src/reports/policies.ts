import type { Account } from '../accounts/store.ts';
import { type ChatError, forbidden, notFound } from '../errors.ts';
import type { Membership } from '../groups/group.ts';
import type { Message } from '../messages/message.ts';

// Who reports and who answers. Each returns undefined, or the refusal.

export function refuseReport(account: Account, message: Message): ChatError | undefined {
  return message.authorId === account.id
    ? forbidden('You wrote this message. Remove it instead.')
    : undefined;
}

/**
 * Administrators answer every report: whoever reports a message shows it to them. Owners answer those of their groups.
 * Nobody answers for what they wrote: for them, there is no such report.
 */
export function refuseAnswer(
  account: Account,
  membership: Membership | undefined,
  message: Message | undefined,
): ChatError | undefined {
  if (!account.isAdmin && !membership?.isOwner)
    return forbidden('Only administrators, and owners of the group, answer reports.');
  return message?.authorId === account.id ? notFound('There is no such report.') : undefined;
}
