import { type IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import type { Request, RequestHandler } from 'express';
import session from 'express-session';
import type { Account, AccountStore } from './store.ts';

declare module 'express-session' {
  interface SessionData {
    accountId: number;
    /** The account's `sessionEpoch` when it signed in. */
    epoch: number;
    /** The day (UTC) on which the cookie was last sent, so that a session in use does not run out. */
    renewedOn: string;
  }
}

const THIRTY_DAYS_MS = 30 * 86_400_000;

/** The account and the session of a request. */
export type SignedIn = { account: Account; sessionId: string };

export type Sessions = {
  /** Puts `request.session` in place. */
  middleware: RequestHandler;
  /** The account of the request's session; undefined without a session, or when it has ended. */
  identify(request: Request): Promise<SignedIn | undefined>;
  /** The same for the request of a socket, which no middleware has seen. */
  identifyUpgrade(request: IncomingMessage, secure: boolean): Promise<SignedIn | undefined>;
};

/**
 * Sessions for HTTP and TLS side by side. Cookies ignore ports, so each has a name of its own.
 * @param openStore makes a store for one middleware
 * @param secret signs the cookies
 */
export function createSessions(
  accounts: AccountStore,
  openStore: () => session.Store,
  secret: string,
): Sessions {
  const shared = { secret, resave: false, saveUninitialized: false };
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', maxAge: THIRTY_DAYS_MS } as const;
  const plain = session({
    ...shared,
    store: openStore(),
    name: 'hearth',
    cookie: { ...cookie, secure: false },
  });
  const encrypted = session({
    ...shared,
    store: openStore(),
    name: '__Host-hearth',
    cookie: { ...cookie, secure: true },
  });

  async function identify(request: Request): Promise<SignedIn | undefined> {
    const { accountId, epoch } = request.session;
    if (accountId === undefined) return undefined;
    const account = await accounts.byId(accountId);
    if (!account || account.sessionEpoch !== epoch) return undefined;
    return { account, sessionId: request.sessionID };
  }

  return {
    middleware: (request, response, next) => (request.secure ? encrypted : plain)(request, response, next),
    async identify(request) {
      const signedIn = await identify(request);
      const today = new Date().toISOString().slice(0, 10);
      if (signedIn && request.session.renewedOn !== today) request.session.renewedOn = today;
      return signedIn;
    },
    async identifyUpgrade(upgrade, secure) {
      // express-session reads no more of them than a plain request and an answer that is never sent.
      const request = Object.assign(upgrade, { secure, originalUrl: upgrade.url }) as unknown as Request;
      const response = new ServerResponse(upgrade) as unknown as Parameters<RequestHandler>[1];
      await new Promise<void>((resolve, reject) => {
        (secure ? encrypted : plain)(request, response, (error?: unknown) =>
          error ? reject(error) : resolve(),
        );
      });
      return identify(request);
    },
  };
}

/** Starts a session for an account under a new id, so that an id planted before sign-in is worth nothing. */
export async function startSession(
  request: Request,
  account: { id: number; sessionEpoch: number },
): Promise<void> {
  await promisify(request.session.regenerate.bind(request.session))();
  request.session.accountId = account.id;
  request.session.epoch = account.sessionEpoch;
  request.session.renewedOn = new Date().toISOString().slice(0, 10);
  await promisify(request.session.save.bind(request.session))();
}

/** Ends this request's session; the cookie that remains opens nothing. */
export async function endSession(request: Request): Promise<void> {
  await promisify(request.session.destroy.bind(request.session))();
}
