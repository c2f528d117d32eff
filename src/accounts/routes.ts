import { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { Publish } from '../bus/bus.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { LANGUAGES } from '../engines/speech/languages.ts';
import { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { ownPath, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import type { Mailer } from '../mail/mailer.ts';
import { type BoundOperation, parseInput } from '../operations/define.ts';
import {
  accountOf,
  cookieSource,
  enter,
  enterInSteps,
  type SecondStep,
  signedInOf,
  visitor,
} from './access.ts';
import type { Admission } from './admission.ts';
import { changePassword, passwordChange } from './change-password.ts';
import type { Devices } from './devices.ts';
import { emailRoutes } from './email-routes.ts';
import type { EmailStore } from './email-store.ts';
import { sessionEnded } from './events.ts';
import { linkRoutes } from './link-routes.ts';
import type { SignInLinkStore } from './link-store.ts';
import { register, registration } from './register.ts';
import type { SessionListStore } from './session-list-store.ts';
import { sessionRoutes } from './session-routes.ts';
import { endSession, type Sessions, type SignedIn } from './sessions.ts';
import { credentials, signIn } from './sign-in.ts';
import { SignInLimits } from './sign-in-limits.ts';
import type { AccountStore } from './store.ts';

type Dependencies = {
  views: Views;
  devices: Devices;
  startSession: Sessions['start'];
  secondFactors: SecondStep;
  accounts: AccountStore;
  passwords: Passwords;
  publish: Publish;
  adminUsername: string | undefined;
  admission: Admission;
  /** Whether this server can check faces. */
  hasFaces: boolean;
  signInLinks: SignInLinkStore;
  sessionList: SessionListStore;
  sessionOperations: readonly BoundOperation<SignedIn>[];
  limits: Limits;
  emails: EmailStore;
  signInLimits: SignInLimits;
  mailer: Mailer | undefined;
  emailOperations: readonly BoundOperation<SignedIn>[];
  report(error: unknown): void;
  /** Puts `request.session` in place. */
  session: RequestHandler;
};

/** Registration, sign-in and sign-out, and one's own account. */
export function accountRoutes(dependencies: Dependencies): Router {
  const show = (template: string) => async (request: Request, response: Response) => {
    if (visitor(request)) return seeOther(response, ownPath(request.query.next));
    sendHtml(response, await form(dependencies, request, template));
  };
  return Router()
    .get('/register', show('accounts/register.njk'))
    .get('/login', show('accounts/sign-in.njk'))
    .get('/account', async (request, response) => {
      accountOf(request);
      sendHtml(response, await form(dependencies, request, 'accounts/account.njk'));
    })
    .use(signInRoutes(dependencies), linkRoutes(dependencies), sessionRoutes(dependencies))
    .use(emailRoutes(dependencies), emailForms(dependencies));
}

/** The form of one's own address. */
function emailForms(dependencies: Dependencies): Router {
  const { emailOperations } = dependencies;
  return formsOf(emailOperations, {
    targetOf: signedInOf,
    pageOfRefusal: (request) => (error) =>
      form(dependencies, request, 'accounts/account.njk', ofEmailForm(error)),
    next: () => '/account?changed=email',
  });
}

/** The form of the password, on the same page, has a field of this name, too. */
function ofEmailForm(error: ChatError): ChatError {
  const { code, status, message, field, retryAfter } = error;
  return field === 'password' ? new ChatError(code, status, message, 'emailPassword', retryAfter) : error;
}

/** The forms that begin and end sessions. */
function signInRoutes(dependencies: Dependencies): Router {
  const { accounts, devices, passwords, publish, session, startSession } = dependencies;
  const limits = new SignInLimits(dependencies.limits);
  const refuse = (request: Request, response: Response, template: string) =>
    onRefusal(response, (error) => form(dependencies, request, template, error));

  async function deviceOf(request: Request, username: string) {
    const account = await accounts.byName(username.normalize('NFC'));
    const id = account && devices.idFor(cookieSource(request), account.id);
    return account && id !== undefined ? { id, accountId: account.id } : undefined;
  }

  return Router()
    .post('/register', session, async (request, response) => {
      refuse(request, response, 'accounts/register.njk');
      const wanted = parseInput(registration, request.body);
      await limits.countRegistration(request.arrival.address, wanted.username);
      if (request.body.face === 'yes')
        request.body.next = `/account/face?next=${encodeURIComponent(ownPath(request.body.next))}`;
      await enter(dependencies, request, response, await register(dependencies, wanted));
    })
    .post('/login', session, async (request, response) => {
      refuse(request, response, 'accounts/sign-in.njk');
      const given = parseInput(credentials, request.body);
      const device = await deviceOf(request, given.username);
      const clearFailures = await limits.countSignIn(request.arrival.address, given.username, device);
      const account = await signIn({ accounts, passwords }, given);
      await clearFailures();
      await enterInSteps(dependencies, request, response, account);
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
      const clearFailures = await limits.countPasswordAttempt(account.id);
      const sessionEpoch = await changePassword(dependencies, account, change);
      await clearFailures();
      await startSession(request, { id: account.id, sessionEpoch }, !request.session.isBrief);
      seeOther(response, '/account?changed=password');
    });
}

type FormDependencies = Pick<
  Dependencies,
  'views' | 'admission' | 'adminUsername' | 'emails' | 'mailer' | 'hasFaces'
>;

/** Renders the form; after a refusal it keeps the submitted username, but never a password. */
async function form(
  { views, admission, adminUsername, emails, mailer, hasFaces }: FormDependencies,
  request: Request,
  template: string,
  error?: ChatError,
): Promise<Html> {
  const typed: unknown = request.body?.username;
  const code: unknown = request.body?.code ?? request.query.code;
  const account = visitor(request);
  const typedEmail = z.string().max(254).safeParse(request.body?.email).data;
  return views.page(request, template, {
    error: error ?? null,
    username: typeof typed === 'string' ? typed.slice(0, 200) : '',
    code: typeof code === 'string' ? code.slice(0, 500) : '',
    stays: request.body?.stay !== 'no',
    hasFaces,
    wantsFace: request.body?.face === 'yes',
    asks: await admission.asks(),
    isAdmins: adminUsername === undefined,
    email: typedEmail ?? (account && (await emails.of(account.id))) ?? '',
    sendsMail: mailer !== undefined,
    next: ownPath(request.body?.next ?? request.query.next),
    account: account ?? null,
    line: account?.line ?? '',
    displayName: account?.displayName ?? '',
    languages: LANGUAGES,
    changed: typeof request.query.changed === 'string' ? request.query.changed : null,
  });
}
