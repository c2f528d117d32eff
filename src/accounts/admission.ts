import type { Executor } from '../database/executor.ts';
import type { Account } from './store.ts';

/** What letting somebody in takes beside their account. */
export type Admitted = Readonly<{
  /** Whether they come in as a guest. */
  isGuest?: boolean;
  /** Written in the transaction that adds the account, which is refused when it throws. */
  also?: (tx: Executor, accountId: number) => Promise<void>;
  /** Called with the new account. */
  welcome?: (account: Account) => Promise<void>;
}>;

/** Decides who may make an account; supplied by a feature that builds on this one. */
export type Admission = Readonly<{
  /** What the form asks for: nothing, as it makes the first account or may be filled in by all, a code, or to stop. */
  asks(): Promise<'first' | 'nothing' | 'code' | 'stop'>;
  /** @throws ChatError 400 or 403 for somebody who may not come in */
  admit(code: string | undefined): Promise<Admitted>;
}>;
