import { randomInt } from 'node:crypto';
import { type Request, type RequestHandler, Router } from 'express';
import { accountOf, type EnterDependencies, enter } from '../accounts/access.ts';
import { confirmPassword, ownPassword } from '../accounts/confirm-password.ts';
import { pendingAccount } from '../accounts/sessions.ts';
import { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { FaceEngine } from '../engines/faces/engine.ts';
import { ChatError } from '../errors.ts';
import { onRefusal } from '../http/failures.ts';
import { ownPath, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { checkFace, ENROLLED_PICTURES, enrolFace, type Turn } from './face-check.ts';
import { FacePictures } from './face-pictures.ts';
import { triesKey, WRONG_CODES } from './routes.ts';
import type { SecondFactorStore } from './store.ts';

declare module 'express-session' {
  interface SessionData {
    /** The side to which the head is to be turned; it changes with every try. */
    faceTurn: Turn;
  }
}

/** Pictures that a camera takes while somebody looks ahead, and while the head turns. */
const MAX_AHEAD = 2;
const MAX_TURNED = 4;
/** Enrolments of an account. */
const ENROLMENTS = { name: 'face enrolments', points: 20, seconds: 3600, sentence: 'Too many tries.' };

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

/** The face check as a second step of signing in, and the page on which it is set up and removed. */
export function faceRoutes(dependencies: Dependencies): Router {
  const pictures = new FacePictures();
  return Router().use(signInRoutes(dependencies, pictures), settingRoutes(dependencies, pictures));
}

function signInRoutes(dependencies: Dependencies, facePictures: FacePictures): Router {
  const { views, accounts, secondFactors, faces, limits, session } = dependencies;
  const tries = limits.of(WRONG_CODES);

  function page(request: Request, error: ChatError | null): Html {
    request.session.faceTurn ??= randomTurn();
    return views.page(request, 'second-factors/face-sign-in.njk', {
      account: null,
      next: ownPath(request.query.next),
      turn: request.session.faceTurn,
      frames: { ahead: MAX_AHEAD, turned: MAX_TURNED },
      error,
    });
  }

  return Router()
    .get('/login/face', session, async (request, response) => {
      const account = await pendingAccount(accounts, request);
      if (!account) return seeOther(response, '/login');
      const { faceEngine } = await secondFactors.stepsOf(account.id);
      if (!faceEngine || faceEngine !== faces?.name)
        return seeOther(response, `/login/code?next=${encodeURIComponent(ownPath(request.query.next))}`);
      sendHtml(response, page(request, null));
    })
    .post('/login/face', session, async (request, response) => {
      const account = await pendingAccount(accounts, request);
      if (!account) return seeOther(response, '/login');
      onRefusal(response, (error) => page(request, error));
      const key = triesKey(dependencies, request, account);
      await tries.consume(key);
      const turn = request.session.faceTurn;
      request.session.faceTurn = randomTurn();
      if (turn === undefined) throw new ChatError('too_late', 409, 'That took too long. Try again.');
      const most = { ahead: MAX_AHEAD, turned: MAX_TURNED };
      await facePictures.read(request, response, account.id, most, (frames) =>
        checkFace(dependencies, account, frames, turn),
      );
      await tries.reset(key);
      request.body.next = request.query.next;
      await enter(dependencies, request, response, account);
    });
}

function settingRoutes(dependencies: Dependencies, facePictures: FacePictures): Router {
  const { views, secondFactors, faces } = dependencies;
  const signInLimits = new SignInLimits(dependencies.limits);
  const enrolments = dependencies.limits.of(ENROLMENTS);

  async function settings(
    request: Request,
    account: Account,
    error: ChatError | null = null,
    refused: 'set up' | 'remove' = 'set up',
  ) {
    const { hasFace, faceEngine } = await secondFactors.stepsOf(account.id);
    return views.page(request, 'second-factors/face.njk', {
      account,
      error,
      refused,
      hasFace,
      isOfOtherEngine: hasFace && faceEngine !== faces?.name,
      engine: faces?.name ?? null,
      keepsPictures: faces?.keepsPictures ?? false,
      needed: ENROLLED_PICTURES,
      next: ownPath(request.query.next),
    });
  }

  return Router()
    .get('/account/face', async (request, response) => {
      sendHtml(response, await settings(request, accountOf(request)));
    })
    .post('/account/face', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => settings(request, account, error));
      await enrolments.consume(String(account.id));
      const most = { pictures: ENROLLED_PICTURES };
      const codes = await facePictures.read(request, response, account.id, most, async ({ pictures }) => {
        const { password } = parseInput(ownPassword, request.body);
        await confirmPassword(dependencies, signInLimits, account, password);
        return enrolFace(dependencies, account, pictures);
      });
      const next = ownPath(request.query.next);
      sendHtml(response, views.page(request, 'second-factors/codes.njk', { account, codes, next }));
    })
    .post('/account/face/remove', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => settings(request, account, error, 'remove'));
      const { password } = parseInput(ownPassword, request.body);
      await confirmPassword(dependencies, signInLimits, account, password);
      await secondFactors.removeFace(account.id);
      seeOther(response, '/account/face');
    });
}

function randomTurn(): Turn {
  return randomInt(2) === 0 ? 'left' : 'right';
}
