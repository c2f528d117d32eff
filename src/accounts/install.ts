import type { RequestHandler } from 'express';
import type { Context } from '../context.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { identifyAccount } from './access.ts';
import { createDevices } from './devices.ts';
import { accountRoutes } from './routes.ts';
import type { SessionStore } from './session-store.ts';
import { createSessions } from './sessions.ts';
import type { AccountStore } from './store.ts';

/** Sets up sessions, request identification and the account routes. */
export async function installAccounts(
  context: Context & { accounts: AccountStore; sessionStore: SessionStore; passwords: Passwords },
) {
  const { accounts, sessionStore, caches, config, secret } = context;
  const cookieSecret = config.sessionSecret ?? (await secret('users', 'session-cookie')).toString('base64');
  const sessions = createSessions(accounts, sessionStore.open(caches), caches, cookieSecret);
  const identify: RequestHandler = identifyAccount(sessions);
  const devices = createDevices(await secret('users', 'device-cookie'));
  const { adminUsername } = config;
  const routes = accountRoutes({ ...context, devices, adminUsername, session: sessions.middleware });
  return { sessions, identify, accountRoutes: routes };
}
