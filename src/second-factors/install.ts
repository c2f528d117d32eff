import type { EnterDependencies } from '../accounts/access.ts';
import type { Sessions } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import { createBlindIndex } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { bindOperations } from '../operations/define.ts';
import { passkeyOperations } from './operations.ts';
import { passkeyRoutes } from './passkey-routes.ts';
import type { PasskeyStore } from './passkey-store.ts';
import { secondFactorRoutes } from './routes.ts';
import type { SecondFactorStore } from './store.ts';

/** An authenticator app as the second step of signing in, and passkeys, which stand for both. */
export async function installSecondFactors(
  context: Context &
    EnterDependencies & {
      accounts: AccountStore;
      sessions: Sessions;
      secondFactors: SecondFactorStore;
      passwords: Passwords;
      passkeys: PasskeyStore;
    },
) {
  const session = context.sessions.middleware;
  const index = createBlindIndex(await context.secret('users', 'passkey-users'));
  const operations = bindOperations(passkeyOperations, context, context.limits);
  return {
    passkeyOperations: operations,
    secondFactorRoutes: [
      secondFactorRoutes({ ...context, session }),
      passkeyRoutes({ ...context, session, index, operations }),
    ],
  };
}
