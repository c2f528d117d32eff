import type { AccountStore } from '../accounts/store.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import type { Webhook } from './webhook.ts';

export type BlockReasonDependencies = { accounts: AccountStore; joinRequests: JoinRequestStore };

/**
 * Why a webhook is told of nothing and posts nothing, as a sentence for the owners; undefined where it works. Whoever
 * left, or deleted the account, has left what they added to the other owners. Whoever was removed still knows its
 * address or its secret.
 */
export async function blockReason(
  { accounts, joinRequests }: BlockReasonDependencies,
  { accountId, creatorId, groupId }: Webhook,
): Promise<string | undefined> {
  const bot = await accounts.byId(accountId);
  if (bot?.suspendedAt !== null) return 'Its bot is suspended.';
  const creator = await accounts.byId(creatorId);
  if (creator && creator.suspendedAt !== null) return `It does nothing while ${creator.name} is suspended.`;
  if (await joinRequests.wasRemoved(groupId, creatorId))
    return 'It does nothing, as whoever made it was removed from the group. Remove it, and make a new one.';
  return undefined;
}
