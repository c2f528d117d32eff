import type { SignedIn } from '../accounts/sessions.ts';
import type { Account } from '../accounts/store.ts';
import { type ChatError, forbidden } from '../errors.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { discardImport, type StartDependencies, startForm, startImport, whichImport } from './start.ts';

/** Administrators bring chats in: messages are then as by whoever wrote them elsewhere. */
export function refuseImports({ account }: { account: Account }): ChatError | undefined {
  return account.isAdmin ? undefined : forbidden('Only administrators bring chats in.');
}

export const importOperations: readonly Operation<StartDependencies, SignedIn>[] = [
  defineOperation({
    name: 'start-import',
    path: '/admin/imports/:importId/start',
    input: startForm,
    policy: refuseImports,
    run: (context: StartDependencies, { account }: SignedIn, input) => startImport(context, account, input),
  }),
  defineOperation({
    name: 'discard-import',
    path: '/admin/imports/:importId/discard',
    input: whichImport,
    policy: refuseImports,
    run: (context: StartDependencies, _target: SignedIn, input) => discardImport(context, input),
  }),
];
