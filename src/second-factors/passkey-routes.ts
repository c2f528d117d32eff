import { isIP } from 'node:net';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { accountOf, type EnterDependencies, enter, signedInOf } from '../accounts/access.ts';
import { confirmPassword, ownPassword } from '../accounts/confirm-password.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { ownPath, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { type BoundOperation, parseInput } from '../operations/define.ts';
import type { PasskeyStore } from './passkey-store.ts';
import {
  addForm,
  addPasskey,
  optionsToAdd,
  optionsToSignIn,
  type Place,
  signInForm,
  signInWithPasskey,
  unknownPasskey,
} from './passkeys.ts';

declare module 'express-session' {
  interface SessionData {
    /** What the browser has to sign, for what, and since when. */
    challenge: { value: string; kind: 'add' | 'sign-in'; at: number };
  }
}

/** How long a challenge is valid. */
const CHALLENGE_MS = 5 * 60_000;
/** Tries by address: each may begin a session. */
const TRIES = { name: 'passkeys', points: 60, seconds: 600, sentence: 'Too many tries from your address.' };

type Dependencies = EnterDependencies & {
  views: Views;
  accounts: AccountStore;
  passkeys: PasskeyStore;
  passwords: Passwords;
  limits: Limits;
  index: BlindIndex;
  operations: readonly BoundOperation<SignedIn>[];
  /** Puts `request.session` in place. */
  session: RequestHandler;
};

/** Signing in with a passkey, and the page of one's own. Both need a script: browsers have no form for them. */
export function passkeyRoutes(dependencies: Dependencies): Router {
  return Router().use(signInRoutes(dependencies), settingRoutes(dependencies));
}

function signInRoutes(dependencies: Dependencies): Router {
  const { views, session } = dependencies;
  const tries = dependencies.limits.of(TRIES);
  return Router()
    .post('/login/passkey/options', session, async (request, response) => {
      await tries.consume(request.arrival.address);
      const options = await optionsToSignIn(placeOf(request));
      answerOptions(request, response, 'sign-in', options);
    })
    .post('/login/passkey', session, async (request, response) => {
      onRefusal(response, (error) =>
        views.page(request, 'accounts/sign-in.njk', {
          ...{ account: null, username: '', stays: true, error },
          next: ownPath(request.body?.next),
        }),
      );
      await tries.consume(request.arrival.address);
      const { credential } = parseInput(signInForm, request.body);
      const challenge = takeChallenge(request, 'sign-in');
      if (challenge === undefined) throw unknownPasskey();
      const account = await signInWithPasskey(dependencies, credential, challenge, placeOf(request));
      await tries.refund(request.arrival.address);
      // A device that asked for finger, face or PIN is both steps at once.
      await enter(dependencies, request, response, account);
    });
}

function settingRoutes(dependencies: Dependencies): Router {
  const { views, passkeys, session } = dependencies;
  const limits = new SignInLimits(dependencies.limits);

  async function page(request: Request, account: Account, error: ChatError | null = null): Promise<Html> {
    const own = await passkeys.of(account.id);
    return views.page(request, 'second-factors/passkeys.njk', {
      account,
      error,
      isPossible: isPossible(request),
      passkeys: own.map(({ id, label, createdAt, usedAt }) => ({
        id,
        label,
        created: new Date(createdAt).toISOString(),
        used: usedAt === null ? '' : new Date(usedAt).toISOString(),
      })),
    });
  }

  const forms = formsOf(dependencies.operations, {
    targetOf: signedInOf,
    inputOf: ({ params }: Request) => params,
    pageOfRefusal:
      (request, { account }) =>
      (error) =>
        page(request, account, error),
    next: () => '/account/passkeys',
  });
  return Router()
    .get('/account/passkeys', async (request, response) => {
      sendHtml(response, await page(request, accountOf(request)));
    })
    .post('/account/passkeys/options', session, async (request, response) => {
      const account = accountOf(request);
      // An unlocked screen is not enough to make a key that stays.
      await confirmPassword(dependencies, limits, account, parseInput(ownPassword, request.body).password);
      answerOptions(request, response, 'add', await optionsToAdd(dependencies, account, placeOf(request)));
    })
    .post('/account/passkeys', session, async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => page(request, account, error));
      const input = parseInput(addForm, request.body);
      const challenge = takeChallenge(request, 'add');
      if (challenge === undefined) throw new ChatError('too_late', 409, 'That took too long. Try again.');
      await addPasskey(dependencies, account, input, challenge, placeOf(request));
      seeOther(response, '/account/passkeys');
    })
    .use(forms);
}

/** Notes the challenge in the session, where only this browser's answer can use it. */
function answerOptions(
  request: Request,
  response: Response,
  kind: 'add' | 'sign-in',
  options: { challenge: string },
): void {
  request.session.challenge = { value: options.challenge, kind, at: Date.now() };
  response.set('Cache-Control', 'no-store').json(options);
}

/** The challenge that was given out last, once. */
function takeChallenge(request: Request, kind: 'add' | 'sign-in'): string | undefined {
  const { challenge } = request.session;
  delete request.session.challenge;
  return challenge?.kind === kind && challenge.at > Date.now() - CHALLENGE_MS ? challenge.value : undefined;
}

/** @throws ChatError 409 where browsers make no passkeys */
function placeOf(request: Request): Place {
  if (!isPossible(request))
    throw new ChatError(
      'no_passkeys',
      409,
      'Browsers use passkeys over HTTPS and by name only. Open Hearth that way.',
    );
  const { isSecure, host } = request.arrival;
  const { origin, hostname } = new URL(`${isSecure ? 'https' : 'http'}://${host}`);
  return { origin, host: hostname };
}

/** Browsers have passkeys for names, not for addresses, and on encrypted connections or this machine. */
function isPossible({ arrival: { isSecure, host } }: Request): boolean {
  const { hostname } = new URL(`http://${host}`);
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 && (isSecure || hostname === 'localhost');
}
