import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Publish } from '../bus/bus.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { LANGUAGES } from '../engines/speech/languages.ts';
import type { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { ownPath, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { accountOf, visitor } from './access.ts';
import { changePassword, passwordChange } from './change-password.ts';
import type { Devices } from './devices.ts';
import { sessionEnded } from './events.ts';
import { register, registration } from './register.ts';
import { endSession, startSession } from './sessions.ts';
import { credentials, signIn } from './sign-in.ts';
import { SignInLimits } from './sign-in-limits.ts';
import type { Account, AccountStore } from './store.ts';

const ONE_YEAR_MS = 365 * 24 * 3_600_000;

type Dependencies = {
  views: Views;
  devices: Devices;
  accounts: AccountStore;
  passwords: Passwords;
  publish: Publish;
  adminUsername: string | undefined;
  limits: Limits;
  /** Puts `request.session` in place. */
  session: RequestHandler;
};

/** Registration, sign-in and sign-out, and one's own account. */
export function accountRoutes(dependencies: Dependencies): Router {
  const { views } = dependencies;
  const show = (template: string) => (request: Request, response: Response) => {
    if (visitor(request)) return seeOther(response, ownPath(request.query.next));
    sendHtml(response, form(views, request, template));
  };
  return Router()
    .get('/register', show('accounts/register.njk'))
    .get('/login', show('accounts/sign-in.njk'))
    .get('/account', (request, response) => {
      accountOf(request);
      sendHtml(response, form(views, request, 'accounts/account.njk'));
    })
    .use(sessionRoutes(dependencies));
}

/** The forms that begin and end sessions. */
function sessionRoutes(dependencies: Dependencies): Router {
  const { views, accounts, devices, passwords, publish, session } = dependencies;
  const limits = new SignInLimits(dependencies.limits);
  const refuse = (request: Request, response: Response, template: string) =>
    onRefusal(response, (error) => form(views, request, template, error));

  async function deviceOf(request: Request, username: string) {
    const account = await accounts.byName(username.normalize('NFC'));
    const id = account && devices.idFor(asker(request), account.id);
    return account && id !== undefined ? { id, accountId: account.id } : undefined;
  }

  return Router()
    .post('/register', session, async (request, response) => {
      refuse(request, response, 'accounts/register.njk');
      const wanted = parseInput(registration, request.body);
      await limits.takeRegistration(request.arrival.address, wanted.username);
      await enter(dependencies, request, response, await register(dependencies, wanted));
    })
    .post('/login', session, async (request, response) => {
      refuse(request, response, 'accounts/sign-in.njk');
      const given = parseInput(credentials, request.body);
      const device = await deviceOf(request, given.username);
      const takeBack = await limits.takeSignIn(request.arrival.address, given.username, device);
      const account = await signIn({ accounts, passwords }, given);
      await takeBack();
      await enter(dependencies, request, response, account);
    })
    .post('/logout', session, async (request, response) => {
      const account = visitor(request);
      const sessionId = request.sessionID;
      await endSession(request);
      if (account) publish(sessionEnded, { accountId: account.id, sessionId });
      seeOther(response, '/login');
    })
    .post('/account/password', session, async (request, response) => {
      const account = accountOf(request);
      refuse(request, response, 'accounts/account.njk');
      const change = parseInput(passwordChange, request.body);
      const forgetFailures = await limits.takePassword(account.id);
      const sessionEpoch = await changePassword({ accounts, passwords, publish }, account, change);
      await forgetFailures();
      await startSession(request, { id: account.id, sessionEpoch });
      seeOther(response, '/account?changed=password');
    });
}

/** Renders the form; after a refusal it keeps the submitted username, but never a password. */
function form(views: Views, request: Request, template: string, error?: ChatError): Html {
  const typed: unknown = request.body?.username;
  const account = visitor(request);
  return views.page(request, template, {
    error: error ?? null,
    username: typeof typed === 'string' ? typed.slice(0, 200) : '',
    next: ownPath(request.body?.next ?? request.query.next),
    account: account ?? null,
    line: account?.line ?? '',
    displayName: account?.displayName ?? '',
    languages: LANGUAGES,
    changed: typeof request.query.changed === 'string' ? request.query.changed : null,
  });
}

/**
 * Starts a session and adds the account to the device cookie. Ends the previous session of this browser, and its
 * sockets.
 */
async function enter(
  { devices, publish }: Dependencies,
  request: Request,
  response: Response,
  account: Account,
): Promise<void> {
  const before = visitor(request);
  const sessionId = request.sessionID;
  await startSession(request, account);
  if (before) publish(sessionEnded, { accountId: before.id, sessionId });
  const { name, value } = devices.cookieFor(asker(request), account.id);
  const secure = request.arrival.isSecure;
  response.cookie(name, value, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: ONE_YEAR_MS });
  seeOther(response, ownPath(request.body?.next));
}

function asker({ headers, arrival }: Request) {
  return { cookies: headers.cookie, isSecure: arrival.isSecure };
}
