import { type Request, type Response, Router } from 'express';
import { foldCase } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { ChatError } from '../errors.ts';
import type { Publish } from '../events.ts';
import { onRefusal } from '../http/failures.ts';
import { createRateLimit, type Rate } from '../http/rate-limit.ts';
import { addressOf, parseForm } from '../http/request.ts';
import { sendHtml, type Views } from '../http/views.ts';
import { accountOf, visitor } from './access.ts';
import { changePassword, passwordChange } from './change-password.ts';
import { sessionEnded } from './events.ts';
import { register, registration } from './register.ts';
import { endSession, startSession } from './sessions.ts';
import { credentials, signIn } from './sign-in.ts';
import type { AccountStore } from './store.ts';

const MINUTES = 60;
const HOURS = 60 * MINUTES;

/** Failed sign-ins count, successful ones clear the name. A class behind one address still gets in. */
const RATES = {
  failuresByName: { points: 10, seconds: 15 * MINUTES, sentence: 'Too many tries for this name.' },
  failuresByAddress: { points: 60, seconds: 15 * MINUTES, sentence: 'Too many tries from your address.' },
  registrationsByName: { points: 10, seconds: 15 * MINUTES, sentence: 'Too many tries for this name.' },
  registrationsByAddress: {
    points: 60,
    seconds: HOURS,
    sentence: 'Too many new accounts from your address.',
  },
} satisfies Record<string, Rate>;

type Dependencies = {
  views: Views;
  accounts: AccountStore;
  passwords: Passwords;
  publish: Publish;
  adminUsername: string | undefined;
  rateLimits: boolean;
};

/** Registration, sign-in and sign-out, and one's own account. */
export function accountRoutes(dependencies: Dependencies): Router {
  const { views, accounts, passwords, publish, rateLimits } = dependencies;
  const limit = (rate: Rate) => createRateLimit(rate, rateLimits);
  const failuresByName = limit(RATES.failuresByName);
  const failuresByAddress = limit(RATES.failuresByAddress);
  const registrationsByName = limit(RATES.registrationsByName);
  const registrationsByAddress = limit(RATES.registrationsByAddress);

  /** The form, again with what was typed (never a password) when it is refused. */
  function form(request: Request, template: string, error?: ChatError): string {
    const typed: unknown = request.body?.username;
    return views.page(request, template, {
      error: error ?? null,
      username: typeof typed === 'string' ? typed.slice(0, 200) : '',
      account: visitor(request) ?? null,
      changed: request.query.changed === 'password',
    });
  }

  const show = (template: string) => (request: Request, response: Response) => {
    if (visitor(request)) return response.redirect(303, '/');
    sendHtml(response, form(request, template));
  };

  return Router()
    .get('/register', show('accounts/register.njk'))
    .get('/login', show('accounts/sign-in.njk'))
    .get('/account', (request, response) => {
      accountOf(request);
      sendHtml(response, form(request, 'accounts/account.njk'));
    })
    .post('/register', async (request, response) => {
      onRefusal(response, (error) => form(request, 'accounts/register.njk', error));
      const wanted = parseForm(registration, request.body);
      await registrationsByAddress.take(addressOf(request.socket));
      await registrationsByName.take(foldCase(wanted.username));
      const account = await register(dependencies, wanted);
      await startSession(request, account);
      response.redirect(303, '/');
    })
    .post('/login', async (request, response) => {
      onRefusal(response, (error) => form(request, 'accounts/sign-in.njk', error));
      const given = parseForm(credentials, request.body);
      const name = foldCase(given.username);
      const address = addressOf(request.socket);
      // Points are taken before the password is looked at, so that many tries at once count as many.
      await failuresByAddress.take(address);
      await failuresByName.take(name);
      const account = await signIn({ accounts, passwords }, given);
      await Promise.all([failuresByAddress.giveBack(address), failuresByName.forget(name)]);
      await startSession(request, account);
      response.redirect(303, '/');
    })
    .post('/logout', async (request, response) => {
      const account = visitor(request);
      const sessionId = request.sessionID;
      await endSession(request);
      if (account) publish(sessionEnded, { accountId: account.id, sessionId });
      response.redirect(303, '/login');
    })
    .post('/account/password', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => form(request, 'accounts/account.njk', error));
      const change = parseForm(passwordChange, request.body);
      await failuresByName.take(`change/${account.id}`);
      const sessionEpoch = await changePassword({ accounts, passwords, publish }, account, change);
      await failuresByName.forget(`change/${account.id}`);
      await startSession(request, { id: account.id, sessionEpoch });
      response.redirect(303, '/account?changed=password');
    });
}
