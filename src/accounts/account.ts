import type { Executor } from '../database/executor.ts';
import type { SpokenLanguage } from '../engines/speech/languages.ts';
import type { QuietHours } from './queries.ts';

/** What stands for whoever deleted their account. */
export const GONE_NAME = 'Somebody who left';

/** Somebody who can sign in. */
export type Account = Readonly<{
  id: number;
  /** Used for signing in and in mentions. */
  username: string;
  /** Shown instead of the username; empty when none is set. */
  displayName: string;
  /** What others see: the display name, or the username where there is none. */
  name: string;
  isAdmin: boolean;
  /** Whether they see only the groups that they are in, and the people in them. */
  isGuest: boolean;
  /** Whether it is a program's: nobody signs in with it. */
  isBot: boolean;
  sessionEpoch: number;
  createdAt: number;
  /** What they say of themselves; empty for nothing. */
  line: string;
  /** Counts up with each new picture; 0 is none. */
  pictureVersion: number;
  /** Whether read receipts are shared. An account that hides its own sees none of others. */
  showsReceipts: boolean;
  /** When they are not to be disturbed; null for never. */
  quiet: QuietHours | null;
  /** What they speak in voice messages. */
  spokenLanguage: SpokenLanguage;
  /** Whether times are shown to them with their seconds. */
  showsSeconds: boolean;
  /** Whether their links get previews, and previews are shown to them. */
  hasPreviews: boolean;
  /** When an administrator suspended them; null for an account that can sign in. */
  suspendedAt: number | null;
  /** When the username was changed last; null for never. */
  renamedAt: number | null;
}>;

export type NewAccount = {
  username: string;
  passwordHash: string;
  /**
   * With 'if-first' the first account becomes an administrator; with 'if-none' this one does, and is refused as taken
   * where there is one already.
   */
  isAdmin: boolean | 'if-first' | 'if-none';
  isGuest?: boolean;
  isBot?: boolean;
  now: number;
  /** Written in the same transaction; the account is not added when it throws. */
  also?: (tx: Executor, accountId: number) => Promise<void>;
};
