import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Publish } from '../bus/bus.ts';
import { foldCase } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { LANGUAGES } from '../engines/speech/languages.ts';
import type { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { ownPath, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits, Rate } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { accountOf, visitor } from './access.ts';
import { changePassword, passwordChange } from './change-password.ts';
import type { Devices } from './devices.ts';
import { sessionEnded } from './events.ts';
import { register, registration } from './register.ts';
import { endSession, startSession } from './sessions.ts';
import { credentials, signIn } from './sign-in.ts';
import type { Account, AccountStore } from './store.ts';

const MINUTES = 60;
const HOURS = 60 * MINUTES;
const ONE_YEAR_MS = 365 * 24 * HOURS * 1_000;

/**
 * Failed sign-ins count, successful ones clear the name. A device on which somebody has signed in before has a budget of
 * its own: nobody else locks them out there. Elsewhere a name is counted for each address by itself, and for all of them
 * together it has a ceiling that guessing from many addresses meets. Past its own ceiling an address is left two tries
 * for each name, so that a school behind one address is not locked out by one pupil.
 */
const RATES = {
  failuresByDevice: {
    name: 'failuresByDevice',
    points: 10,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  failuresByName: {
    name: 'failuresByName',
    points: 10,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  failuresByNameAnywhere: {
    name: 'failuresByNameAnywhere',
    points: 100,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  wrongPasswords: { name: 'wrongPasswords', points: 10, seconds: 15 * MINUTES, sentence: 'Too many tries.' },
  failuresByAddress: {
    name: 'failuresByAddress',
    points: 60,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries from your address.',
  },
  failuresByAddressAtMost: {
    name: 'failuresByAddressAtMost',
    points: 600,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries from your address.',
  },
  registrationsByName: {
    name: 'registrationsByName',
    points: 10,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  registrationsByAddress: {
    name: 'registrationsByAddress',
    points: 60,
    seconds: HOURS,
    sentence: 'Too many new accounts from your address.',
  },
} satisfies Record<string, Rate>;

/** For each name, from an address that is past its ceiling. */
const TRIES_LEFT = 2;

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
  const { views, accounts, devices, passwords, publish, limits, session } = dependencies;
  const failuresByDevice = limits.of(RATES.failuresByDevice);
  const failuresByAddressAtMost = limits.of(RATES.failuresByAddressAtMost);
  const failuresByName = limits.of(RATES.failuresByName);
  const failuresByNameAnywhere = limits.of(RATES.failuresByNameAnywhere);
  const failuresByAddress = limits.of(RATES.failuresByAddress);
  const wrongPasswords = limits.of(RATES.wrongPasswords);
  const registrationsByName = limits.of(RATES.registrationsByName);
  const registrationsByAddress = limits.of(RATES.registrationsByAddress);

  /** The form, again with what was typed (never a password) when it is refused. */
  function form(request: Request, template: string, error?: ChatError): Html {
    const typed: unknown = request.body?.username;
    return views.page(request, template, {
      error: error ?? null,
      username: typeof typed === 'string' ? typed.slice(0, 200) : '',
      next: ownPath(request.body?.next ?? request.query.next),
      account: visitor(request) ?? null,
      line: visitor(request)?.line ?? '',
      displayName: visitor(request)?.displayName ?? '',
      languages: LANGUAGES,
      changed: typeof request.query.changed === 'string' ? request.query.changed : null,
    });
  }

  /** Signs in. A session that this browser had before ends, with its sockets. */
  async function enter(request: Request, account: Account): Promise<void> {
    const before = visitor(request);
    const sessionId = request.sessionID;
    await startSession(request, account);
    if (before) publish(sessionEnded, { accountId: before.id, sessionId });
  }

  /** Counts a try to sign in before the password is looked at, so that many at once count as many. */
  async function countTry(request: Request, username: string): Promise<() => Promise<void>> {
    const { address } = request.arrival;
    const name = foldCase(username);
    const account = await accounts.byName(username.normalize('NFC'));
    const device = account && devices.idFor(asker(request), account.id);
    if (device !== undefined) {
      const key = `${device} ${account?.id}`;
      await failuresByDevice.take(key);
      return () => failuresByDevice.reset(key);
    }
    const nameHere = `${address} ${name}`;
    await failuresByAddressAtMost.take(address);
    if ((await failuresByName.taken(nameHere)) >= TRIES_LEFT) await failuresByAddress.take(address);
    else await failuresByAddress.take(address).catch(() => {});
    await failuresByName.take(nameHere);
    await failuresByNameAnywhere.take(name);
    return async () => {
      await failuresByAddressAtMost.giveBack(address);
      await failuresByAddress.giveBack(address);
      await failuresByNameAnywhere.giveBack(name);
      await failuresByName.reset(nameHere);
    };
  }

  const asker = ({ headers, arrival }: Request) => ({ cookies: headers.cookie, isSecure: arrival.isSecure });

  function rememberDevice(request: Request, response: Response, accountId: number): void {
    const { name, value } = devices.cookieFor(asker(request), accountId);
    const secure = request.arrival.isSecure;
    response.cookie(name, value, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: ONE_YEAR_MS });
  }

  const show = (template: string) => (request: Request, response: Response) => {
    if (visitor(request)) return seeOther(response, ownPath(request.query.next));
    sendHtml(response, form(request, template));
  };

  return Router()
    .get('/register', show('accounts/register.njk'))
    .get('/login', show('accounts/sign-in.njk'))
    .get('/account', (request, response) => {
      accountOf(request);
      sendHtml(response, form(request, 'accounts/account.njk'));
    })
    .post('/register', session, async (request, response) => {
      onRefusal(response, (error) => form(request, 'accounts/register.njk', error));
      const wanted = parseInput(registration, request.body);
      await registrationsByAddress.take(request.arrival.address);
      await registrationsByName.take(foldCase(wanted.username));
      const account = await register(dependencies, wanted);
      await enter(request, account);
      rememberDevice(request, response, account.id);
      seeOther(response, ownPath(request.body?.next));
    })
    .post('/login', session, async (request, response) => {
      onRefusal(response, (error) => form(request, 'accounts/sign-in.njk', error));
      const given = parseInput(credentials, request.body);
      const takeBack = await countTry(request, given.username);
      const account = await signIn({ accounts, passwords }, given);
      await takeBack();
      await enter(request, account);
      rememberDevice(request, response, account.id);
      seeOther(response, ownPath(request.body?.next));
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
      onRefusal(response, (error) => form(request, 'accounts/account.njk', error));
      const change = parseInput(passwordChange, request.body);
      await wrongPasswords.take(String(account.id));
      const sessionEpoch = await changePassword({ accounts, passwords, publish }, account, change);
      await wrongPasswords.reset(String(account.id));
      await startSession(request, { id: account.id, sessionEpoch });
      seeOther(response, '/account?changed=password');
    });
}
