import type { Request, RequestHandler } from 'express';
import { notSignedIn } from '../errors.ts';
import type { Sessions, SignedIn } from './sessions.ts';
import type { Account } from './store.ts';

const signedIn = new WeakMap<Request, SignedIn>();

/** Finds out once a request who sends it. */
export function identifyAccount(sessions: Sessions): RequestHandler {
  return async (request, response, next) => {
    const identity = await sessions.identify(request, response);
    if (identity) signedIn.set(request, identity);
    next();
  };
}

/** Who sends this request, if anybody. */
export function visitor(request: Request): Account | undefined {
  return signedIn.get(request)?.account;
}

/** The account and the session of a request. @throws ChatError 401 when nobody is signed in; a page then leads to the sign-in form */
export function signedInOf(request: Request): SignedIn {
  const identity = signedIn.get(request);
  if (!identity) throw notSignedIn();
  return identity;
}

/** Who sends this request. @throws ChatError 401 */
export function accountOf(request: Request): Account {
  return signedInOf(request).account;
}
