import { sessionEnded } from '../accounts/events.ts';
import type { Publish } from '../bus/bus.ts';
import { sessionIdOf } from './identify.ts';
import type { TokenStore } from './store.ts';

/** Ends a token, and the sockets that it opened. @returns false where the account has no such token */
export async function revokeToken(
  { tokenStore, publish }: { tokenStore: TokenStore; publish: Publish },
  accountId: number,
  tokenId: number,
): Promise<boolean> {
  if (!(await tokenStore.remove(accountId, tokenId))) return false;
  publish(sessionEnded, { accountId, sessionId: sessionIdOf(tokenId) });
  return true;
}
