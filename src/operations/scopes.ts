import { ChatError } from '../errors.ts';

/** What a token may be used for; each stands for itself, `admin` only where the account is an administrator. */
export const SCOPES = ['read', 'write', 'account', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export const SCOPE_MEANINGS: Readonly<Record<Scope, string>> = {
  read: 'Read what you can read',
  write: 'Write messages, react, make and join groups',
  account: 'Change your profile, notifications, sessions and tokens',
  admin: 'Administrate, where you are an administrator',
};

/** @throws ChatError 403 */
export function requireScope(granted: readonly Scope[], needed: Scope): void {
  if (granted.includes(needed)) return;
  throw new ChatError(
    'missing_scope',
    403,
    `This token has not the scope "${needed}". Make one that has it.`,
  );
}
