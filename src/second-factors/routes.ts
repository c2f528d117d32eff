import { type Request, type RequestHandler, type Response, Router } from 'express';
import { generateURI } from 'otplib';
import { z } from 'zod';
import { accountOf, cookieSource, type EnterDependencies, enter } from '../accounts/access.ts';
import { confirmPassword, ownPassword } from '../accounts/confirm-password.ts';
import { pendingAccount } from '../accounts/sessions.ts';
import { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { FaceEngine } from '../engines/faces/engine.ts';
import type { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { ownPath, seeOther } from '../http/request.ts';
import { qrOf } from '../http/share.ts';
import { type Context, type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import type { SecondFactorStore } from './store.ts';
import { beginAuthenticator, begunAuthenticator, checkCode, confirmAuthenticator } from './verify.ts';

/** Wrong codes and faces of an account, by whoever knows its password. */
export const WRONG_CODES = { name: 'wrong codes', points: 10, seconds: 900, sentence: 'Too many tries.' };

const codeForm = z.object({ code: z.string('Enter the code.').trim().min(1, 'Enter the code.').max(40) });

type Dependencies = EnterDependencies & {
  views: Views;
  accounts: AccountStore;
  secondFactors: SecondFactorStore;
  faces: FaceEngine | undefined;
  passwords: Passwords;
  limits: Limits;
  /** Puts `request.session` in place. */
  session: RequestHandler;
};

/** The second step of signing in, and the page on which an authenticator app is set up and removed. */
export function secondFactorRoutes(dependencies: Dependencies): Router {
  return Router().use(signInRoutes(dependencies), settingRoutes(dependencies));
}

function signInRoutes(dependencies: Dependencies): Router {
  const { views, accounts, secondFactors, faces, limits, session } = dependencies;
  const tries = limits.of(WRONG_CODES);
  async function page(request: Request, account: Account, error: ChatError | null): Promise<Html> {
    const { hasApp, hasFace, faceEngine } = await secondFactors.stepsOf(account.id);
    return views.page(request, 'second-factors/sign-in.njk', {
      account: null,
      next: nextOf(request),
      hasApp,
      hasFace,
      canCheckFaces: hasFace && faceEngine === faces?.name,
      error,
    });
  }

  return Router()
    .get('/login/code', session, async (request, response) => {
      const account = await pendingAccount(accounts, request);
      if (!account) return seeOther(response, '/login');
      const { hasApp, faceEngine } = await secondFactors.stepsOf(account.id);
      if (faceEngine && faceEngine === faces?.name && !hasApp && request.query.codes === undefined)
        return seeOther(response, `/login/face?next=${encodeURIComponent(nextOf(request))}`);
      sendHtml(response, await page(request, account, null));
    })
    .post('/login/code', session, async (request, response) => {
      const account = await pendingAccount(accounts, request);
      if (!account) return seeOther(response, '/login');
      onRefusal(response, (error) => page(request, account, error));
      const { code } = parseInput(codeForm, request.body);
      const key = triesKey(dependencies, request, account);
      await tries.consume(key);
      await checkCode(dependencies, account, code);
      await tries.reset(key);
      await enter(dependencies, request, response, account);
    });
}

/**
 * What wrong codes and faces are counted by: the account, and where it has signed in before, the device, so that nobody else
 * locks it out there.
 */
export function triesKey({ devices }: EnterDependencies, request: Request, { id }: Account): string {
  const device = devices.idFor(cookieSource(request), id);
  return device === undefined ? String(id) : `${device} ${id}`;
}

function nextOf(request: Request): string {
  return ownPath(request.body?.next ?? request.query.next);
}

function settingRoutes(dependencies: Dependencies): Router {
  const { views, secondFactors, limits } = dependencies;
  const signInLimits = new SignInLimits(limits);
  const wrongCodes = limits.of(WRONG_CODES);
  const show = (request: Request, template: string, context: Context) =>
    views.page(request, `second-factors/${template}.njk`, { error: null, ...context });

  async function settings(request: Request, account: Account, error: ChatError | null = null) {
    const { hasApp, hasFace } = await secondFactors.stepsOf(account.id);
    const left = await secondFactors.countCodes(account.id);
    return show(request, 'index', { account, hasApp, hasFace, left, error });
  }

  async function setUp(request: Request, account: Account, secret: string, error: ChatError | null = null) {
    const uri = generateURI({ issuer: `Hearth ${request.arrival.host}`, label: account.username, secret });
    const inFours = secret.replace(/(.{4})(?!$)/g, '$1 ');
    return show(request, 'set-up', { account, qr: await qrOf(uri), secret: inFours, error });
  }

  return Router()
    .get('/account/second-factor', async (request, response) => {
      sendHtml(response, await settings(request, accountOf(request)));
    })
    .post('/account/second-factor/set-up', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => settings(request, account, error));
      const { password } = parseInput(ownPassword, request.body);
      await confirmPassword(dependencies, signInLimits, account, password);
      sendHtml(response, await setUp(request, account, await beginAuthenticator(dependencies, account)));
    })
    .post('/account/second-factor/confirm', async (request: Request, response: Response) => {
      const account = accountOf(request);
      onRefusal(response, async (error) =>
        error.status === 400
          ? setUp(request, account, await begunAuthenticator(dependencies, account), error)
          : settings(request, account, error),
      );
      const { code } = parseInput(codeForm, request.body);
      await wrongCodes.consume(String(account.id));
      const codes = await confirmAuthenticator(dependencies, account, code);
      await wrongCodes.reset(String(account.id));
      sendHtml(response, show(request, 'codes', { account, codes }));
    })
    .post('/account/second-factor/remove', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => settings(request, account, error));
      const { password } = parseInput(ownPassword, request.body);
      await confirmPassword(dependencies, signInLimits, account, password);
      await secondFactors.removeApp(account.id);
      seeOther(response, '/account/second-factor');
    });
}
