import { type IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Request, RequestHandler, Response } from 'express';
import session from 'express-session';
import type { Caches } from '../cache/caches.ts';
import type { Scope } from '../operations/scopes.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { endOf, hasExpired, lifetimeOf, type SessionLifetime } from './session-lifetime.ts';
import type { OpenSessionStore } from './session-store.ts';
import type { Account, AccountStore } from './store.ts';

declare module 'express-session' {
  interface SessionData {
    accountId: number;
    /** The account's `sessionEpoch` when it signed in. */
    epoch: number;
    /** The day (UTC) on which the cookie was last sent, so that a session in use does not run out. */
    renewedOn: string;
    /** When its account signed in, in milliseconds, UTC. Sessions from before this was noted lack it. */
    startedAt: number;
    /** Whether it ends when the browser is closed, and after a day. */
    isBrief: boolean;
    /** Whose password was entered, at this time; the session is theirs once the second step is done. */
    pending: { accountId: number; epoch: number; at: number; stays: boolean };
  }
}

const THIRTY_DAYS_MS = 30 * 86_400_000;
const VERIFIED_COOKIES = 20_000;
const COOKIE = { path: '/', httpOnly: true, sameSite: 'lax', maxAge: THIRTY_DAYS_MS } as const;
const PLAIN = 'hearth';
const ENCRYPTED = '__Host-hearth';

/** The account and the session of a request. */
export type SignedIn = {
  account: Account;
  sessionId: string;
  /** When the session ends however much it is used, in milliseconds, UTC; undefined is never. */
  endsAt?: number | undefined;
  /** What a token may be used for; absent for a session, which may be used for all. */
  scopes?: readonly Scope[] | undefined;
};

/** Lists a session with the browser and the address that it is used from. */
export type NoteSession = (
  request: Request,
  session: { account: Pick<Account, 'id' | 'sessionEpoch'>; sessionId: string },
) => Promise<void>;

export type Sessions = ReturnType<typeof createSessions>;

/**
 * Sessions for HTTP and TLS side by side. Cookies ignore ports, so each has a name of its own.
 * @param secret signs the cookies
 * @param note puts a session into the list of its account: before it is stored, and with its first request on each day
 */
export function createSessions(
  accounts: AccountStore,
  { openStore, peek }: OpenSessionStore,
  caches: Caches,
  secret: string,
  note: NoteSession,
  settings: Pick<SiteSettingsStore, 'read'>,
) {
  const common = { secret, resave: false, saveUninitialized: false };
  const plain = session({ ...common, store: openStore(), name: PLAIN, cookie: { ...COOKIE, secure: false } });
  const encrypted = session({
    ...common,
    store: openStore(),
    name: ENCRYPTED,
    cookie: { ...COOKIE, secure: true },
  });
  /** Session ids by cookie value, for cookies whose signature express-session has verified. */
  const verified = caches.recent<string, string>('verified cookies', VERIFIED_COOKIES);

  /** Puts `request.session` in place. */
  const middleware: RequestHandler = (request, response, next) =>
    (request.secure ? encrypted : plain)(request, response, next);

  /**
   * The cached identity of a session that need not be renewed today. For most requests this avoids express-session.
   */
  function remembered(value: string, today: string): (Remembered & { sessionId: string }) | undefined {
    const sessionId = verified.get(value);
    const record = sessionId === undefined ? undefined : peek(sessionId);
    return sessionId !== undefined && record?.renewedOn === today ? { ...record, sessionId } : undefined;
  }

  async function ownerOf(record: Partial<Remembered>, sessionId: string): Promise<SignedIn | undefined> {
    const account = record.accountId === undefined ? undefined : await accounts.byId(record.accountId);
    if (!account || account.sessionEpoch !== record.epoch) return undefined;
    const lifetime = lifetimeOf(await settings.read());
    return hasExpired(record, lifetime, Date.now())
      ? undefined
      : { account, sessionId, endsAt: endOf(record, lifetime) };
  }

  /** The account of the request's session; undefined without a session, or when it has ended. */
  async function identify(request: Request, response: () => Response): Promise<SignedIn | undefined> {
    const value = cookieOf(request.headers.cookie, request.secure ? ENCRYPTED : PLAIN);
    if (value === undefined) return undefined;
    const today = new Date().toISOString().slice(0, 10);
    const known = remembered(value, today);
    if (known) return ownerOf(known, known.sessionId);
    await new Promise<void>((resolve, reject) => {
      middleware(request, response(), (error?: unknown) => (error ? reject(error) : resolve()));
    });
    const signedIn = await ownerOf(request.session, request.sessionID);
    if (!signedIn) return undefined;
    // The request may carry several cookies of this name. Remember this value only if it belongs to the session that
    // express-session loaded.
    if (namesSession(value, request.sessionID)) verified.set(value, request.sessionID);
    // A changed session makes express-session send the cookie again, valid from now on.
    if (request.session.renewedOn !== today) {
      renew(request.session, today, lifetimeOf(await settings.read()));
      await note(request, signedIn);
    }
    return signedIn;
  }

  return {
    middleware,
    identify: (request: Request, response: Response) => identify(request, () => response),
    start: startSession.bind(undefined, { settings, note }),
    /** `identify` for a WebSocket, whenever it is asked: its upgrade request is not kept. */
    identifySocket: (upgrade: Upgrade) => identify(requestOf(upgrade), () => responseTo(upgrade)),
  };
}

type Remembered = Pick<session.SessionData, 'accountId' | 'epoch'> &
  Partial<Pick<session.SessionData, 'startedAt' | 'renewedOn'>>;

/** What is kept of the request that a WebSocket began with. */
type Upgrade = {
  socket: Socket;
  secure: boolean;
  headers: Pick<IncomingHttpHeaders, 'cookie' | 'user-agent'>;
};

/** As much of a request as express-session needs. */
function requestOf(upgrade: Upgrade): Request {
  return { ...upgrade, url: '/' } as Request;
}

/** A response that express-session can change, and that is never sent. */
function responseTo({ socket }: Upgrade): Response {
  return new ServerResponse(new IncomingMessage(socket)) as Response;
}

/** Notes that a session is used today. */
function renew(session: Request['session'], today: string, { idleMs }: SessionLifetime): void {
  session.renewedOn = today;
  session.startedAt ??= Date.now();
  if (!session.isBrief) session.cookie.maxAge = idleMs;
}

/** The value of the first cookie of a name, as the browser sent it. */
function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const end = pair.indexOf('=');
    if (end > 0 && pair.slice(0, end).trim() === name) return pair.slice(end + 1);
  }
  return undefined;
}

/** Whether a cookie's value is `s:ID.SIGNATURE` of this session (cookie-signature). */
function namesSession(value: string, sessionId: string): boolean {
  try {
    return decodeURIComponent(value).startsWith(`s:${sessionId}.`);
  } catch {
    return false;
  }
}

/**
 * Starts a session for an account under a new id, so that an id planted before sign-in is worth nothing.
 * @param stays whether it outlives the browser window
 */
async function startSession(
  { settings, note }: { settings: Pick<SiteSettingsStore, 'read'>; note: NoteSession },
  request: Request,
  account: { id: number; sessionEpoch: number },
  stays: boolean,
): Promise<void> {
  await promisify(request.session.regenerate.bind(request.session))();
  request.session.accountId = account.id;
  request.session.epoch = account.sessionEpoch;
  request.session.startedAt = Date.now();
  request.session.renewedOn = new Date().toISOString().slice(0, 10);
  if (stays) request.session.cookie.maxAge = lifetimeOf(await settings.read()).idleMs;
  else {
    request.session.isBrief = true;
    request.session.cookie.expires = null;
  }
  // Whoever reads one that is in no list takes it for one that has ended.
  await note(request, { account, sessionId: request.sessionID });
  await promisify(request.session.save.bind(request.session))();
}

/** Ends this request's session; the cookie that remains opens nothing. */
export async function endSession(request: Request): Promise<void> {
  await promisify(request.session.destroy.bind(request.session))();
}

/** How long after the password the code may be entered. */
const PENDING_MS = 10 * 60_000;

/** Notes that the password of an account was entered, and that its second step is due. */
export async function startPending(
  request: Request,
  { id, sessionEpoch }: { id: number; sessionEpoch: number },
  stays: boolean,
): Promise<void> {
  await promisify(request.session.regenerate.bind(request.session))();
  request.session.pending = { accountId: id, epoch: sessionEpoch, at: Date.now(), stays };
  await promisify(request.session.save.bind(request.session))();
}

/** Whose second step is due in this session, if anybody’s. */
export async function pendingAccount(accounts: AccountStore, request: Request): Promise<Account | undefined> {
  const { pending } = request.session;
  if (!pending || pending.at < Date.now() - PENDING_MS) return undefined;
  const account = await accounts.byId(pending.accountId);
  return account?.sessionEpoch === pending.epoch && account.suspendedAt === null ? account : undefined;
}
