import { randomBytes } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Scope } from '../operations/scopes.ts';
import type { NewToken, Token, TokenStore } from './store.ts';

const RANDOM_BYTES = 32;
/** What personal tokens begin with, so that programs that look for leaked secrets recognise one. */
const PREFIX = 'hearth_';
/** A use is noted no more often. */
const NOTE_USE_MS = 10 * 60_000;
const ALGORITHM = 'HS256';

/** Who a token stands for. Its `sessionId` names the token where others name a session. */
export type Bearer = SignedIn & Readonly<{ token: Token; scopes: readonly Scope[] }>;

export type Tokens = ReturnType<typeof createTokens>;

/** The `sessionId` of sockets and requests of a token. */
export function sessionIdOf(tokenId: number): string {
  return `token ${tokenId}`;
}

/** The id of the token of such a `sessionId`; 0 for that of a session. */
export function tokenIn(sessionId: string): number {
  return Number(/^token (\d+)$/.exec(sessionId)?.[1] ?? 0);
}

/**
 * Makes and reads tokens. A personal one is 32 random bytes; that of a sign-in is a JWT (RFC 7519) with `sub`, `jti` and
 * `exp`, which is in force only while its row is there, so that it can be revoked.
 * @param key signs JWTs
 */
export function createTokens(accounts: AccountStore, tokens: TokenStore, key: Uint8Array) {
  async function makePersonal(account: Account, token: Pick<NewToken, 'label' | 'scopes' | 'expiresAt'>) {
    const secret = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
    await tokens.add(secret, { ...newToken(account), ...token, kind: 'personal' });
    return secret;
  }

  /** @param label what made it, such as "curl" */
  async function makeJwt(account: Account, label: string, scopes: readonly Scope[], expiresAt: number) {
    const jti = randomBytes(RANDOM_BYTES).toString('base64url');
    await tokens.add(jti, { ...newToken(account), label, scopes, expiresAt, kind: 'sign-in' });
    return new SignJWT({})
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(String(account.id))
      .setJti(jti)
      .setIssuedAt()
      .setExpirationTime(Math.floor(expiresAt / 1000))
      .sign(key);
  }

  /** The bearer of a token; undefined for one that is unknown, expired or revoked, or whose account may not sign in. */
  async function identify(text: string, now = Date.now()): Promise<Bearer | undefined> {
    const secret = text.startsWith(PREFIX) ? text : await idIn(text);
    const token = secret === undefined ? undefined : await tokens.bySecret(secret);
    if (!token || (token.expiresAt !== null && token.expiresAt <= now)) return undefined;
    const owner = await accounts.byId(token.accountId);
    if (!owner || owner.suspendedAt !== null || owner.sessionEpoch !== token.epoch) return undefined;
    // A full disk must not keep programs from reading.
    if ((token.usedAt ?? 0) < now - NOTE_USE_MS) tokens.noteUse(token.id, now).catch(() => {});
    const { scopes, expiresAt } = token;
    // Without this scope an administrator is a member, also where a rule lets administrators do more.
    const account = { ...owner, isAdmin: owner.isAdmin && scopes.includes('admin') };
    return { account, sessionId: sessionIdOf(token.id), endsAt: expiresAt ?? undefined, token, scopes };
  }

  async function idIn(jwt: string): Promise<string | undefined> {
    try {
      return (await jwtVerify(jwt, key, { algorithms: [ALGORITHM] })).payload.jti;
    } catch {
      return undefined;
    }
  }

  return { makePersonal, makeJwt, identify };
}

function newToken({ id, sessionEpoch }: Account) {
  return { accountId: id, epoch: sessionEpoch, createdAt: Date.now() };
}

/** The token of an `Authorization: Bearer` header (RFC 6750, 2.1). */
export function bearerIn(header: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/=-]{1,2000})$/i.exec(header ?? '')?.[1];
}
