import type { Request, RequestHandler, Response } from 'express';
import type { Publish } from '../bus/bus.ts';
import { notSignedIn } from '../errors.ts';
import { ownPath, seeOther } from '../http/request.ts';
import type { Devices } from './devices.ts';
import { sessionEnded } from './events.ts';
import { refuseAdministration } from './policies.ts';
import { type Sessions, type SignedIn, startPending } from './sessions.ts';
import type { Account } from './store.ts';

const ONE_YEAR_MS = 365 * 24 * 3_600_000;

export type EnterDependencies = {
  devices: Devices;
  publish: Publish;
  startSession: Sessions['start'];
};

/** The second step of signing in; supplied by a feature that builds on this one. */
export type SecondStep = { isInForce(accountId: number): Promise<boolean> };

const signedIn = new WeakMap<Request, SignedIn>();

/** Finds out once a request who sends it. */
export function identifyAccount(sessions: Sessions): RequestHandler {
  return async (request, response, next) => {
    const identity = await sessions.identify(request, response);
    if (identity) signedIn.set(request, identity);
    next();
  };
}

/** Notes who sends a request that carries a token instead of a session. */
export function identifyAs(request: Request, identity: SignedIn): void {
  signedIn.set(request, identity);
}

/** Who sends this request, if anybody. */
export function visitor(request: Request): Account | undefined {
  return signedIn.get(request)?.account;
}

/** The account and the session of a request. @throws ChatError 401 when nobody is signed in; a page then leads to the sign-in form */
export function signedInOf(request: Request): SignedIn {
  const identity = signedIn.get(request);
  // A script says for whom its page was made: somebody else may have signed in since, in another tab.
  const accountOfPage = request.get('hearth-account') ?? String(identity?.account.id);
  if (!identity || accountOfPage !== String(identity.account.id)) throw notSignedIn();
  return identity;
}

/** Who sends this request. @throws ChatError 401 */
export function accountOf(request: Request): Account {
  return signedInOf(request).account;
}

/** The administrator who sends this request. @throws ChatError 401, 403 for anybody else */
export function requireAdmin(request: Request): Account {
  const account = accountOf(request);
  const refusal = refuseAdministration({ account });
  if (refusal) throw refusal;
  return account;
}

/** Signs in, or asks for the second step of the account first. */
export async function enterInSteps(
  dependencies: EnterDependencies & { secondFactors: SecondStep },
  request: Request,
  response: Response,
  account: Account,
): Promise<void> {
  if (!(await dependencies.secondFactors.isInForce(account.id)))
    return enter(dependencies, request, response, account);
  const before = visitor(request);
  const sessionId = request.sessionID;
  await startPending(request, account, stays(request));
  if (before) dependencies.publish(sessionEnded, { accountId: before.id, sessionId });
  seeOther(response, `/login/code?next=${encodeURIComponent(ownPath(request.body?.next))}`);
}

/**
 * Starts a session and adds the account to the device cookie. Ends the previous session of this browser, and its
 * sockets.
 */
export async function enter(
  { devices, publish, startSession }: EnterDependencies,
  request: Request,
  response: Response,
  account: Account,
): Promise<void> {
  const before = visitor(request);
  const sessionId = request.sessionID;
  // Chosen before the second step, and by nobody else who left it half-way.
  const { pending } = request.session;
  await startSession(request, account, pending?.accountId === account.id ? pending.stays : stays(request));
  if (before) publish(sessionEnded, { accountId: before.id, sessionId });
  const { name, value } = devices.cookieFor(cookieSource(request), account.id);
  const secure = request.arrival.isSecure;
  response.cookie(name, value, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: ONE_YEAR_MS });
  seeOther(response, ownPath(request.body?.next));
}

/**
 * Whether the sign-in is to outlive the browser window. A form with the choice sends "no" in a hidden field, and "yes"
 * after it while its box is ticked; what has no choice stays.
 */
function stays(request: Request): boolean {
  const choice: unknown = request.body?.stay;
  return choice !== 'no';
}

/** What the device cookie is read from. */
export function cookieSource({ headers, arrival }: Request) {
  return { cookies: headers.cookie, isSecure: arrival.isSecure };
}
