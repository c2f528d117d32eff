import type { RequestHandler } from 'express';
import type { Context } from '../context.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { bindOperations } from '../operations/define.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { identifyAccount, type SecondStep } from './access.ts';
import type { Admission } from './admission.ts';
import { browserLabel } from './browser-label.ts';
import { createDevices } from './devices.ts';
import { emailOperations } from './email-routes.ts';
import type { EmailStore } from './email-store.ts';
import { sessionOperations } from './end-sessions.ts';
import { sessionEnded } from './events.ts';
import { expireSessions } from './expire-sessions.ts';
import type { SignInLinkStore } from './link-store.ts';
import { accountRoutes } from './routes.ts';
import type { SessionListStore } from './session-list-store.ts';
import type { SessionStore } from './session-store.ts';
import { createSessions, type NoteSession } from './sessions.ts';
import { SignInLimits } from './sign-in-limits.ts';
import type { AccountStore } from './store.ts';

/** Sets up sessions, request identification and the account routes. */
export async function installAccounts(
  context: Context & {
    accounts: AccountStore;
    sessionStore: SessionStore;
    sessionList: SessionListStore;
    passwords: Passwords;
    signInLinks: SignInLinkStore;
    emails: EmailStore;
    secondFactors: SecondStep;
    siteSettings: SiteSettingsStore;
    hasFaces: boolean;
  },
) {
  const { accounts, sessionStore, sessionList, caches, config, secret, subscribeOwn, limits } = context;
  const cookieSecret = config.sessionSecret ?? (await secret('users', 'session-cookie')).toString('base64');
  const note: NoteSession = ({ headers, socket, arrival, session }, { account, sessionId }) =>
    sessionList.note(
      {
        sessionId,
        accountId: account.id,
        epoch: account.sessionEpoch,
        label: browserLabel(headers['user-agent']),
        // An upgrade request has not passed through the middleware that reads where it comes from.
        address: arrival?.address ?? socket.remoteAddress ?? '',
        isBrief: session?.isBrief,
      },
      Date.now(),
    );
  const opened = sessionStore.open(caches, (id) => sessionList.isListed(id));
  const sessions = createSessions(accounts, opened, caches, cookieSecret, note, context.siteSettings);
  subscribeOwn(sessionEnded, ({ sessionId }) => sessionList.remove(sessionId));
  expireSessions(context);
  const identify: RequestHandler = identifyAccount(sessions);
  const devices = createDevices(await secret('users', 'device-cookie'));
  const signInLimits = new SignInLimits(limits);
  const emails = bindOperations(emailOperations, { ...context, signInLimits }, limits, 'account');
  const operations = bindOperations(
    sessionOperations,
    { ...context, endSession: opened.end },
    limits,
    'account',
  );
  const startSession = sessions.start;
  const shared = {
    ...context,
    signInLimits,
    emailOperations: emails,
    devices,
    startSession,
    sessionOperations: operations,
  };
  const { adminUsername } = config;
  const session = sessions.middleware;
  return {
    devices,
    startSession,
    sessions,
    identify,
    sessionOperations: operations,
    emailOperations: emails,
    accountRoutes: (admission: Admission) => accountRoutes({ ...shared, admission, adminUsername, session }),
  };
}
