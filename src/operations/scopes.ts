import { ChatError } from '../errors.ts';

/** What a token may be used for; each stands for itself, `admin` only where the account is an administrator. */
export const SCOPES = ['read', 'write', 'account', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** What an operation needs; `session` is of browsers that are signed in, and no token has it. */
export type NeededScope = Scope | 'read and write' | 'session';
/** What a session may. */
export const OF_SESSIONS: readonly NeededScope[] = [...SCOPES, 'read and write', 'session'];

export const SCOPE_MEANINGS: Readonly<Record<Scope, string>> = {
  read: 'Read what you can read',
  write: 'Write messages, react, make and join groups',
  account: 'Change your profile, notifications, sessions and tokens',
  admin: 'Administrate, where you are an administrator',
};

/** @throws ChatError 403 */
export function requireScope(granted: readonly NeededScope[], needed: NeededScope): void {
  if (granted.includes(needed)) return;
  if (needed === 'read and write') {
    requireScope(granted, 'read');
    return requireScope(granted, 'write');
  }
  if (needed === 'session') throw new ChatError('missing_scope', 403, 'Sign in with a browser for that.');
  throw new ChatError(
    'missing_scope',
    403,
    `This token has not the scope "${needed}". Make one that has it.`,
  );
}
