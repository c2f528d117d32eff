import { eventType } from '../bus/bus.ts';

/** One session ended: somebody signed out in one browser. */
export const sessionEnded = eventType<{ accountId: number; sessionId: string }>('accounts.session-ended');

/** What others see of an account changed: its picture, its line, or whether it shows what it has read. */
export const accountChanged = eventType<{ accountId: number }>('accounts.changed');

/** Every session of the account ended: its password was changed. */
export const sessionsEnded = eventType<{ accountId: number }>('accounts.sessions-ended');

/** What an account has set for itself changed, which nobody else sees: its quiet hours. */
export const accountSettingsChanged = eventType<{ accountId: number }>('accounts.settings-changed');
