import type { RequestHandler } from 'express';
import type { Context } from '../context.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { identifyAccount } from './access.ts';
import type { Admission } from './admission.ts';
import { createDevices } from './devices.ts';
import type { SignInLinkStore } from './link-store.ts';
import { accountRoutes } from './routes.ts';
import type { SessionStore } from './session-store.ts';
import { createSessions } from './sessions.ts';
import type { AccountStore } from './store.ts';

/** Sets up sessions, request identification and the account routes. */
export async function installAccounts(
  context: Context & {
    accounts: AccountStore;
    sessionStore: SessionStore;
    passwords: Passwords;
    signInLinks: SignInLinkStore;
  },
) {
  const { accounts, sessionStore, caches, config, secret } = context;
  const cookieSecret = config.sessionSecret ?? (await secret('users', 'session-cookie')).toString('base64');
  const sessions = createSessions(accounts, sessionStore.open(caches), caches, cookieSecret);
  const identify: RequestHandler = identifyAccount(sessions);
  const devices = createDevices(await secret('users', 'device-cookie'));
  const { adminUsername } = config;
  const session = sessions.middleware;
  return {
    sessions,
    identify,
    accountRoutes: (admission: Admission) =>
      accountRoutes({ ...context, admission, devices, adminUsername, session }),
  };
}
