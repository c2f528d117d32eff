import type { EnterDependencies } from '../accounts/access.ts';
import type { Sessions } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import { createBlindIndex } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { FaceEngine } from '../engines/faces/engine.ts';
import { bindOperations } from '../operations/define.ts';
import { faceRoutes } from './face-routes.ts';
import { passkeyOperations } from './operations.ts';
import { passkeyRoutes } from './passkey-routes.ts';
import type { PasskeyStore } from './passkey-store.ts';
import { secondFactorRoutes } from './routes.ts';
import type { SecondFactorStore } from './store.ts';

/** An authenticator app or a face as the second step of signing in, and passkeys, which stand for both steps. */
export async function installSecondFactors(
  context: Context &
    EnterDependencies & {
      accounts: AccountStore;
      sessions: Sessions;
      secondFactors: SecondFactorStore;
      passwords: Passwords;
      passkeys: PasskeyStore;
      faces: FaceEngine | undefined;
    },
) {
  const session = context.sessions.middleware;
  const people = await context.secondFactors.countLostFaces(context.faces?.name);
  if (people > 0)
    context.log.warn({ people }, 'these people signed in with their face, and now need a recovery code');
  const index = createBlindIndex(await context.secret('users', 'passkey-users'));
  context.atStop(() => context.faces?.close());
  const operations = bindOperations(passkeyOperations, context, context.limits, 'account');
  return {
    passkeyOperations: operations,
    secondFactorRoutes: [
      secondFactorRoutes({ ...context, session }),
      faceRoutes({ ...context, session }),
      passkeyRoutes({ ...context, session, index, operations }),
    ],
  };
}
