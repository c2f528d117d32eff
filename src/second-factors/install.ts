import type { EnterDependencies } from '../accounts/access.ts';
import type { Sessions } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { secondFactorRoutes } from './routes.ts';
import type { SecondFactorStore } from './store.ts';

/** An authenticator app as the second step of signing in. */
export function installSecondFactors(
  context: Context &
    EnterDependencies & {
      accounts: AccountStore;
      sessions: Sessions;
      secondFactors: SecondFactorStore;
      passwords: Passwords;
    },
) {
  return { secondFactorRoutes: secondFactorRoutes({ ...context, session: context.sessions.middleware }) };
}
