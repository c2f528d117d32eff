import { randomInt } from 'node:crypto';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import multer, { MulterError } from 'multer';
import { accountOf, type EnterDependencies, enter } from '../accounts/access.ts';
import { confirmPassword, ownPassword } from '../accounts/confirm-password.ts';
import { pendingAccount } from '../accounts/sessions.ts';
import { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Passwords } from '../crypto/passwords.ts';
import type { FaceEngine } from '../engines/faces/engine.ts';
import { ChatError, invalid } from '../errors.ts';
import { readMultipart } from '../http/body.ts';
import { onRefusal } from '../http/failures.ts';
import { ownPath, seeOther } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import { parseInput } from '../operations/define.ts';
import { checkFace, ENROLLED_PICTURES, enrolFace, type Turn } from './face-check.ts';
import { WRONG_CODES } from './routes.ts';
import type { SecondFactorStore } from './store.ts';

declare module 'express-session' {
  interface SessionData {
    /** The side to which the head is to be turned; it changes with every try. */
    faceTurn: Turn;
  }
}

/** A picture of a phone's camera has about 5. */
const MAX_PICTURE_BYTES = 12 * 1024 * 1024;
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
  return Router().use(signInRoutes(dependencies), settingRoutes(dependencies));
}

function signInRoutes(dependencies: Dependencies): Router {
  const { views, accounts, limits, session } = dependencies;
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
      if (!(await pendingAccount(accounts, request))) return seeOther(response, '/login');
      sendHtml(response, page(request, null));
    })
    .post('/login/face', session, async (request, response) => {
      const account = await pendingAccount(accounts, request);
      if (!account) return seeOther(response, '/login');
      onRefusal(response, (error) => page(request, error));
      await tries.take(String(account.id));
      const turn = request.session.faceTurn;
      request.session.faceTurn = randomTurn();
      const pictures = await readPictures(request, response, { ahead: MAX_AHEAD, turned: MAX_TURNED });
      if (turn === undefined) throw new ChatError('too_late', 409, 'That took too long. Try again.');
      await checkFace(dependencies, account, pictures, turn);
      await tries.reset(String(account.id));
      request.body.next = request.query.next;
      await enter(dependencies, request, response, account);
    });
}

function settingRoutes(dependencies: Dependencies): Router {
  const { views, secondFactors, faces } = dependencies;
  const signInLimits = new SignInLimits(dependencies.limits);
  const enrolments = dependencies.limits.of(ENROLMENTS);

  async function settings(request: Request, account: Account, error: ChatError | null = null) {
    return views.page(request, 'second-factors/face.njk', {
      account,
      error,
      hasFace: (await secondFactors.stepsOf(account.id)).hasFace,
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
      await enrolments.take(String(account.id));
      const { pictures } = await readPictures(request, response, { pictures: ENROLLED_PICTURES });
      const { password } = parseInput(ownPassword, request.body);
      await confirmPassword(dependencies, signInLimits, account, password);
      const codes = await enrolFace(dependencies, account, pictures);
      const next = ownPath(request.query.next);
      sendHtml(response, views.page(request, 'second-factors/codes.njk', { account, codes, next }));
    })
    .post('/account/face/remove', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => settings(request, account, error));
      const { password } = parseInput(ownPassword, request.body);
      await confirmPassword(dependencies, signInLimits, account, password);
      await secondFactors.removeFace(account.id);
      seeOther(response, '/account/face');
    });
}

/** The files of these fields, at most so many of each. Fields without a file are left out by browsers and here. */
async function readPictures<Field extends string>(
  request: Request,
  response: Response,
  most: Record<Field, number>,
): Promise<Record<Field, Buffer[]>> {
  const fields = Object.keys(most) as Field[];
  const read = multer({
    storage: multer.memoryStorage(),
    limits: { fields: 5, fileSize: MAX_PICTURE_BYTES },
  }).fields(fields.map((name) => ({ name, maxCount: most[name] })));
  await readMultipart(read, request, response, (failure) =>
    failure instanceof MulterError
      ? invalid('pictures', 'These are too many pictures, or one has more than 12 MB. Choose smaller ones.')
      : failure,
  );
  const files = Object.values(request.files ?? {}).flat() as Express.Multer.File[];
  const of = (name: Field) =>
    files.filter(({ fieldname, size }) => fieldname === name && size > 0).map(({ buffer }) => buffer);
  // The cast is safe: these are the fields of `most`.
  return Object.fromEntries(fields.map((name) => [name, of(name)])) as Record<Field, Buffer[]>;
}

function randomTurn(): Turn {
  return randomInt(2) === 0 ? 'left' : 'right';
}
