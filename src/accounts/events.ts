import { eventType } from '../bus/bus.ts';

/** One session ended: somebody signed out in one browser. */
export const sessionEnded = eventType<{ accountId: number; sessionId: string }>('accounts.session-ended');

/** The profile of an account changed, such as its display name, picture, line or read receipt setting. */
export const accountChanged = eventType<{ accountId: number }>('accounts.changed');

/** Every session of the account ended: its password was changed, or an administrator ended them or suspended it. */
export const sessionsEnded = eventType<{ accountId: number }>('accounts.sessions-ended');

/** A setting that only the account itself sees changed: its quiet hours. */
export const accountSettingsChanged = eventType<{ accountId: number }>('accounts.settings-changed');

/** The username or the display name of an account changed. */
export const accountRenamed = eventType<{ accountId: number }>('accounts.renamed');

/** An account has ended every session but this one, whatever began them. */
export const otherSessionsEnded = eventType<{ accountId: number; sessionId: string }>(
  'accounts.other-sessions-ended',
);
