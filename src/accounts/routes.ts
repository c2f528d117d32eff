import { type Request, type Response, Router } from 'express';
import { foldCase } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { ChatError } from '../errors.ts';
import type { Publish } from '../events.ts';
import { onRefusal } from '../http/failures.ts';
import { createRateLimit, type Rate } from '../http/rate-limit.ts';
import { parseForm, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import { accountOf, visitor } from './access.ts';
import { changePassword, passwordChange } from './change-password.ts';
import { sessionEnded } from './events.ts';
import { register, registration } from './register.ts';
import { endSession, startSession } from './sessions.ts';
import { credentials, signIn } from './sign-in.ts';
import type { Account, AccountStore } from './store.ts';

const MINUTES = 60;
const HOURS = 60 * MINUTES;

/**
 * Failed sign-ins count, successful ones clear the name. A class behind one address still gets in, and a name is
 * counted for each address by itself, so that a stranger cannot lock somebody out; for all of them together it has a
 * ceiling that guessing from many addresses meets.
 */
const RATES = {
  failuresByName: { points: 10, seconds: 15 * MINUTES, sentence: 'Too many tries for this name.' },
  failuresByNameAnywhere: { points: 100, seconds: 15 * MINUTES, sentence: 'Too many tries for this name.' },
  wrongPasswords: { points: 10, seconds: 15 * MINUTES, sentence: 'Too many tries.' },
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
  const failuresByNameAnywhere = limit(RATES.failuresByNameAnywhere);
  const failuresByAddress = limit(RATES.failuresByAddress);
  const wrongPasswords = limit(RATES.wrongPasswords);
  const registrationsByName = limit(RATES.registrationsByName);
  const registrationsByAddress = limit(RATES.registrationsByAddress);

  /** The form, again with what was typed (never a password) when it is refused. */
  function form(request: Request, template: string, error?: ChatError): Html {
    const typed: unknown = request.body?.username;
    return views.page(request, template, {
      error: error ?? null,
      username: typeof typed === 'string' ? typed.slice(0, 200) : '',
      account: visitor(request) ?? null,
      line: visitor(request)?.line ?? '',
      changed: typeof request.query.changed === 'string' ? request.query.changed : null,
    });
  }

  /** Whoever comes in where somebody was signed in ends that session, sockets and all. */
  async function enter(request: Request, account: Account): Promise<void> {
    const before = visitor(request);
    const sessionId = request.sessionID;
    await startSession(request, account);
    if (before) publish(sessionEnded, { accountId: before.id, sessionId });
  }

  const show = (template: string) => (request: Request, response: Response) => {
    if (visitor(request)) return seeOther(response, '/');
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
      await registrationsByAddress.take(request.arrival.address);
      await registrationsByName.take(foldCase(wanted.username));
      const account = await register(dependencies, wanted);
      await enter(request, account);
      seeOther(response, '/');
    })
    .post('/login', async (request, response) => {
      onRefusal(response, (error) => form(request, 'accounts/sign-in.njk', error));
      const given = parseForm(credentials, request.body);
      const name = foldCase(given.username);
      const address = request.arrival.address;
      // Points are taken before the password is looked at, so that many tries at once count as many.
      await failuresByAddress.take(address);
      await failuresByName.take(`${address} ${name}`);
      await failuresByNameAnywhere.take(name);
      const account = await signIn({ accounts, passwords }, given);
      await failuresByAddress.giveBack(address);
      await failuresByNameAnywhere.giveBack(name);
      await failuresByName.forget(`${address} ${name}`);
      await enter(request, account);
      seeOther(response, '/');
    })
    .post('/logout', async (request, response) => {
      const account = visitor(request);
      const sessionId = request.sessionID;
      await endSession(request);
      if (account) publish(sessionEnded, { accountId: account.id, sessionId });
      seeOther(response, '/login');
    })
    .post('/account/password', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => form(request, 'accounts/account.njk', error));
      const change = parseForm(passwordChange, request.body);
      await wrongPasswords.take(String(account.id));
      const sessionEpoch = await changePassword({ accounts, passwords, publish }, account, change);
      await wrongPasswords.forget(String(account.id));
      await startSession(request, { id: account.id, sessionEpoch });
      seeOther(response, '/account?changed=password');
    });
}
