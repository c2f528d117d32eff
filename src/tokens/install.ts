import { otherSessionsEnded, sessionEnded } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { bindOperations } from '../operations/define.ts';
import { createTokens, sessionIdOf, tokenIn } from './identify.ts';
import { tokenOperations } from './operations.ts';
import { tokenRoutes } from './routes.ts';
import type { TokenStore } from './store.ts';

const SWEEP_MS = 3_600_000;

/** What programs sign in with. */
export async function installTokens(
  context: Context & { accounts: AccountStore; tokenStore: TokenStore; passwords: Passwords },
) {
  const { accounts, tokenStore, report, atStop } = context;
  const tokens = createTokens(accounts, tokenStore, await context.secret('users', 'api-tokens'));
  const sweep = () => tokenStore.removeVoid(Date.now()).catch(report);
  const timer = setInterval(sweep, SWEEP_MS).unref();
  atStop(() => clearInterval(timer));
  context.subscribeOwn(otherSessionsEnded, async ({ accountId, sessionId }) => {
    for (const id of await tokenStore.removeOthers(accountId, tokenIn(sessionId)))
      context.publish(sessionEnded, { accountId, sessionId: sessionIdOf(id) });
  });
  const operations = bindOperations(tokenOperations, context, context.limits, 'account');
  return {
    tokens,
    tokenOperations: operations,
    tokenRoutes: tokenRoutes({ ...context, tokens, operations }),
  };
}
